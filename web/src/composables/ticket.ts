import { ref, shallowRef, watch, type Ref } from 'vue'
import { ApiError, errorText } from '@/api/client'
import { tickets } from '@/api/tickets'
import type { Assignment, Attachment, Ticket } from '@/api/types'
import { useChanges } from '@/stores/live'
import type { ListState } from './list'

/** Splits attachments by who added them: the units that handle, or those before them (the citizen, the desk). */
export function evidenceOf(t: Ticket): { intake: Attachment[]; handling: Attachment[] } {
  const units = new Set((t.assignments ?? []).map((a) => a.unit.name))
  const handling = (t.attachments ?? []).filter((a) => units.has(a.stage ?? '') || /办理|答复/.test(a.stage ?? ''))
  return { handling, intake: (t.attachments ?? []).filter((a) => !handling.includes(a)) }
}

/** A reply that its own unit has not passed yet; the unit's verdict begins only after that. */
export function pendingReply(t: Ticket): Assignment | undefined {
  const waiting = (t.assignments ?? []).filter((a) => a.state === 'to_review' && a.reply)
  return waiting.find((a) => a.mine) ?? waiting.find((a) => a.role === '主办')
}

/**
 * useTicket reads the ticket an id points to and keeps it fresh: while ↑↓ run through a list only the row that is
 * rested on is read, and a live change of the same ticket is read again in place.
 */
export function useTicket(id: Ref<string>, delay = 0) {
  const ticket = shallowRef<Ticket | null>(null)
  const state = ref<ListState>('loading')
  const error = ref('')
  let abort: AbortController | null = null
  let timer = 0

  async function read(keep: boolean) {
    abort?.abort()
    const own = (abort = new AbortController())
    const want = id.value
    if (!want) {
      ticket.value = null
      state.value = 'empty'
      return
    }
    if (!keep && ticket.value?.id !== want) state.value = ticket.value ? state.value : 'loading'
    try {
      const t = await tickets.get(want, own.signal)
      if (abort !== own) return
      ticket.value = t
      state.value = 'ready'
      error.value = ''
    } catch (err) {
      if (abort !== own || (err as Error).name === 'AbortError') return
      // Handed on: what is still shown could no longer be worked.
      const gone = keep && err instanceof ApiError && err.status === 404
      if (keep && !gone && ticket.value?.id === want) return
      ticket.value = null
      error.value = gone ? '这件工单已转到下一环节，不再由您办理。' : errorText(err)
      state.value = gone || (err instanceof ApiError && err.forbidden) ? 'forbidden' : 'error'
    }
  }

  watch(
    id,
    (now, before) => {
      window.clearTimeout(timer)
      if (before && now && delay) timer = window.setTimeout(() => void read(false), delay)
      else void read(false)
    },
    { immediate: true },
  )
  useChanges(['ticket'], (changes) => {
    const t = ticket.value
    if (t && changes.some((c) => c.topic === 'reconnected' || (c.id === t.id && (c.version ?? Infinity) > t.version))) void read(true)
  }, 300)

  return { ticket, state, error, reload: () => read(true), retry: () => read(false) }
}
