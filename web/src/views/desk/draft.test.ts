import { describe, expect, it } from 'vitest'
import { blankBody, isBlank, isPhone, normalPhone, problems, secrecyChoices, titleFrom, toRequest } from './draft'

const filled = () => ({ ...blankBody(), type: '投诉', content: '来电人反映：保利时代小区北侧工地连续三晚打桩，影响休息。要求停工。', region: '420111', phone: '138 1234 2671', name: '李某' })

describe('座席登记', () => {
  it('派单缺什么说什么', () => {
    expect(problems(blankBody())).toEqual({ type: '请选择诉求类型。', content: '诉求内容至少5个字，写清时间、地点、对象、经过和要求。', region: '请选择事发地；不清楚街道时选到市州或县区即可。' })
    expect(problems(filled())).toEqual({})
  })

  it('咨询直办只要类型、内容和答复', () => {
    const b = { ...blankBody(), way: 'answer' as const, type: '咨询', content: '夜间施工几点以后不允许', answer: '22时至次日6时。' }
    expect(problems(b)).toEqual({})
    expect(toRequest(b)).toMatchObject({ way: 'answer', type: '咨询', answer: { text: '22时至次日6时。' } })
  })

  it('换了处理方式，别的方式填过的不会跟着走', () => {
    const b = { ...filled(), answer: '草稿里的答复', redirectText: 'x', invalidReason: '骚扰' }
    const r = toRequest(b)
    expect([r.answer, r.redirect, r.invalid]).toEqual([undefined, undefined, undefined])
  })

  it('匿名不带姓名和电话', () => {
    const r = toRequest({ ...filled(), secrecy: 'anonymous' }) as { requester: object }
    expect(JSON.parse(JSON.stringify(r.requester))).toEqual({ kind: '个人' })
  })

  it('举报不能不隐藏身份', () => {
    const all = ['normal', 'accused', 'unit', 'anonymous'].map((value) => ({ value, label: value }))
    expect(secrecyChoices('举报', all).map((o) => o.value)).toEqual(['unit', 'anonymous'])
    expect(secrecyChoices('投诉', all)).toHaveLength(4)
  })

  it('标题留空时取第一句', () => {
    expect(titleFrom('来电人反映：小区停水两天。要求尽快恢复。')).toBe('小区停水两天')
    expect([...titleFrom('一'.repeat(80))].length).toBe(30)
    expect(toRequest(filled()).title).toBe('保利时代小区北侧工地连续三晚打桩，影响休息')
  })

  it('电话写法不一也认得', () => {
    expect(normalPhone('+86 138-1234-2671')).toBe('13812342671')
    expect(normalPhone('１３８１２３４２６７１')).toBe('13812342671')
    expect(isPhone('027-85551234')).toBe(true)
    expect(isPhone('12345')).toBe(false)
  })

  it('什么都没写的草稿关掉就没了', () => {
    expect(isBlank({ ...blankBody(), type: '投诉', way: 'answer' })).toBe(true)
    expect(isBlank(filled())).toBe(false)
  })
})
