import { ref, shallowRef } from 'vue'
import { ApiError, errorText, newKey } from '@/api/client'
import { FREE_ACTIONS, tickets } from '@/api/tickets'
import type { Action, ActionResult, BatchResult, Conflict, Ticket } from '@/api/types'
import { runsAtOnce, type Values } from './actform'
import { toast } from './toast'

/** What an act is done to: the ticket, the version that was looked at, and which 承办 it means. */
export interface Target {
  id: string
  version: number
  number?: string
  title?: string
  assignment?: string
}

/** One attempt: kept with its key, so pressing twice or retrying a lost answer has one effect. */
export interface Attempt {
  body: string
  key: string
}

/** Reuses the key while the body stays the same; a changed body is another intention. */
export function attemptFor(body: unknown, last: Attempt | null): Attempt {
  const text = JSON.stringify(body)
  return last && last.body === text ? last : { body: text, key: newKey() }
}

export type Outcome =
  | { ok: true; message: string; result: ActionResult }
  | { ok: false; detail: string; errors: { name: string; detail: string }[]; conflict?: Conflict }

export async function runAct(target: Target, action: Action, values: Values, attempt: Attempt): Promise<Outcome> {
  const assignment = action.assignment ?? target.assignment
  const body = assignment ? { ...values, assignment } : values
  try {
    const result = await tickets.act(target.id, action.name, body, FREE_ACTIONS.has(action.name) ? undefined : target.version, attempt.key)
    return { ok: true, message: result.message || `${action.label}成功，当前状态：${result.status_label}。`, result }
  } catch (err) {
    const e = err instanceof ApiError ? err : null
    return { ok: false, detail: errorText(err), errors: e?.errors ?? [], conflict: e?.conflict ? (e.data as Conflict | undefined) : undefined }
  }
}

export function batchSummary(label: string, res: BatchResult): { done: number; failed: { id: string; detail: string }[]; text: string } {
  const failed = res.items.filter((i) => !i.ok).map((i) => ({ id: i.id, detail: i.detail || '未成功' }))
  const done = res.items.length - failed.length
  return { done, failed, text: failed.length ? `${label}：成功${done}件，未成功${failed.length}件。` : `${label}：${done}件全部成功。` }
}

/**
 * useActs is what a page with actions holds: which dialog is open and on what. `start` runs a bare act at once
 * and opens the dialog for the rest; `onDone` re-reads what changed.
 */
export function useActs(onDone: (result: ActionResult | null, action: Action) => void) {
  const action = shallowRef<Action | null>(null)
  const ticket = shallowRef<Ticket | null>(null)
  const targets = shallowRef<Target[]>([])
  const preset = shallowRef<Values>({})
  const open = ref(false)
  const busy = ref('')
  let last: Attempt | null = null

  async function start(a: Action, t: Ticket, values: Values = {}) {
    if (runsAtOnce(a)) {
      if (busy.value) return
      busy.value = a.name
      const target = { id: t.id, version: t.version, assignment: a.assignment }
      last = attemptFor([t.id, t.version, a.name, a.assignment], last)
      const outcome = await runAct(target, a, {}, last)
      busy.value = ''
      if (outcome.ok) toast.ok(outcome.message)
      else toast.error(outcome.conflict ? `${outcome.detail}已为您载入最新内容。` : outcome.detail)
      onDone(outcome.ok ? outcome.result : null, a)
      return
    }
    action.value = a
    ticket.value = t
    targets.value = [{ id: t.id, version: t.version, number: t.number, title: t.title, assignment: a.assignment }]
    preset.value = values
    open.value = true
  }

  function startBatch(a: Action, list: Target[], values: Values = {}) {
    action.value = a
    ticket.value = null
    targets.value = list
    preset.value = values
    open.value = true
  }

  function done(result: ActionResult | null) {
    if (action.value) onDone(result, action.value)
  }

  return { action, ticket, targets, preset, open, busy, start, startBatch, done }
}
