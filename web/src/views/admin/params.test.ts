import { describe, expect, it } from 'vitest'
import { differences, PARAM_KINDS, setAt, valueAt } from './params'

const kind = (k: string) => PARAM_KINDS.find((p) => p.kind === k)!

describe('政策参数', () => {
  it('writes what changed in the words of the page', () => {
    const before = { minLength: 10, refuseCommon: true, secondFactor: ['sysadmin'] }
    const now = { minLength: 12, refuseCommon: false, secondFactor: ['sysadmin', 'auditor'] }
    expect(differences(kind('account').cells(now), now, before)).toEqual(['密码·密码最短长度：10 → 12', '密码·禁用常见密码：是 → 否', '登录·须双因素登录的岗位：系统管理员 → 系统管理员、审计管理员'])
  })
  it('reaches into the list of measures and leaves the formula of counting alone', () => {
    const doc = { measures: [{ name: 'received', label: '受理量', num: ['received'], target: '' }] }
    const cells = kind('measures').cells(doc)
    expect(cells.map((c) => c.label)).toEqual(['名称', '口径', '不计入', '参考目标', '依据'])
    setAt(doc, cells[3].path, '看趋势')
    expect(valueAt(doc, ['measures', 0, 'target'])).toBe('看趋势')
    expect(doc.measures[0].num).toEqual(['received'])
  })
})
