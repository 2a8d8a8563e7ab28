import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DraftDoc } from '@/api/types'
import { draftDB } from './draftdb'
import { mergeDrafts, newDraftID, SERVER_MS, useDrafts } from './drafts'

const doc = (id: string, at: string, title = ''): DraftDoc => ({ id, title, updated_at: at, body: {} })
const local = new Map<string, DraftDoc>()

let puts: { url: string; body: string }[] = []
let status = 200
beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers()
  local.clear()
  puts = []
  status = 200
  vi.spyOn(draftDB, 'list').mockImplementation(async () => [...local.values()])
  vi.spyOn(draftDB, 'put').mockImplementation(async (_o, d) => {
    local.set(d.id, d)
    return d.id
  })
  vi.spyOn(draftDB, 'remove').mockImplementation(async (_o, id) => void local.delete(id))
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (init.method === 'PUT') puts.push({ url, body: init.body as string })
    return new Response(init.method === 'GET' ? '{"items":[]}' : '{}', { status })
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('草稿', () => {
  it('编号是十进制并按时间递增', () => {
    expect(newDraftID(1000)).toMatch(/^1000\d{4}$/)
    expect(BigInt(newDraftID(2_000_000_000_000)) > BigInt(newDraftID(1_999_999_999_999))).toBe(true)
  })

  it('两处都有时取新的一份', () => {
    const out = mergeDrafts([doc('1', '2026-11-22T20:00:00+08:00', '旧')], [doc('1', '2026-11-22T12:30:00Z', '新'), doc('2', '2026-11-22T10:00:00Z')])
    expect(out.map((d) => [d.id, d.title])).toEqual([['1', '新'], ['2', '']])
  })

  it('改动马上存本机，两秒后存服务器，连打只存一次', async () => {
    const drafts = useDrafts()
    const d = drafts.create('新工单', { content: '' })
    for (const text of ['夜', '夜间', '夜间施工']) {
      ;(drafts.get(d.id)!.body as { content: string }).content = text
      drafts.touch(d.id)
      await vi.advanceTimersByTimeAsync(200)
    }
    await vi.advanceTimersByTimeAsync(300)
    expect((local.get(d.id)!.body as { content: string }).content).toBe('夜间施工')
    expect(puts).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(SERVER_MS)
    expect(puts).toHaveLength(1)
    expect(JSON.parse(puts[0].body).body.content).toBe('夜间施工')
    expect(drafts.state[d.id]).toBe('saved')
  })

  it('服务器没应答：本机还在，稍后再送', async () => {
    const drafts = useDrafts()
    const d = drafts.create('新工单', {})
    status = 503
    drafts.touch(d.id)
    await vi.advanceTimersByTimeAsync(SERVER_MS + 100)
    expect(drafts.state[d.id]).toBe('local')
    status = 200
    await vi.advanceTimersByTimeAsync(SERVER_MS * 6)
    expect(drafts.state[d.id]).toBe('saved')
  })

  it('死机后从本机找回', async () => {
    local.set('9', doc('9', '2026-11-22T12:00:00Z', '夜间施工'))
    const drafts = useDrafts()
    await drafts.load()
    expect(drafts.drafts.map((d) => d.title)).toEqual(['夜间施工'])
    await vi.advanceTimersByTimeAsync(10)
    expect(puts).toHaveLength(1)
  })
})
