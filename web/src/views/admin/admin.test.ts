import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { linesOf, monthsOf, plainYear } from './calendar'
import { boundOf, changesOf, within, type LimitRow } from './limits'
import { guardLabel, noticeLabel, picture, places, RELATION, type RulesDoc } from './rules'
import { roleLabel } from './model'

const row = (o: Partial<LimitRow>): LimitRow => ({ id: 'x', kind: '办理', n: 5, unit: '工作日', ...o })

describe('办理时限', () => {
  const above = [row({ id: 'a' }), row({ id: 'b', class: 'simple' }), row({ id: 'c', class: 'simple', type: '咨询', n: 1 })]
  it('市州的每一行对着省定最具体的一行', () => {
    expect(boundOf(row({ class: 'simple', type: '咨询' }), above)?.id).toBe('c')
    expect(boundOf(row({ class: 'simple', type: '投诉' }), above)?.id).toBe('b')
    expect(boundOf(row({ class: 'complex' }), above)?.id).toBe('a')
    expect(boundOf(row({ kind: '签收' }), above)).toBeUndefined()
  })
  it('换了单位也不能放宽：工作时间遇节假日会停，不算在自然时间之内', () => {
    const fits = (n: number, unit: string, m: number, bound: string) => within({ n, unit }, { n: m, unit: bound })
    expect([fits(5, '工作日', 5, '工作日'), fits(45, '工作时', 5, '工作日'), fits(7, '自然日', 7, '工作日'), fits(60, '分钟', 1, '工作时'), fits(1, '工作日', 18, '工作时')]).toEqual([true, true, true, true, true])
    expect([fits(120, '工作时', 5, '工作日'), fits(24, '工作时', 24, '自然时'), fits(7, '工作日', 7, '自然日'), fits(1, '工作日', 17, '工作时'), fits(61, '分钟', 1, '自然时')]).toEqual([false, false, false, false, false])
  })
  it('列出修改', () => {
    expect(changesOf([row({ id: '一般类·咨询', n: 2 })], [row({ id: '一般类·咨询', n: 3 })])).toEqual(['一般类／咨询：3个工作日 → 2个工作日'])
  })
})

describe('工作日历', () => {
  it('只记与星期不同的和有节日名的日子', () => {
    const days = plainYear(2027)
    days[0] = { ...days[0], work: false, note: '元旦' }
    const saturday = days.findIndex((d) => d.date === '2027-01-09')
    days[saturday] = { ...days[saturday], work: true, note: '元旦' }
    expect(linesOf(days)).toBe('2027-01-01 休 元旦\n2027-01-09 班 元旦')
  })
  it('十二个月，每月从星期一起排', () => {
    const months = monthsOf(plainYear(2026))
    expect(months).toHaveLength(12)
    expect(months[1].cells.findIndex((c) => c?.date === '2026-02-01')).toBe(6)
    expect(months.flatMap((m) => m.cells.filter(Boolean))).toHaveLength(365)
  })
})

describe('流转规则', () => {
  const doc = JSON.parse(readFileSync('../internal/ticket/rules.json', 'utf8')) as RulesDoc
  it('规则里的条件、关系、角色、通知都有中文说法', () => {
    for (const e of doc.edges) {
      for (const g of e.guards ?? []) expect(guardLabel(g), g).not.toBe('附加条件')
      for (const a of e.at) expect(RELATION[a], a).toBeTruthy()
      for (const r of e.who) expect(roleLabel(r), r).not.toBe(r)
      if (e.notice) expect(noticeLabel(e.notice), e.notice).not.toBe('通知诉求人')
    }
  })
  it('状态图里主路相连，旁路单列', () => {
    const p = picture(doc, false)
    expect(p.exits.map((e) => e.code)).toEqual(expect.arrayContaining(['transferred', 'redirected', 'invalid', 'withdrawn', 'merged']))
    const reached = new Set(['received'])
    for (let i = 0; i < 10; i++) for (const a of p.arrows) if (reached.has(a.from)) reached.add(a.to)
    expect(reached.has('closed')).toBe(true)
    for (const a of p.arrows) expect(places(doc, false, p.hidden).has(a.to)).toBe(true)
  })
})
