import { ref, shallowRef } from 'vue'
import { ApiError, errorText } from '@/api/client'

export type ReadState = 'loading' | 'ready' | 'error' | 'forbidden'

/**
 * useRead holds one answer of the server and how its reading went. `load` starts over, `refresh` re-reads behind
 * what is shown; an answer that was overtaken by a later request is dropped.
 */
export function useRead<T>(fetch: () => Promise<T>) {
  const data = shallowRef<T>()
  const state = ref<ReadState>('loading')
  const error = ref('')
  const busy = ref(false)
  let turn = 0

  async function run(keep: boolean) {
    const mine = ++turn
    busy.value = true
    if (!keep) state.value = 'loading'
    try {
      const read = await fetch()
      if (mine !== turn) return
      data.value = read
      error.value = ''
      state.value = 'ready'
    } catch (err) {
      if (mine !== turn) return
      error.value = errorText(err)
      if (keep && data.value !== undefined) return
      state.value = err instanceof ApiError && err.forbidden ? 'forbidden' : 'error'
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  return { data, state, error, busy, load: () => run(false), refresh: () => run(true) }
}

/** inApp turns an address of the server (`/console/search?…`) into one of the router. */
export function inApp(path?: string): string {
  if (!path) return ''
  const own = path.replace(/^\/console(?=[/?]|$)/, '') || '/'
  // The server names the list of tickets by its resource; the page for it is 工单查询.
  return own.replace(/^\/tickets(?=\?|$)/, '/search')
}
