import { describe, expect, it } from 'vitest'
import { spokenNumber, when } from './format'
import { comboOf, isTyping } from './keys'

describe('按键', () => {
  const key = (init: KeyboardEventInit) => comboOf(new KeyboardEvent('keydown', init))
  it('按写法拼出组合', () => {
    expect(key({ key: 'Enter', ctrlKey: true })).toBe('Ctrl+Enter')
    expect(key({ key: '¡', code: 'Digit1', altKey: true })).toBe('Alt+1')
    expect(key({ key: '?', shiftKey: true })).toBe('?')
    expect(key({ key: 'm' })).toBe('M')
    expect(key({ key: ' ' })).toBe('Space')
  })
  it('正在输入时单键不动作', () => {
    const input = document.createElement('input')
    expect(isTyping(input)).toBe(true)
    input.type = 'checkbox'
    expect(isTyping(input)).toBe(false)
    expect(isTyping(document.createElement('div'))).toBe(false)
  })
})

describe('写法', () => {
  it('单号按读法分组，原单号不动', () => {
    expect(spokenNumber('012611220031279')).toBe('0126 1122 0031 279')
    expect(spokenNumber('HB20261122003127')).toBe('HB20261122003127')
  })
  it('跨年的时间带年份', () => {
    const now = new Date(2026, 10, 22)
    expect(when('2026-11-22T20:41:00+08:00', now)).toBe('11-22 20:41')
    expect(when('2025-01-02T08:05:00+08:00', now)).toBe('2025-01-02 08:05')
  })
})
