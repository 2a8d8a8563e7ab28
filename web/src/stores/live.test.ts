import { describe, expect, it } from 'vitest'
import { parseEvents } from './live'
import { menuPath } from './me'
import { toOptions } from './meta'

describe('实时事件', () => {
  it('一段一段到达也能拼起来', () => {
    const a = parseEvents(': keepalive\n\nevent: change\ndata: {"topic":"ti')
    expect(a.events).toEqual([])
    const b = parseEvents(a.rest + 'cket","id":"1"}\n\nevent: ch')
    expect(b.events).toEqual([{ event: 'change', data: '{"topic":"ticket","id":"1"}' }])
    expect(b.rest).toBe('event: ch')
  })
})

describe('服务器的写法不一也能读', () => {
  it('菜单地址可带可不带前缀', () => {
    expect(menuPath('/console/desk')).toBe('/desk')
    expect(menuPath('/desk')).toBe('/desk')
    expect(menuPath('/console')).toBe('/')
  })
  it('代码表可以是词，也可以是键值', () => {
    expect(toOptions(['投诉', { code: 'a', name: '甲' }, { value: 'b', label: '乙' }]).map((o) => [o.value, o.label])).toEqual([['投诉', '投诉'], ['a', '甲'], ['b', '乙']])
    expect(toOptions(undefined)).toEqual([])
  })
})
