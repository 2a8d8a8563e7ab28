import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import type { CallerTicket } from '@/api/types'

/** A tab of the 座席工作台: a draft being written or a ticket being looked at. */
export interface DeskTab {
  key: string
  kind: 'draft' | 'ticket'
  id: string
  title: string
}

const KEY = 'hotline.desk.tabs'

function restore(): { tabs: DeskTab[]; current: string } {
  try {
    const read = JSON.parse(sessionStorage.getItem(KEY) ?? '') as { tabs: DeskTab[]; current: string }
    return { tabs: read.tabs ?? [], current: read.current ?? '' }
  } catch {
    return { tabs: [], current: '' }
  }
}

/** useTabs keeps the desk's open tabs through reloads of this browser tab. */
export const useTabs = defineStore('tabs', () => {
  const saved = restore()
  const tabs = ref<DeskTab[]>(saved.tabs)
  const current = ref(saved.current)
  /** What the screen pop asked the desk to do to a ticket of the caller. */
  const asked = ref<{ t: CallerTicket; what: 'urge' | 'note'; call: string } | null>(null)

  watch([tabs, current], () => sessionStorage.setItem(KEY, JSON.stringify({ tabs: tabs.value, current: current.value })), {
    deep: true,
  })

  function open(tab: Omit<DeskTab, 'key'>) {
    const key = `${tab.kind}:${tab.id}`
    const had = tabs.value.find((t) => t.key === key)
    if (had) had.title = tab.title
    else tabs.value.push({ ...tab, key })
    current.value = key
  }

  function close(key: string) {
    const i = tabs.value.findIndex((t) => t.key === key)
    if (i < 0) return
    tabs.value.splice(i, 1)
    if (current.value === key) current.value = tabs.value[Math.min(i, tabs.value.length - 1)]?.key ?? ''
  }

  function step(by: number) {
    if (!tabs.value.length) return
    const i = tabs.value.findIndex((t) => t.key === current.value)
    current.value = tabs.value[(i + by + tabs.value.length) % tabs.value.length].key
  }

  function rename(key: string, title: string) {
    const tab = tabs.value.find((t) => t.key === key)
    if (tab && tab.title !== title) tab.title = title
  }

  function reset() {
    tabs.value = []
    current.value = ''
  }

  return { tabs, current, open, close, step, rename, reset, asked }
})
