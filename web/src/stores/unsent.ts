import type { Field } from '@/api/types'
import type { Values } from '@/composables/actform'
import { draftDB } from './draftdb'

// 未提交的内容: what was written into the form of an act and not sent. It stays on this computer, for the account that
// wrote it, until it is sent, thrown away, the person logs out, or three days are over.

const KEEP_MS = 3 * 24 * 3600 * 1000
const owner = (account: string) => `${account}/act`

/** Choices that need more than their value to be shown again (a unit's name, an uploaded file) are made anew. */
const KEPT = new Set(['text', 'textarea', 'radio', 'select', 'multiselect', 'bool', 'number', 'date', 'datetime', 'points'])
const WRITTEN = new Set(['text', 'textarea', 'points'])

/** The labels (密级) whose unsent words may stay on a computer: of a sealed ticket, or one of which nothing is known, nothing does. */
const OPEN = new Set(['normal', 'confidential'])
export const mayKeep = (label?: string) => OPEN.has(label ?? '')

/** What of a form is worth keeping: null until something was written that the form did not begin with. */
export function worthKeeping(fields: Field[], values: Values, initial: Values): Values | null {
  const changed = (f: Field) => JSON.stringify(values[f.name] ?? null) !== JSON.stringify(initial[f.name] ?? null)
  if (!fields.some((f) => WRITTEN.has(f.type) && changed(f))) return null
  const kept = fields.filter((f) => KEPT.has(f.type) && changed(f))
  return JSON.parse(JSON.stringify(Object.fromEntries(kept.map((f) => [f.name, values[f.name]])))) as Values
}

/** The part of what was kept that the form of today still asks for. */
export function stillAsked(fields: Field[], kept: Values): Values {
  const fits = (f: Field, v: unknown) => !f.options?.length || f.type === 'points' || [v].flat().every((x) => f.options!.some((o) => String(o.value) === String(x)))
  return Object.fromEntries(fields.filter((f) => f.name in kept && KEPT.has(f.type) && fits(f, kept[f.name])).map((f) => [f.name, kept[f.name]]))
}

export const unsent = {
  async read(account: string, key: string): Promise<Values | null> {
    const all = await draftDB.list(owner(account)).catch(() => [])
    const old = all.filter((d) => Date.now() - Date.parse(d.updated_at) > KEEP_MS)
    for (const d of old) void unsent.drop(account, d.id)
    return (all.find((d) => d.id === key && !old.includes(d))?.body as Values | undefined) ?? null
  },
  async keep(account: string, key: string, values: Values): Promise<void> {
    await draftDB.put(owner(account), { id: key, title: '', updated_at: new Date().toISOString(), body: values }).catch(() => undefined)
  },
  async drop(account: string, key: string): Promise<void> {
    await draftDB.remove(owner(account), key).catch(() => undefined)
  },
  async forget(account: string): Promise<void> {
    for (const d of await draftDB.list(owner(account)).catch(() => [])) await unsent.drop(account, d.id)
  },
}
