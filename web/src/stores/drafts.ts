import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api, ApiError } from '@/api/client'
import type { DraftDoc } from '@/api/types'
import { draftDB } from './draftdb'
import { useMe } from './me'

export type SaveState = 'saved' | 'dirty' | 'saving' | 'local'
const LOCAL_MS = 250 // to this computer, so a crash loses at most a word
export const SERVER_MS = 2000 // to the server, so a change of desk loses nothing

interface Entry {
  local: number
  remote: number
  busy: boolean
  again: boolean
}

/** Decimal and time-ordered like every id of the platform, but made here so a draft has a name before any answer. */
export function newDraftID(now = Date.now()): string {
  const tail = crypto.getRandomValues(new Uint16Array(1))[0] % 10000
  return `${now}${String(tail).padStart(4, '0')}`
}

/** Newest copy of each draft wins, whichever side it was saved on. */
export function mergeDrafts(a: DraftDoc[], b: DraftDoc[]): DraftDoc[] {
  const byID = new Map<string, DraftDoc>()
  for (const d of [...a, ...b]) {
    const had = byID.get(d.id)
    if (!had || Date.parse(d.updated_at) > Date.parse(had.updated_at)) byID.set(d.id, d)
  }
  return [...byID.values()].sort((x, y) => Date.parse(y.updated_at) - Date.parse(x.updated_at))
}

/**
 * useDrafts keeps unfinished tickets: every change goes to IndexedDB at once and to the server 2 s later. A draft is
 * made by create, changed through touch, and ends in discard when its ticket exists or the person throws it away.
 */
export const useDrafts = defineStore('drafts', () => {
  const drafts = ref<DraftDoc[]>([])
  const state = ref<Record<string, SaveState>>({})
  const savedAt = ref<Record<string, string>>({})
  const entries = new Map<string, Entry>()
  let read = false
  let loaded = '' // whose drafts these are

  const owner = () => useMe().account?.id ?? ''

  /** Reads the drafts of whoever sits here; those of the person before leave the screen and stay on their two places. */
  async function load(): Promise<void> {
    if (read && loaded === owner()) return
    if (read) clear()
    read = true
    loaded = owner()
    const [local, remote] = await Promise.all([
      draftDB.list(owner()).catch(() => []),
      api.get<{ items: DraftDoc[] }>('/drafts').then((r) => r.items ?? []).catch(() => []),
    ])
    const known = new Set(drafts.value.map((d) => d.id))
    drafts.value = drafts.value.concat(mergeDrafts(local, remote).filter((d) => !known.has(d.id)))
    for (const d of drafts.value) {
      const server = remote.find((r) => r.id === d.id)
      const same = server && server.updated_at === d.updated_at
      state.value[d.id] ??= same ? 'saved' : 'local'
      savedAt.value[d.id] ??= d.updated_at
      if (!same) void push(d.id)
    }
  }

  function get(id: string): DraftDoc | undefined {
    return drafts.value.find((d) => d.id === id)
  }

  function create<T>(title: string, body: T, id = newDraftID()): DraftDoc<T> {
    const doc: DraftDoc<T> = { id, title, updated_at: new Date().toISOString(), body }
    drafts.value.unshift(doc as DraftDoc)
    state.value[doc.id] = 'saved'
    return doc
  }

  function entry(id: string): Entry {
    let e = entries.get(id)
    if (!e) entries.set(id, (e = { local: 0, remote: 0, busy: false, again: false }))
    return e
  }

  /** Says that a draft changed; the copy is taken when it is written, so typing costs nothing. */
  function touch(id: string, title?: string) {
    const doc = get(id)
    if (!doc) return
    if (title) doc.title = title
    doc.updated_at = new Date().toISOString()
    state.value[id] = 'dirty'
    const e = entry(id)
    window.clearTimeout(e.local)
    e.local = window.setTimeout(() => void keep(id), LOCAL_MS)
    if (!e.remote) e.remote = window.setTimeout(() => void push(id), SERVER_MS)
  }

  async function keep(id: string) {
    const doc = get(id)
    if (!doc) return
    await draftDB.put(loaded || owner(), copy(doc)).catch(() => undefined)
  }

  async function push(id: string): Promise<boolean> {
    const e = entry(id)
    window.clearTimeout(e.remote)
    e.remote = 0
    const doc = get(id)
    if (!doc) return false
    if (e.busy) {
      e.again = true
      return false
    }
    e.busy = true
    state.value[id] = 'saving'
    const stamp = doc.updated_at
    try {
      await keep(id)
      const { title, body } = copy(doc)
      await api.put(`/drafts/${id}`, { title, body })
      if (get(id)) {
        state.value[id] = doc.updated_at === stamp ? 'saved' : 'dirty'
        savedAt.value[id] = new Date().toISOString()
      }
      return true
    } catch (err) {
      if (get(id)) state.value[id] = 'local'
      const lost = err instanceof ApiError && err.status >= 400 && err.status < 500 && err.status !== 401 && err.status !== 429
      if (!lost && get(id)) e.remote = window.setTimeout(() => void push(id), 5 * SERVER_MS)
      return false
    } finally {
      e.busy = false
      if (e.again) {
        e.again = false
        void push(id)
      }
    }
  }

  /** Ctrl+S: to both places now. */
  const save = (id: string) => push(id)

  async function discard(id: string) {
    const e = entries.get(id)
    if (e) {
      window.clearTimeout(e.local)
      window.clearTimeout(e.remote)
      entries.delete(id)
    }
    drafts.value = drafts.value.filter((d) => d.id !== id)
    delete state.value[id]
    delete savedAt.value[id]
    await draftDB.remove(loaded || owner(), id).catch(() => undefined)
    await api.del(`/drafts/${id}`).catch(() => undefined)
  }

  /** On leaving: what the server has need not stay on a shared computer. */
  async function forget() {
    for (const d of drafts.value) {
      if (state.value[d.id] !== 'saved') await push(d.id)
      if (state.value[d.id] === 'saved') await draftDB.remove(loaded || owner(), d.id).catch(() => undefined)
    }
    clear()
  }

  function clear() {
    for (const e of entries.values()) {
      window.clearTimeout(e.local)
      window.clearTimeout(e.remote)
    }
    entries.clear()
    drafts.value = []
    state.value = {}
    savedAt.value = {}
    read = false
    loaded = ''
  }

  /** After a log-in in place: what the server refused meanwhile goes to it now. */
  function resume() {
    for (const d of drafts.value) if (state.value[d.id] !== 'saved') void push(d.id)
  }

  return { drafts, state, savedAt, load, resume, get, create, touch, save, discard, forget }
})

function copy(doc: DraftDoc): DraftDoc {
  return JSON.parse(JSON.stringify(doc)) as DraftDoc
}
