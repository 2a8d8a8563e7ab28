import dayjs from 'dayjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { clockTime, when, whenLong } from '@/composables/format'
import { asPicked, asShown } from './datepick'

const own = process.env.TZ
afterEach(() => {
  process.env.TZ = own
  vi.useRealTimers()
})

describe('北京时间，不论浏览器的时区', () => {
  for (const zone of ['Asia/Shanghai', 'America/New_York', 'Pacific/Apia', 'Europe/London']) {
    it(zone, () => {
      process.env.TZ = zone
      // The hours around a change of summer time in New York are the ones that a zone's offset gets wrong.
      for (const [at, text] of [['2026-03-08T07:30:00Z', '15:30'], ['2026-11-01T05:30:00Z', '13:30'], ['2026-11-22T16:30:00Z', '00:30']]) {
        expect(when(at).slice(-5)).toBe(text)
        expect(whenLong(at).slice(-5)).toBe(text)
        expect(clockTime(at).slice(0, 5)).toBe(text)
        expect(asShown(at)?.slice(11, 16)).toBe(text)
        expect(Date.parse(asPicked(asShown(at))!)).toBe(Date.parse(at))
      }
      vi.useFakeTimers({ now: new Date('2026-11-22T16:30:00Z') })
      expect(dayjs().format('YYYY-MM-DD HH:mm')).toBe('2026-11-23 00:30')
      expect(dayjs('2026-11-22T09:00:00').format('HH:mm')).toBe('09:00')
    })
  }
  it('空值和不是时刻的值', () => {
    expect(asShown('')).toBeNull()
    expect(asShown('abc')).toBeNull()
    expect(asPicked(null)).toBeNull()
  })
})
