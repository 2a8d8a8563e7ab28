import { defineStore } from 'pinia'
import { onActivated, onBeforeUnmount, onDeactivated, ref } from 'vue'
import { api, ApiError } from '@/api/client'

export interface Change {
  topic: string
  id?: string
  version?: number
}
type Listener = (change: Change) => void

/** Splits a growing text into finished SSE events; returns the unfinished rest. */
export function parseEvents(buffer: string): { events: { event: string; data: string }[]; rest: string } {
  const blocks = buffer.replace(/\r\n/g, '\n').split('\n\n')
  const rest = blocks.pop() ?? ''
  const events = []
  for (const block of blocks) {
    let event = 'message'
    const data: string[] = []
    for (const line of block.split('\n')) {
      if (line.startsWith('event:')) event = line.slice(6).trim()
      else if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
    }
    if (data.length) events.push({ event, data: data.join('\n') })
  }
  return { events, rest }
}

const SILENCE_MS = 40_000 // the server sends a keepalive each 15 s

/**
 * useLive holds the tab's one event stream. It is read with fetch, not EventSource, because a tab may carry
 * its own token. Events name what changed; the listener fetches through its own scope.
 */
export const useLive = defineStore('live', () => {
  const state = ref<'off' | 'connecting' | 'online' | 'lost'>('off')
  const listeners = new Set<Listener>()
  let abort: AbortController | null = null
  let timer = 0
  let watchdog = 0
  let tries = 0

  function emit(change: Change) {
    for (const fn of listeners) fn(change)
  }

  function feed(text: string) {
    const { events, rest } = parseEvents(text)
    for (const e of events) {
      try {
        emit(JSON.parse(e.data) as Change)
      } catch {
        // A line that is not ours cannot change anything.
      }
    }
    return rest
  }

  function guard() {
    window.clearTimeout(watchdog)
    watchdog = window.setTimeout(() => abort?.abort(), SILENCE_MS)
  }

  async function run(signal: AbortSignal) {
    const res = await api.stream('/events', { signal })
    const reader = res.body!.getReader()
    const decoder = new TextDecoder()
    const returned = tries > 0
    tries = 0
    state.value = 'online'
    if (returned) emit({ topic: 'reconnected' })
    let buffer = ''
    guard()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      guard()
      buffer = feed(buffer + decoder.decode(value, { stream: true }))
    }
  }

  async function connect() {
    disconnect()
    const own = new AbortController()
    abort = own
    state.value = tries ? 'lost' : 'connecting'
    try {
      await run(own.signal)
    } catch (err) {
      if (err instanceof ApiError && (err.status === 401 || err.status === 403)) {
        if (abort === own) state.value = 'off'
        return
      }
    }
    if (abort !== own) return
    tries++
    state.value = 'lost'
    const wait = Math.min(15_000, 500 * 2 ** Math.min(tries, 5)) * (0.7 + Math.random() * 0.6)
    timer = window.setTimeout(connect, wait)
  }

  function disconnect() {
    window.clearTimeout(timer)
    window.clearTimeout(watchdog)
    const old = abort
    abort = null
    old?.abort()
    state.value = 'off'
  }

  function on(fn: Listener): () => void {
    listeners.add(fn)
    return () => listeners.delete(fn)
  }

  return { state, connect, disconnect, on, emit }
})

/**
 * useChanges calls fn when one of the topics changed, at most once per `wait` ms, while the component is shown.
 * A regained connection counts as a change of everything.
 */
export function useChanges(topics: string[], fn: (changes: Change[]) => void, wait = 800) {
  const live = useLive()
  let pending: Change[] = []
  let timer = 0
  let off: (() => void) | null = null
  const start = () => {
    off?.()
    off = live.on((c) => {
      if (c.topic !== 'reconnected' && !topics.includes(c.topic)) return
      pending.push(c)
      if (timer) return
      timer = window.setTimeout(() => {
        timer = 0
        const batch = pending
        pending = []
        fn(batch)
      }, wait)
    })
  }
  const stop = () => {
    off?.()
    off = null
    window.clearTimeout(timer)
    timer = 0
    pending = []
  }
  start()
  onActivated(start)
  onDeactivated(stop)
  onBeforeUnmount(stop)
}
