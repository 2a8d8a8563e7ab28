import { describe, expect, it } from 'vitest'
import type { Assignment, Ticket } from '@/api/types'
import { active, DONE, phaseOf, PHASES, readSlip } from './tour'

const node = (o: Partial<Assignment>): Assignment => ({ id: '1', unit: { id: 'u', name: '区城管局' }, role: '主办', state: 'to_sign', state_label: '', ...o })
const ticket = (o: Partial<Ticket>): Ticket => ({ status: 'handling', ...o }) as Ticket
const key = (t: Ticket | null) => PHASES[phaseOf(t)]?.key ?? 'done'

describe('走一遍闭环', () => {
  it('由工单自己的状态决定轮到谁', () => {
    expect(key(null)).toBe('submit')
    expect(key(ticket({ status: 'received' }))).toBe('accept')
    expect(key(ticket({ status: 'to_dispatch' }))).toBe('dispatch')
    expect(key(ticket({ assignments: [node({})] }))).toBe('sign')
    expect(key(ticket({ assignments: [node({ state: 'handling' })] }))).toBe('contact')
    expect(key(ticket({ assignments: [node({ state: 'handling', contacted_at: 'x' })] }))).toBe('reply')
    expect(key(ticket({ assignments: [node({ state: 'to_review' })] }))).toBe('review')
    expect(key(ticket({ status: 'to_close' }))).toBe('close')
    expect(key(ticket({ status: 'closed' }))).toBe('evaluate')
    expect(phaseOf(ticket({ status: 'closed', verdicts: { citizen: { satisfaction: '4', way: '网上评价' } } }))).toBe(DONE)
    expect(key(ticket({ status: 'closed', verdicts: { citizen: { satisfaction: '5', way: '电话回访' } } }))).toBe('evaluate')
  })
  it('逐级下派时轮到最下一级；它答复后回到上一级', () => {
    const up = node({ id: 'a', depth: 0, state: 'delegated' })
    const down = node({ id: 'b', parent: 'a', depth: 1, state: 'handling' })
    expect(active(ticket({ assignments: [up, down] }))?.id).toBe('b')
    expect(active(ticket({ assignments: [up, { ...down, state: 'replied' }] }))?.id).toBe('a')
  })
  it('协办先答复，主办后答复', () => {
    expect(active(ticket({ assignments: [node({ id: 'a', state: 'handling' }), node({ id: 'b', role: '协办', state: 'to_sign' })] }))?.id).toBe('b')
  })
  it('从公众网站的回执上读单号和查询码', () => {
    const doc = new DOMParser().parseFromString('<div class="slip"><p class="v"><span>0126</span> 1122 1234 567</p><p class="v code">AB12CD</p></div>', 'text/html')
    expect(readSlip(doc)).toEqual({ number: '012611221234567', code: 'AB12CD' })
    expect(readSlip(new DOMParser().parseFromString('<p>首页</p>', 'text/html'))).toBeNull()
  })
})
