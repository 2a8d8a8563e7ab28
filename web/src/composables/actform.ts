import type { Action, Field, Ticket } from '@/api/types'

// The logic of a form that the server describes: what is shown, what is missing, what is sent. No component here.

export type Values = Record<string, unknown>

const LISTS = new Set(['multiselect', 'units', 'files', 'tickets', 'points'])

function emptyOf(field: Field): unknown {
  if (LISTS.has(field.type)) return []
  if (field.type === 'bool') return false
  if (field.type === 'number') return undefined
  return ''
}

/** A default may come as an id, or as {id,name} / {code,name} / {value,label}. */
function idOf(value: unknown): unknown {
  if (value && typeof value === 'object' && !Array.isArray(value)) {
    const o = value as Record<string, unknown>
    return o.id ?? o.code ?? o.value ?? value
  }
  return value
}

export function initialValues(fields: Field[]): Values {
  const values: Values = {}
  for (const f of fields) {
    const d = f.default
    if (d === undefined || d === null || d === '') values[f.name] = emptyOf(f)
    else if (f.type === 'points') values[f.name] = d
    else values[f.name] = Array.isArray(d) ? d.map(idOf) : idOf(d)
  }
  return values
}

/** 逐项答复: each 诉求点 gets its own answer, unlike acts that only choose some of them. */
export function answersPoints(field: Field): boolean {
  return field.type === 'points' && Boolean(field.options?.length) && /result|answer|reply/.test(field.name)
}
interface PointAnswer {
  no?: number | string
  text?: string
  result?: string
}

export function isShown(field: Field, values: Values, fields: Field[]): boolean {
  const cond = field.show_if
  if (!cond) return true
  const parent = fields.find((f) => f.name === cond.field)
  if (parent && !isShown(parent, values, fields)) return false
  const value = values[cond.field]
  const wanted = cond.values.map(String)
  if (Array.isArray(value)) return value.some((v) => wanted.includes(String(v)))
  return wanted.includes(String(value ?? ''))
}

function isEmpty(field: Field, value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (typeof value === 'string') return value.trim() === ''
  if (Array.isArray(value)) {
    if (answersPoints(field)) return !value.some((p) => (p as PointAnswer).result?.trim())
    if (field.type === 'points' && !field.options?.length) return !value.some((p) => (p as PointAnswer).text?.trim())
    return value.length === 0
  }
  return false
}

/** What is wrong with each shown field, in words; empty when the form may be sent. */
export function problems(fields: Field[], values: Values): Record<string, string> {
  const out: Record<string, string> = {}
  for (const f of fields) {
    if (!isShown(f, values, fields)) continue
    const v = values[f.name]
    if (isEmpty(f, v)) {
      if (f.required && f.type !== 'bool') out[f.name] = `请${CHOOSE.has(f.type) ? '选择' : '填写'}${f.label}。`
      continue
    }
    if (typeof v === 'string' && (f.type === 'text' || f.type === 'textarea')) {
      const n = [...v.trim()].length
      if (f.min && n < f.min) out[f.name] = `${f.label}至少${f.min}个字，现在${n}个字。`
      else if (f.max && n > f.max) out[f.name] = `${f.label}最多${f.max}个字，现在${n}个字。`
    }
    if (f.type === 'number') {
      const n = Number(v)
      if (f.min !== undefined && n < f.min) out[f.name] = `${f.label}不小于${f.min}。`
      else if (f.max !== undefined && n > f.max) out[f.name] = `${f.label}不大于${f.max}。`
    }
  }
  return out
}
const CHOOSE = new Set(['radio', 'select', 'multiselect', 'date', 'datetime', 'unit', 'units', 'category', 'region', 'ticket', 'tickets', 'knowledge'])

/** What is sent: the shown fields that hold something; a hidden branch never leaks into the request. */
export function payload(fields: Field[], values: Values): Values {
  const out: Values = {}
  for (const f of fields) {
    if (!isShown(f, values, fields)) continue
    const v = values[f.name]
    if (f.type === 'bool') out[f.name] = Boolean(v)
    else if (isEmpty(f, v)) continue
    else if (answersPoints(f)) out[f.name] = (v as PointAnswer[]).filter((p) => p.result?.trim()).map((p) => ({ no: Number(p.no), result: p.result!.trim() }))
    else if (f.type === 'points' && !f.options?.length) out[f.name] = (v as PointAnswer[]).filter((p) => p.text?.trim())
    else out[f.name] = typeof v === 'string' ? v.trim() : v
  }
  return out
}

/** Names for ids that a form may show before anyone searched: units, places and matters of the ticket itself. */
export function namesOf(ticket: Partial<Ticket> | null | undefined): Record<string, string> {
  const names: Record<string, string> = {}
  const put = (id?: string | null, name?: string | null) => {
    if (id && name) names[id] = name
  }
  if (!ticket) return names
  put(ticket.suggestion?.unit, ticket.suggestion?.unit_name)
  put(ticket.region?.code, ticket.region?.name)
  put(ticket.category?.code, ticket.category?.path || ticket.category?.name)
  for (const a of ticket.assignments ?? []) put(a.unit.id, a.unit.name)
  for (const r of ticket.related ?? []) put(r.id, `${r.number} ${r.title}`)
  for (const k of ticket.knowledge ?? []) put(k.id, k.title)
  return names
}

export function defaultNames(fields: Field[]): Record<string, string> {
  const names: Record<string, string> = {}
  for (const f of fields) {
    const list = Array.isArray(f.default) ? f.default : [f.default]
    for (const d of list) {
      if (!d || typeof d !== 'object') continue
      const o = d as Record<string, string>
      const id = o.id ?? o.code ?? o.value
      const name = o.name ?? o.label ?? o.title
      if (id && name) names[id] = name
    }
    for (const o of f.options ?? []) names[o.value] ??= o.label
  }
  return names
}

/** Acts with nothing to say and nothing to lose run at the first click: 签收. */
export function runsAtOnce(action: Action): boolean {
  return !action.danger && !(action.fields ?? []).length
}

/** Splits what the server offers into the few buttons shown and the rest under 更多. */
export function arrange(actions: Action[], room: number): { shown: Action[]; rest: Action[] } {
  const order = [...actions].sort((a, b) => Number(Boolean(b.primary)) - Number(Boolean(a.primary)) || Number(Boolean(a.danger)) - Number(Boolean(b.danger)))
  if (order.length <= room) return { shown: order, rest: [] }
  const primaries = order.filter((a) => a.primary).length
  const n = Math.max(Math.min(room - 1, order.length), Math.min(1, primaries))
  return { shown: order.slice(0, n), rest: order.slice(n) }
}
