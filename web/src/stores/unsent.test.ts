import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { DraftDoc, Field } from '@/api/types'
import { draftDB } from './draftdb'
import { mayKeep, stillAsked, unsent, worthKeeping } from './unsent'

const fields: Field[] = [
  { name: 'mode', label: '办结方式', type: 'select', options: [{ value: 'solved', label: '已解决' }, { value: 'explained', label: '解释说明' }] },
  { name: 'reply_text', label: '答复内容', type: 'textarea' },
  { name: 'unit', label: '单位', type: 'unit' },
  { name: 'files', label: '附件', type: 'files' },
]
const initial = { mode: '', reply_text: '', unit: '', files: [] }

describe('未提交的内容', () => {
  const rows = new Map<string, DraftDoc>()
  beforeEach(() => {
    rows.clear()
    vi.restoreAllMocks()
    vi.spyOn(draftDB, 'list').mockImplementation(async (o) => [...rows].filter(([k]) => k.startsWith(o + ':')).map(([, d]) => d))
    vi.spyOn(draftDB, 'put').mockImplementation(async (o, d) => (rows.set(`${o}:${d.id}`, d), d.id))
    vi.spyOn(draftDB, 'remove').mockImplementation(async (o, id) => void rows.delete(`${o}:${id}`))
  })

  it('举报、隔离和密级不明的工单什么都不留', () => {
    expect(['normal', 'confidential', 'informant', 'quarantine', '', undefined].filter(mayKeep)).toEqual(['normal', 'confidential'])
  })

  it('写了字才留，只选了选项不留', () => {
    expect(worthKeeping(fields, { ...initial, mode: 'solved' }, initial)).toBeNull()
    expect(worthKeeping(fields, { ...initial, mode: 'solved', reply_text: '已核查', unit: '7', files: ['1'] }, initial)).toEqual({ mode: 'solved', reply_text: '已核查' })
    expect(worthKeeping(fields, { ...initial, reply_text: '预填的答复' }, { ...initial, reply_text: '预填的答复' })).toBeNull()
  })

  it('表单不再问的、选项已没有的不恢复', () => {
    expect(stillAsked(fields, { mode: 'gone', reply_text: '已核查', other: 'x' })).toEqual({ reply_text: '已核查' })
    expect(stillAsked(fields, { mode: 'solved' })).toEqual({ mode: 'solved' })
  })

  it('各人的各存各的，退出时清掉，三天后作废', async () => {
    await unsent.keep('1', 'T/reply/A', { reply_text: '甲写的' })
    await unsent.keep('2', 'T/reply/A', { reply_text: '乙写的' })
    expect(await unsent.read('1', 'T/reply/A')).toEqual({ reply_text: '甲写的' })
    await unsent.forget('1')
    expect(await unsent.read('1', 'T/reply/A')).toBeNull()
    expect(await unsent.read('2', 'T/reply/A')).toEqual({ reply_text: '乙写的' })
    rows.get('2/act:T/reply/A')!.updated_at = new Date(Date.now() - 4 * 24 * 3600 * 1000).toISOString()
    expect(await unsent.read('2', 'T/reply/A')).toBeNull()
    expect(rows.size).toBe(0)
  })
})
