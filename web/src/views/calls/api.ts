import { api, buildURL, tabToken } from '@/api/client'
import type { Page } from '@/api/types'

// The records of the telephone (话单) as the server gives them. Numbers are masked.

export interface CallRow {
  id: string
  direction: 'in' | 'out'
  number: string
  line: string
  line_name: string
  mode: string
  region_name: string
  seat: string
  seat_name: string
  unit_name: string
  ticket: string
  origin: string
  began: string
  queued: string
  answered: string
  ended: string
  wait_ms: number
  talk_ms: number
  hold_ms: number
  acw_ms: number
  result: string
  result_label: string
  flag_labels: string[]
  survey: number
  solved: string
  mos: number
}
export interface Transfer {
  id: string
  call: string
  from_name: string
  target: string
  name: string
  kind: string
  mode_label: string
  reason: string
  began: string
  ring_ms: number
  wait_ms: number
  result: string
  result_label: string
}
export interface Recording {
  rec: string
  began: string
  began_ms: number
  ms: number
  bytes: number
  sha256: string
  ready: boolean
  expired: boolean
}
export interface Utterance {
  id: string
  who: 'caller' | 'seat' | 'external'
  who_label: string
  seat_name: string
  from_ms: number
  to_ms: number
  text: string
  source: string
}
export interface TranscriptOut {
  items: Utterance[]
  clear: boolean
  may_clear: boolean
}
export interface CallDetail extends CallRow {
  ticket_number: string
  by: string
  loss: number
  jitter: number
  legs: { kind: string; party: string; seat_name: string; began: string; answered: string; ended: string; mos: number; loss: number; jitter: number }[]
  offers: { seat_name: string; reach: string; why: string; began: string; ring_ms: number; outcome: string; outcome_label: string }[]
  transfers: Transfer[]
  recordings: Recording[]
  may_listen: boolean
  holds: Hold[]
  may_hold: boolean
}
export interface CallbackRow {
  call: string
  kind: string
  kind_label: string
  line: string
  number: string
  due: string
  late: boolean
  state: string
  state_label: string
  tries: number
  made: string
  done: string
}
export interface Rates {
  connect: number | null
  connect_excluded: number | null
  in15: number | null
  in15_offered: number | null
  abandon: number | null
  abandon_long: number | null
  wait: number | null
  aht: number | null
  satisfied: number | null
  solved: number | null
}
export interface FiguresRow {
  key: string
  name: string
  offered: number
  queued: number
  answered: number
  in15: number
  abandoned: number
  short: number
  outbound: number
  reached: number
  rates: Rates
}
export interface FiguresOut {
  items: FiguresRow[]
  total: FiguresRow
  note: string
}
export interface Special {
  id: string
  number: string
  kind: string
  kind_label: string
  reason: string
  applicant: string
  approver: string
  state: string
  state_label: string
  expires: string
  made: string
  mine: boolean
}
export interface LeaderSession {
  id: string
  leader: string
  leader_name: string
  title: string
  from: string
  to: string
  state: 'planned' | 'running' | 'over' | 'cancelled'
  state_label: string
  reason: string
  cancelled_by: string
}
export interface Hold {
  call: string
  number: string
  line: string
  began: string
  reason: string
  by: string
  made: string
  lifted: string
  lifted_by: string
  lift_reason: string
}
export interface LeaderItem {
  id: string
  call: string
  ticket: string
  ticket_number: string
  state: string
  note: string
  due: string
  late: boolean
  at: string
}

type Items<T> = { items: T[] }
export const calls = {
  list: (filter: Record<string, string | undefined>, cursor: string, limit: number) => api.get<Page<CallRow> & { total: number }>('/calls', { ...filter, cursor, limit }),
  get: (id: string) => api.get<CallDetail>(`/calls/${id}`),
  transcript: (id: string, clear: boolean) => api.get<TranscriptOut>(`/calls/${id}/transcript`, { clear: clear || undefined }),
  callbacks: (state: string, from?: string) => api.get<Items<CallbackRow>>('/voice/callbacks', { state, from }),
  transfers: (kind: string, from?: string, to?: string) => api.get<Items<Transfer>>('/voice/transfers', { kind, from, to }),
  figures: (by: string, from?: string, to?: string, line?: string) => api.get<FiguresOut>('/voice/figures', { by, from, to, line }),
  exclude: (body: object) => api.post('/voice/exclusions', body),
  specials: (state: string) => api.get<Items<Special>>('/voice/special', { state }),
  addSpecial: (body: object) => api.post<Special>('/voice/special', body),
  decideSpecial: (id: string, decision: 'approve' | 'reject' | 'lift') => api.post<Special>(`/voice/special/${id}/${decision}`),
  sessions: () => api.get<Items<LeaderSession>>('/voice/leader'),
  addSession: (body: object) => api.post<LeaderSession>('/voice/leader', body),
  cancelSession: (id: string, reason: string) => api.post<LeaderSession>(`/voice/leader/${id}/cancel`, { reason }),
  holds: (all: boolean) => api.get<Items<Hold>>('/voice/holds', { all: all || undefined }),
  hold: (call: string, reason: string) => api.post<{ message: string }>(`/calls/${call}/hold`, { reason }),
  unhold: (call: string, reason: string) => api.post<{ message: string }>(`/calls/${call}/unhold`, { reason }),
  items: (session: string) => api.get<Items<LeaderItem>>(`/voice/leader/${session}/items`),
  closeItem: (id: string, note: string) => api.post<{ message: string }>(`/voice/leader/items/${id}/close`, { note }),
}

/** Where <audio> reads a recording, part by part; a tab with a token of its own fetches it whole, since <audio> carries no header. */
export async function recordingSource(call: string, rec: string): Promise<string> {
  const path = buildURL(`/calls/${call}/recording`, { rec })
  if (!tabToken.get()) return `/api/v1${path}`
  return URL.createObjectURL(await api.blob(path))
}

/** 计入口径: the sets that the figures count, as the server names them. */
export const SETS = [
  { value: 'offered', label: '呼入' },
  { value: 'queued', label: '转人工' },
  { value: 'answered', label: '接听' },
  { value: 'in15', label: '15秒内接听' },
  { value: 'late', label: '15秒后接听' },
  { value: 'missed', label: '转人工未接听' },
  { value: 'abandoned', label: '排队放弃' },
  { value: 'short', label: '短放弃' },
  { value: 'surveyed', label: '有评价' },
]

export const RESULTS = [
  { value: 'live', label: '进行中' },
  { value: 'answered', label: '已接听' },
  { value: 'forwarded', label: '已转接' },
  { value: 'abandoned', label: '排队放弃' },
  { value: 'short', label: '短放弃' },
  { value: 'announced', label: '听完通知' },
  { value: 'kept', label: '待回拨' },
  { value: 'ticketed', label: '自动登记' },
  { value: 'failed', label: '未接通' },
  { value: 'broken', label: '系统中断' },
]
export const TONE: Record<string, string> = { answered: 'green', forwarded: 'green', live: 'blue', abandoned: 'red', broken: 'red', failed: 'amber', kept: 'amber' }

/** 12秒, 3分05秒: how long something took. */
export function lasted(ms: number): string {
  if (!ms) return '—'
  const s = Math.round(ms / 1000)
  return s < 60 ? `${s}秒` : `${Math.floor(s / 60)}分${String(s % 60).padStart(2, '0')}秒`
}
/** Five points in words, as the caller pressed them. */
export const SURVEY = ['', '非常不满意', '不满意', '基本满意', '满意', '非常满意']
