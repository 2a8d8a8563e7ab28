import { describe, expect, it } from 'vitest'
import type { Action, Field } from '@/api/types'
import { arrange, initialValues, isShown, payload, problems, runsAtOnce } from './actform'

const fields: Field[] = [
  { name: 'mode', label: '办结方式', type: 'select', required: true, options: [{ value: 'done', label: '已解决' }, { value: 'law', label: '依法不能办理' }] },
  { name: 'basis', label: '法律依据', type: 'text', required: true, show_if: { field: 'mode', values: ['law'] } },
  { name: 'detail', label: '条款', type: 'text', required: true, show_if: { field: 'basis', values: ['x'] } },
  { name: 'text', label: '办理情况', type: 'textarea', required: true, min: 5, max: 8 },
  { name: 'days', label: '延长工作日', type: 'number', min: 1, max: 10 },
  { name: 'unit', label: '承办单位', type: 'unit', default: { id: '7', name: '洪山区城管局' } },
  { name: 'files', label: '佐证', type: 'files' },
  { name: 'beyond', label: '超出职责', type: 'bool' },
]

describe('服务器给出的表单', () => {
  it('缺省值可以是编号，也可以是带名称的对象', () => {
    const v = initialValues(fields)
    expect(v.unit).toBe('7')
    expect(v.files).toEqual([])
    expect(v.beyond).toBe(false)
  })

  it('条件不满足的字段不显示，也不会被提交', () => {
    const v = { ...initialValues(fields), mode: 'done', basis: '噪声法第四十三条', text: '已责令停止' }
    expect(isShown(fields[1], v, fields)).toBe(false)
    expect(payload(fields, v)).not.toHaveProperty('basis')
  })

  it('上级不显示，下级也不显示', () => {
    const v = { ...initialValues(fields), mode: 'done', basis: 'x' }
    expect(isShown(fields[2], v, fields)).toBe(false)
  })

  it('逐项说出缺什么、多了什么', () => {
    const v = { ...initialValues(fields), text: '短', days: 12 }
    expect(problems(fields, v)).toEqual({ mode: '请选择办结方式。', text: '办理情况至少5个字，现在1个字。', days: '延长工作日不大于10。' })
  })

  it('字数按字算，不按编码单位算', () => {
    expect(problems(fields, { ...initialValues(fields), mode: 'done', text: '𠮷𠮷𠮷𠮷𠮷' })).toEqual({})
  })

  it('提交时去掉首尾空白和空项', () => {
    const v = { ...initialValues(fields), mode: 'law', basis: ' 第四条 ', text: '  已依法告知  ' }
    expect(payload(fields, v)).toEqual({ mode: 'law', basis: '第四条', text: '已依法告知', unit: '7', beyond: false })
  })

  it('诉求点：写空的行不算', () => {
    const points: Field[] = [{ name: 'points', label: '诉求点', type: 'points', required: true }]
    expect(problems(points, { points: [{ text: ' ' }] })).toEqual({ points: '请填写诉求点。' })
    expect(payload(points, { points: [{ text: '停工' }, { text: '' }] })).toEqual({ points: [{ text: '停工' }] })
  })
})

describe('逐项答复诉求点', () => {
  const each: Field[] = [{ name: 'point_results', label: '逐项答复诉求点', type: 'points', required: true, options: [{ value: '1', label: '停工' }, { value: '2', label: '告知' }] }]
  it('只送答了的那几条', () => {
    expect(problems(each, { point_results: [] })).toHaveProperty('point_results')
    expect(payload(each, { point_results: [{ no: 1, result: ' 已停工 ' }, { no: 2, result: '' }] })).toEqual({ point_results: [{ no: 1, result: '已停工' }] })
  })
  it('拆分只选序号', () => {
    const pick: Field[] = [{ ...each[0], name: 'point_nos' }]
    expect(payload(pick, { point_nos: ['2'] })).toEqual({ point_nos: ['2'] })
  })
})

describe('操作按钮', () => {
  const a = (name: string, more: Partial<Action> = {}): Action => ({ name, label: name, ...more })

  it('没有字段也不危险的操作一点就办', () => {
    expect(runsAtOnce(a('sign'))).toBe(true)
    expect(runsAtOnce(a('withdraw', { danger: true }))).toBe(false)
    expect(runsAtOnce(a('reply', { fields }))).toBe(false)
  })

  it('主要步骤在前，危险的在后，放不下的进更多', () => {
    const { shown, rest } = arrange([a('return', { danger: true }), a('note'), a('reply', { primary: true }), a('extend')], 3)
    expect(shown.map((x) => x.name)).toEqual(['reply', 'note'])
    expect(rest.map((x) => x.name)).toEqual(['extend', 'return'])
  })
})
