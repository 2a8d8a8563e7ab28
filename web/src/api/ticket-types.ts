// The HTTP contract of tickets as types; what intake and the rest use is in types.ts.

import type { Action, Barred, Coded, Named, QueueCount } from './types'

export type Light = 'green' | 'yellow' | 'red' | 'none'
export interface Queue extends QueueCount {
  queue: string
  label: string
}
export interface Suggestion {
  unit: string
  unit_name: string
  confidence?: number
  level: string
  why?: string
  basis?: string
}
export interface TicketRow {
  id: string
  number: string
  type: string
  title: string
  content?: string
  category?: string
  category_name?: string
  region?: string
  region_name?: string
  unit?: Named | null
  suggestion?: Suggestion | null
  status: string
  status_label: string
  assignment?: string
  role?: string
  state?: string
  state_label?: string
  urgency: string
  label: string
  channel?: string
  line?: string
  line_name?: string
  centre?: string
  leg?: number
  similar?: number
  due?: string
  due_text?: string
  light: Light
  accepted_at: string
  version: number
  flags?: string[]
  requester?: string
  phone?: string
}
export interface Assignment {
  id: string
  parent?: string
  leg?: number
  depth?: number
  unit: Named & { kind?: string }
  role: string
  state: string
  state_label: string
  handler?: string
  created_at?: string
  signed_at?: string
  contacted_at?: string
  replied_at?: string
  due?: string
  due_text?: string
  light?: Light
  extensions?: number
  returns?: number
  points?: number[]
  reply?: string
  owner_platform?: string
  mine?: boolean
}
export interface Clock {
  kind: string
  label: string
  assignment?: string
  unit?: string
  started_at?: string
  due?: string
  due_text?: string
  light?: Light
  stage?: string
  state: string
  basis?: string
}
export interface Verdict {
  unit?: {
    mode?: string
    mode_label?: string
    solved?: boolean | string
    true?: boolean | string
    beyond?: boolean
    reason?: string
    text?: string
    public_text?: string
    at?: string
    by?: string
  } | null
  citizen?: {
    solved?: boolean | string
    satisfaction?: string
    satisfaction_label?: string
    reasons?: string[]
    text?: string
    way?: string
    at?: string
  } | null
  auditor?: { result?: string; text?: string; at?: string; by?: string } | null
}
export interface Attachment {
  id: string
  name: string
  kind: string
  size: number
  at?: string
  by?: string
  stage?: string
}
export interface Point {
  no: number
  text: string
  state?: string
  unit?: string
  result?: string
}
export interface Ticket {
  id: string
  number: string
  version: number
  status: string
  status_label: string
  type: string
  title: string
  content: string
  content_masked?: boolean
  category?: Coded & { path?: string }
  region?: Coded
  address?: string
  object?: string
  requester: {
    kind?: string
    name?: string
    phone?: string
    company?: string
    special?: string[]
    revealable?: string[]
    hidden?: boolean
  }
  secrecy?: string
  secrecy_label?: string
  label: string
  label_name?: string
  urgency: string
  nature?: string
  channel?: string
  channel_label?: string
  line?: string
  line_name?: string
  points?: Point[]
  platform?: Named
  owner?: { unit?: string; name?: string }
  accepted_at: string
  dispatched_at?: string
  closed_at?: string
  original_at?: string
  due?: string
  due_text?: string
  light?: Light
  leg?: number
  legs?: { no: number; opened_at?: string; closed_at?: string; mode?: string; verdict?: string }[]
  assignments?: Assignment[]
  clocks?: Clock[]
  verdicts?: Verdict
  contacts?: { at: string; unit?: string; by?: string; way?: string; result?: string; note?: string }[]
  attachments?: Attachment[]
  related?: { id: string; number: string; kind: string; kind_label: string; title: string; status_label: string }[]
  knowledge?: { id: string; title: string }[]
  suggestion?: Suggestion | null
  dispatch?: { unit?: string; why?: string; basis?: string; trace?: string[] } | null
  supervision?: { id: string; no: string; level: string; state: string; due_text?: string }[]
  callbacks?: { no: number; at: string; by?: string; way?: string; outcome?: string; solved?: string; satisfaction?: string }[]
  flags?: string[]
  watermark?: string
  /** Demo: the rest of this ticket's way can be played by the system. */
  autoplay?: boolean
  actions?: Action[]
  barred?: Barred[]
}
export interface TimelineItem {
  id: string
  at: string
  kind: string
  label: string
  actor?: string
  unit?: string
  text?: string
  fields?: { label: string; value: string }[]
  public?: boolean
  leg?: number
}
export interface Viewer {
  at: string
  name: string
  unit?: string
  op: string
  fields?: string | string[]
  reason?: string
}
export interface Created {
  id: string
  number: string
  query_code?: string
  version: number
  status: string
  status_label: string
  due?: string
  due_text?: string
}

