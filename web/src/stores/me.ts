import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, ApiError, newSession, tabToken } from '@/api/client'
import type { Counts, Login, Me } from '@/api/types'

/** useMe is who sits at this tab: account, menus with counts, queue counts. */
export const useMe = defineStore('me', () => {
  const me = ref<Me | null>(null)
  /** The session ended under an open page: it stays as it is, under the log-in that Relogin asks for. */
  const lost = ref(false)
  const counts = ref<Counts>({ menus: {}, queues: {} })
  const account = computed(() => me.value?.account ?? null)
  const role = computed(() => account.value?.role ?? '')
  const allowed = computed(() => new Set(me.value?.may ?? []))
  /** Whether the server lets this role call the operation, by its name in the table of routes. */
  const may = (operation: string) => allowed.value.has(operation)
  const menus = computed(() =>
    (me.value?.menus ?? []).map((m) => ({ ...m, path: menuPath(m.path), count: counts.value.menus[m.key] ?? m.count ?? 0 })),
  )
  const home = computed(() => menus.value[0]?.path ?? '/home')

  /** Reads the session once; false when nobody is logged in. */
  async function load(): Promise<boolean> {
    if (me.value) return true
    if (!tabToken.get() && !document.cookie.includes('hotline_here=')) return false // nobody logged in here: nothing to ask
    try {
      me.value = await api.get<Me>('/me', undefined, { quiet401: true })
    } catch (err) {
      if (err instanceof ApiError && err.status === 401) return false
      throw err
    }
    void loadCounts()
    return true
  }

  async function loadCounts() {
    if (!me.value) return
    try {
      const read = await api.get<Counts>('/me/counts')
      counts.value = { menus: read.menus ?? {}, queues: read.queues ?? {} }
    } catch {
      // Counts are an aid; the lists themselves report what is wrong.
    }
  }

  function accept(login: Login) {
    newSession()
    me.value = login.me
    if (!login.must_change) lost.value = false // else Relogin stays, until the new password is there
    void loadCounts()
  }

  async function login(username: string, password: string, otp?: string): Promise<Login> {
    const read = await api.post<Login>('/login', { username, password, otp: otp || undefined }, { quiet401: true })
    tabToken.clear()
    accept(read)
    return read
  }

  /** Demo: take a role. `own` keeps the session to this tab alone, so other tabs stay who they are. */
  async function enter(target: { username: string } | { unit: string; role?: string }, own: boolean): Promise<Login> {
    const o = { quiet401: true, credentials: own ? 'omit' : 'same-origin' } as const
    const read = await api.post<Login>('/demo/enter', target, o)
    tabToken.set(read.token)
    accept(read)
    return read
  }

  async function logout() {
    try {
      await api.post('/logout', {}, { quiet401: true })
    } catch {
      // The session may already be gone; leaving always succeeds for the person.
    }
    forget()
  }

  function forget() {
    tabToken.clear()
    me.value = null
    lost.value = false
    counts.value = { menus: {}, queues: {} }
  }

  return { me, lost, account, role, may, menus, home, counts, load, loadCounts, login, enter, logout, forget }
})

/** The server may name a menu by its full address or by the part after /console. */
export function menuPath(path: string): string {
  const rest = path.replace(/^\/console(?=\/|$)/, '')
  return rest === '' ? '/' : rest
}
