import { describe, expect, it } from 'vitest'
import type { TicketRow } from '@/api/types'
import { fitColumns, foldSimilar } from './columns'

const row = (id: string, title: string, similar = 1) => ({ id, title, category: 'c', region: 'r', similar }) as TicketRow

describe('列随宽度取舍', () => {
  const keys = ['number', 'type', 'title', 'region', 'unit', 'state', 'accepted', 'due']
  it('宽了全有，窄了先让不要紧的，标题和剩余时间留到最后', () => {
    expect(fitColumns(keys, 1600, 0).map((c) => c.key)).toEqual(keys)
    const narrow = fitColumns(keys, 520, 0).map((c) => c.key)
    expect(narrow).toContain('title')
    expect(narrow).toContain('left')
    expect(narrow).not.toContain('accepted')
  })
})

describe('相似工单收成一行', () => {
  const rows = [row('1', '关山大道12号夜间施工'), row('2', '路灯不亮', 0), row('3', '关山大道 15号 夜间施工')]
  it('同类同地同题的收在第一件下面', () => {
    const lines = foldSimilar(rows, new Set())
    expect(lines.map((l) => l.row.id)).toEqual(['1', '2'])
    expect(lines[0].fold).toBe(1)
  })
  it('展开后紧跟其后', () => {
    const key = foldSimilar(rows, new Set())[0].group!
    expect(foldSimilar(rows, new Set([key])).map((l) => [l.row.id, Boolean(l.child)])).toEqual([['1', false], ['3', true], ['2', false]])
  })
  it('不相似的不动', () => {
    expect(foldSimilar([row('1', '甲', 0), row('2', '甲', 0)], new Set())).toHaveLength(2)
  })
})
