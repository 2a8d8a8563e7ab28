import { afterEach, describe, expect, it, vi } from 'vitest'
import { attemptFor, batchSummary, runAct } from './acts'

afterEach(() => vi.unstubAllGlobals())

function answer(status: number, body: unknown) {
  const calls: { url: string; init: RequestInit }[] = []
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    calls.push({ url, init })
    return new Response(JSON.stringify(body), { status })
  })
  return calls
}

describe('一次办理', () => {
  it('重试用同一个键，改了内容就是另一次', () => {
    const first = attemptFor({ unit: '7' }, null)
    expect(attemptFor({ unit: '7' }, first)).toBe(first)
    expect(attemptFor({ unit: '8' }, first).key).not.toBe(first.key)
    expect(first.key).toMatch(/^[0-9a-f]{32}$/)
  })

  it('带上看到的版本和承办，说服务器的话', async () => {
    const calls = answer(200, { id: '1', number: '1', version: 4, status: 'handling', status_label: '办理中', message: '已派发至洪山区城管局。' })
    const out = await runAct({ id: '1', version: 3 }, { name: 'sign', label: '签收', assignment: '9' }, { a: 1 }, { body: '', key: 'k' })
    expect(out).toMatchObject({ ok: true, message: '已派发至洪山区城管局。' })
    const h = calls[0].init.headers as Record<string, string>
    expect(h['If-Match']).toBe('"3"')
    expect(h['Idempotency-Key']).toBe('k')
    expect(JSON.parse(calls[0].init.body as string)).toEqual({ a: 1, assignment: '9' })
  })

  it('备注、联系、催办不带版本', async () => {
    const calls = answer(200, { status_label: '办理中' })
    await runAct({ id: '1', version: 3 }, { name: 'urge', label: '催办' }, {}, { body: '', key: 'k' })
    expect(calls[0].init.headers).not.toHaveProperty('If-Match')
  })

  it('别人先办了：说清谁改了什么', async () => {
    answer(409, { detail: '工单已被更新。', data: { version: 8, status: 's', status_label: '已派单', changed: [{ at: '', actor: '周敏', label: '派发' }] } })
    const out = await runAct({ id: '1', version: 3 }, { name: 'dispatch', label: '派发' }, {}, { body: '', key: 'k' })
    expect(out).toMatchObject({ ok: false, detail: '工单已被更新。', conflict: { version: 8 } })
  })

  it('连不上服务器也是一句中文', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('Failed to fetch')
    })
    const out = await runAct({ id: '1', version: 3 }, { name: 'sign', label: '签收' }, {}, { body: '', key: 'k' })
    expect(out).toMatchObject({ ok: false, detail: '连接不上服务器，请检查网络后重试。' })
  })

  it('批量结果分清成和不成', () => {
    const s = batchSummary('派发', { items: [{ id: '1', ok: true }, { id: '2', ok: false, detail: '已被他人派发。' }] })
    expect(s.text).toBe('派发：成功1件，未成功1件。')
    expect(s.failed).toEqual([{ id: '2', detail: '已被他人派发。' }])
  })
})
