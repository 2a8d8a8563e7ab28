import { computed, ref, shallowRef } from 'vue'
import { ApiError, errorText } from '@/api/client'
import type { Page } from '@/api/types'

const MOST = 200 // rows the server gives in one page

/** ListState is what a list shows besides its rows. */
export type ListState = 'loading' | 'ready' | 'empty' | 'error' | 'forbidden'

/**
 * useList reads a keyset list: `load` starts over, `more` appends the next page, `refresh` re-reads as many
 * rows as are shown without emptying the screen. A late answer of an abandoned request is dropped.
 */
export function useList<T extends { id: string }>(fetchPage: (cursor: string, limit: number) => Promise<Page<T>>, limit = 50) {
  const items = shallowRef<T[]>([])
  const next = ref('')
  const state = ref<ListState>('loading')
  const error = ref('')
  const busy = ref(false)
  let turn = 0

  function fail(err: unknown, keep: boolean) {
    error.value = errorText(err)
    if (keep) return
    items.value = []
    next.value = ''
    state.value = err instanceof ApiError && err.forbidden ? 'forbidden' : 'error'
  }

  async function load() {
    const mine = ++turn
    busy.value = true
    state.value = 'loading'
    try {
      const page = await fetchPage('', limit)
      if (mine !== turn) return
      items.value = page.items
      next.value = page.next ?? ''
      error.value = ''
      state.value = page.items.length ? 'ready' : 'empty'
    } catch (err) {
      if (mine === turn && (err as Error).name !== 'AbortError') fail(err, false)
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  /** Reads again as many rows as are shown, in pages the server allows, and swaps them in at once. */
  async function refresh() {
    const mine = ++turn
    const want = Math.max(limit, Math.min(1000, items.value.length))
    busy.value = true
    try {
      let rows: T[] = []
      let cursor = ''
      do {
        const page = await fetchPage(cursor, Math.min(MOST, want - rows.length))
        if (mine !== turn) return
        rows = rows.concat(page.items)
        cursor = page.next ?? ''
      } while (cursor && rows.length < want)
      items.value = rows
      next.value = cursor
      error.value = ''
      state.value = rows.length ? 'ready' : 'empty'
    } catch (err) {
      if (mine === turn && (err as Error).name !== 'AbortError') fail(err, items.value.length > 0)
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  async function more() {
    if (!next.value || busy.value) return
    const mine = ++turn
    busy.value = true
    try {
      const page = await fetchPage(next.value, limit)
      if (mine !== turn) return
      const seen = new Set(items.value.map((i) => i.id))
      items.value = items.value.concat(page.items.filter((i) => !seen.has(i.id)))
      next.value = page.next ?? ''
      error.value = ''
    } catch (err) {
      if (mine === turn) error.value = errorText(err)
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  return { items, next, state, error, busy, hasMore: computed(() => next.value !== ''), load, refresh, more }
}

/** bind hands a list to a GridTable. */
export const bind = (list: { state: { value: ListState }; error: { value: string }; hasMore: { value: boolean }; busy: { value: boolean } }) => ({
  state: list.state.value, error: list.error.value, hasMore: list.hasMore.value, busy: list.busy.value,
})
