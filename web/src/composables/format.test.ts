import { expect, test } from 'vitest'
import { lineQuality } from './format'

test('丢包是份额，写成百分数；抖动取整', () => {
  expect(lineQuality({ mos: 3.02, loss: 0.024, jitter: 1.88 })).toBe('MOS 3.0，丢包2.4%，抖动2毫秒')
  expect(lineQuality({})).toBe('MOS 0.0，丢包0.0%，抖动0毫秒')
})
