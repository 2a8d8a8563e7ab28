import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/client'
import { useList } from './list'

const row = (id: string) => ({ id })

describe('分页列表', () => {
  it('加载更多接在后面，不重复', async () => {
    const pages: Record<string, { items: { id: string }[]; next: string }> = {
      '': { items: [row('1'), row('2')], next: 'a' },
      a: { items: [row('2'), row('3')], next: '' },
    }
    const list = useList(async (cursor: string) => pages[cursor])
    await list.load()
    await list.more()
    expect(list.items.value.map((r) => r.id)).toEqual(['1', '2', '3'])
    expect(list.hasMore.value).toBe(false)
  })

  it('后问的先答：旧的答案作废', async () => {
    const waits: ((v: { items: { id: string }[] }) => void)[] = []
    const list = useList(() => new Promise<{ items: { id: string }[] }>((ok) => waits.push(ok)))
    const first = list.load()
    const second = list.load()
    waits[1]({ items: [row('new')] })
    await second
    waits[0]({ items: [row('old')] })
    await first
    expect(list.items.value[0].id).toBe('new')
  })

  it('四种状态各有说法', async () => {
    let answer: () => unknown = () => ({ items: [] })
    const list = useList(async () => answer() as { items: { id: string }[] })
    await list.load()
    expect(list.state.value).toBe('empty')
    answer = () => {
      throw new ApiError(403, { detail: '座席不能看派单队列。' })
    }
    await list.load()
    expect([list.state.value, list.error.value]).toEqual(['forbidden', '座席不能看派单队列。'])
    answer = () => {
      throw new ApiError(500, {})
    }
    await list.load()
    expect(list.state.value).toBe('error')
    answer = () => ({ items: [row('1')] })
    await list.load()
    expect(list.state.value).toBe('ready')
  })

  it('刷新失败时留住已有内容', async () => {
    let fail = false
    const list = useList(async () => {
      if (fail) throw new ApiError(500, {})
      return { items: [row('1')] }
    })
    await list.load()
    fail = true
    await list.refresh()
    expect(list.state.value).toBe('ready')
    expect(list.items.value).toHaveLength(1)
    expect(list.error.value).not.toBe('')
  })
})
