// The HTTP contract as types: what the server sends, nothing else. Field names are the wire's.

export type * from './ticket-types'

export interface Page<T> {
  items: T[]
  next?: string
}
export interface Named {
  id: string
  name: string
}
export interface Coded {
  code: string
  name: string
}

// ── session ──────────────────────────────────────────────────────────────────
export interface Menu {
  key: string
  label: string
  path: string
  group?: string
  count?: number
}
export interface Account {
  id: string
  username: string
  name: string
  role: string
  role_label: string
  unit: Named & { code?: string; kind?: string }
  platform: Named & { code?: string; kind?: string }
  region?: string
  region_name?: string
}
export interface Me {
  account: Account
  menus: Menu[]
  /** Operations that the server's table of routes lets this role call, beyond everyone's. */
  may: string[]
  demo: boolean
  today: string
  warnings?: string[]
  /** The coming year whose holidays are not recorded. */
  unrecorded?: number
}
export interface QueueCount {
  count: number
  overdue?: number
  capped?: boolean
}
export interface Counts {
  menus: Record<string, number>
  queues: Record<string, QueueCount>
}
export interface Login {
  token: string
  must_change?: boolean
  me: Me
}
export interface DemoAccount {
  username: string
  name: string
  unit: string
  city: string
}
export interface DemoRole {
  role: string
  label: string
  desc: string
  accounts: DemoAccount[]
}
export interface Demo {
  demo: boolean
  notice?: string
  roles?: DemoRole[]
}

// ── actions: the server says what may be done and what it needs ────────────────
export type FieldType =
  | 'text' | 'textarea' | 'radio' | 'select' | 'multiselect' | 'bool' | 'number' | 'date' | 'datetime'
  | 'unit' | 'units' | 'category' | 'region' | 'files' | 'points' | 'ticket' | 'tickets' | 'knowledge'
export interface Option {
  value: string
  label: string
  hint?: string
}
export interface Field {
  name: string
  label: string
  type: FieldType
  required?: boolean
  options?: Option[]
  default?: unknown
  hint?: string
  min?: number
  max?: number
  show_if?: { field: string; values: unknown[] }
}
export interface Action {
  name: string
  label: string
  assignment?: string
  unit_name?: string
  primary?: boolean
  danger?: boolean
  key?: string
  help?: string
  fields?: Field[]
}
/** What is this role's own and a rule forbids now. */
export interface Barred {
  label: string
  why: string
}
export interface ActionResult {
  id: string
  number: string
  version: number
  status: string
  status_label: string
  message?: string
}
export interface BatchResult {
  items: { id: string; ok: boolean; detail?: string; code?: string; version?: number }[]
}
export interface Conflict {
  version: number
  status: string
  status_label: string
  changed: { at: string; actor: string; label: string }[]
}

// ── aids of intake ───────────────────────────────────────────────────────────
export interface Suggest {
  type?: { value: string; confidence?: number; level?: string; why?: string | string[] } | null
  categories?: { code: string; name: string; path?: string; confidence?: number; level?: string; why?: string | string[] }[]
  units?: { id: string; name: string; role?: string; confidence?: number; level?: string; why?: string; basis?: string }[]
  region?: { code: string; name: string; why?: string } | null
  duplicates?: {
    id: string
    number: string
    title: string
    status_label: string
    score?: number
    why?: string
    accepted_at?: string
    unit_name?: string
    /** Within one's own scope: it can be opened and urged, not only told. */
    opens?: boolean
  }[]
  emergency?: { hit?: boolean; words?: string[]; line?: string; text?: string } | null
  secret?: { hit?: boolean; words?: string[]; text?: string } | null
  redirect?: { kind: string; label: string; text: string } | null
  limit?: { text: string; due?: string; due_text?: string } | null
  title?: string
}
export interface CallerTicket {
  id: string
  number: string
  type: string
  title: string
  status_label: string
  verdict?: string
  at?: string
  /** Within one's own scope: it can be opened, not only told. */
  opens?: boolean
  /** What any seat may do to it for the citizen on its line: urge, supplement. */
  asks?: string[]
}
export interface Caller {
  profile?: { name?: string; region?: string; address?: string; tags?: string[] } | null
  history?: CallerTicket[]
  open?: CallerTicket[]
  /** 来电 of the number within 30 days, the one that is up included. */
  calls?: number
}
export interface DraftDoc<T = unknown> {
  id: string
  title: string
  updated_at: string
  body: T
}
export interface Meta {
  types: Option[]
  statuses: Option[]
  invalid_reasons: Option[]
  urgencies: Option[]
  secrecies: Option[]
  channels: Option[]
  labels: Option[]
  return_reasons: Option[]
  suspend_reasons: Option[]
  close_modes: Option[]
  satisfactions: Option[]
  dissatisfactions: Option[]
  redirect_kinds: Option[]
  lines: { number: string; name: string; mode?: string }[]
  phrases: { step: string; text: string }[]
  reveal_reasons: Option[]
}
export interface Region {
  code: string
  name: string
  level?: number
  initials?: string
  path?: string
}
export interface Category {
  code: string
  name: string
  level?: number
  path?: string
  definition?: string
  example?: string
  duty?: string
  lowest?: string
  limit?: string
  children?: Category[]
}
export interface Unit {
  id: string
  code?: string
  name: string
  kind?: string
  region?: string
  parent?: string
  path?: string
  responsibilities?: string
}
export interface KnowledgeHit {
  id: string
  title: string
  snippet?: string
  source?: string
  unit_name?: string
  region_name?: string
  valid_to?: string
  public?: boolean
  score?: number
  expiring?: boolean
}
