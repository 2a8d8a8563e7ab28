import { beforeEach, describe, expect, it, vi } from 'vitest'

describe('有人在场', () => {
  beforeEach(() => {
    vi.resetModules()
    vi.useFakeTimers()
  })

  it('一分钟没有动作就算离开，动一下又算在场', async () => {
    const { attended } = await import('./attended')
    expect(attended()).toBe(true)
    vi.advanceTimersByTime(61_000)
    expect(attended()).toBe(false)
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))
    expect(attended()).toBe(true)
  })

  it('供人远看的页面一直算在场', async () => {
    const { attended, show } = await import('./attended')
    vi.advanceTimersByTime(3_600_000)
    show(true)
    expect(attended()).toBe(true)
    show(false)
    expect(attended()).toBe(false)
  })

  it('久写不问时替他报到，没人在不报', async () => {
    const { signOften, attended } = await import('./attended')
    let signs = 0
    const stop = signOften(() => {
      signs++
      attended()
    })
    for (let i = 0; i < 12; i++) {
      window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))
      vi.advanceTimersByTime(60_000)
    }
    expect(signs).toBeGreaterThanOrEqual(2)
    const before = signs
    vi.advanceTimersByTime(60 * 60_000)
    expect(signs - before).toBeLessThanOrEqual(1)
    stop()
  })
})
