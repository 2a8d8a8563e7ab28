// The wire of /seat/ws as types: what the server pushes, what a page asks. Times are ms UTC, ids decimal strings.

export type SeatState = 'off' | 'unready' | 'ready' | 'ringing' | 'talking' | 'acw' | 'break'

export interface Party {
  kind: 'caller' | 'seat' | 'external' | 'monitor'
  name: string
  mode?: string
  up: boolean
}
/** 转接 under way. */
export interface Hand {
  target: string
  name: string
  kind: string
  state: 'calling' | 'consulting' | 'conference'
  since: number
}
/** A call as the seat sees it; the number is masked, see `caller`. */
export interface Call {
  call: string
  direction?: 'in' | 'out'
  callback?: boolean
  /** The caller chose to keep the place in the queue and be called. */
  kept?: boolean
  number?: string
  line?: string
  line_name?: string
  mode?: string
  region?: string
  place?: string
  calls?: number
  open?: number
  flags?: string[]
  waited?: number
  why?: string
  ring?: number
  phase?: string
  label?: string
  since?: number
  answered?: number
  held?: boolean
  muted?: boolean
  recording?: boolean
  paused?: boolean
  warned?: number
  draft?: string
  ticket?: string
  parties?: Party[]
  transfer?: Hand
}
/** A SIP phone (话机) that the seat may choose. */
export interface Device {
  user: string
  place: string
  up: boolean
  taken?: boolean
}
export interface Quality {
  mos?: number
  loss?: number
  jitter?: number
}
export interface Done {
  call: string
  result?: string
  label?: string
  wrap?: number
  draft?: string
  text?: string
}

export interface WallCall {
  call: string
  phase: string
  label: string
  line: string
  number: string
  region: string
  seat: string
  began: number
  queued: number
  answered: number
  reach: string
  flags: string[]
  held: boolean
}
export interface WallSeat extends Quality {
  seat: string
  no: string
  name: string
  state: SeatState
  label: string
  since: number
  call: string
  up: boolean
  remote: boolean
}
export interface Figures {
  offered: number
  queued: number
  answered: number
  in15: number
  abandoned: number
  short: number
}
/** 班长墙 of a centre, as of `at`. */
export interface Wall {
  at: number
  linked: boolean
  sip: string
  priority: string
  waiting: WallCall[]
  talking: WallCall[]
  seats: WallSeat[]
  states: Partial<Record<SeatState, number>>
  rostered: number
  absent: WallSeat[]
  longest: number
  owed: number
  next?: number
  today: Figures
}

/** A sentence of the talk (转写); a later one with the same id replaces it. */
export interface Segment {
  id: string
  who: 'caller' | 'seat' | 'external'
  label: string
  at: number
  to: number
  text: string
  final: boolean
}

export interface Reply {
  type: 'reply'
  id: number
  ok: boolean
  code?: string
  text?: string
  sdp?: string
}
/** Push is everything the server says unasked; `type` tells which fields are there. */
export interface Push extends Call, Quality {
  type: 'hello' | 'state' | 'ringing' | 'stop_ring' | 'call' | 'caller' | 'done' | 'watch' | 'notice' | 'quality' | 'wall' | 'queue' | 'devices' | 'transcript' | 'transcribing' | 'text'
  seat?: string
  no?: string
  name?: string
  phone?: string
  centre?: string
  devices?: Device[]
  state?: SeatState
  after?: SeatState
  until?: number
  up?: boolean
  /** The next citizen of the 回访 list is dialled by itself; not until `rests` (ms UTC), the end of the quiet hours. */
  progressive?: boolean
  rests?: number
  result?: string
  wrap?: number
  code?: string
  text?: string
  wall?: Wall
  waiting?: number
  segment?: Segment
  talk?: string
}

export interface Target {
  code: string
  name: string
  kind: 'emergency' | 'utility' | 'line' | 'city'
  number?: string
  duty?: string
}

/** A seat on duty to which a caller can be handed on. */
export interface Colleague {
  seat: string
  no: string
  name: string
  state: SeatState
  state_label: string
  since: string
  free: boolean
  skills: string[]
}

/** What a seat is doing, in words. */
export const STATE_WORD: Record<SeatState, string> = { off: '未签入', unready: '示忙', ready: '就绪', ringing: '振铃', talking: '通话中', acw: '话后', break: '小休' }
export const MODE_WORD: Record<string, string> = { A: '整体并入', B1: '双号并行，座席并入', B2: '双号并行，电话转接', C: '设分中心', '0': '总号' }
export const FLAG_WORD: Record<string, string> = {
  repeat: '重复来电', special: '特殊名单', emergency: '紧急情形', abuse: '辱骂', harass: '骚扰', silent: '静默来电', seat_lost: '席位断线', redial: '断线回拨', callback: '漏接回拨',
  adopted: '重启接续', leader: '领导接听', wrong_number: '打错', minor: '未成年人', test: '拨测',
}

/** How often somebody calls, in the same words wherever it is said; nothing while it is not known. */
export const timesWord = (calls?: number) => (!calls ? '' : calls > 1 ? `近30天第${calls}次来电` : '近30天首次来电')

/** mm:ss, with the hour in front once there is one. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const pad = (n: number) => String(n).padStart(2, '0')
  return (s >= 3600 ? `${Math.floor(s / 3600)}:` : '') + `${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`
}
