import { span, type SeatState, type Wall, type WallSeat } from '@/phone/types'

export const STATES: { value: SeatState; label: string }[] = [
  { value: 'talking', label: '通话' },
  { value: 'ringing', label: '振铃' },
  { value: 'acw', label: '话后' },
  { value: 'ready', label: '就绪' },
  { value: 'break', label: '小休' },
  { value: 'unready', label: '示忙' },
]
const RANK = Object.fromEntries(STATES.map((s, i) => [s.value, i]))

/** Those with a caller come first; within a state by 工号, so that a card keeps its place. */
export function order(seats: WallSeat[]): WallSeat[] {
  return [...seats].sort((a, b) => (RANK[a.state] ?? 9) - (RANK[b.state] ?? 9) || a.no.localeCompare(b.no))
}

/** 话后 over 45 s and a break over 15 minutes are what a 班长 goes and asks about. */
export function slow(s: WallSeat, now: number): boolean {
  const ms = now - s.since
  return (s.state === 'acw' && ms > 45_000) || (s.state === 'break' && ms > 15 * 60_000)
}

const share = (part: number, whole: number) => (whole > 0 ? `${((100 * part) / whole).toFixed(1)}%` : '—')

export interface Tile {
  label: string
  value: string
  note: string
  tone?: string
  title?: string
  /** The set of calls behind the number, see SETS; or a page of its own. */
  set?: string
  to?: string
}
export function tiles(w: Wall, now: number): Tile[] {
  const t = w.today
  const longest = w.waiting.length ? now - Math.min(...w.waiting.map((c) => c.queued)) : 0
  const n = (s: SeatState) => w.states[s] ?? 0
  return [
    { label: '排队', value: String(w.waiting.length), note: w.waiting.length ? `最长 ${span(longest)}` : '无人等待', tone: w.waiting.length ? 'red' : '' },
    { label: '通话', value: String(n('talking')), note: `振铃 ${n('ringing')}`, tone: 'ok' },
    { label: '就绪', value: String(n('ready')), note: `话后 ${n('acw')}`, tone: 'blue' },
    { label: '在岗', value: String(w.seats.length), note: w.rostered ? `应到 ${w.rostered}` : '未排班', tone: w.absent.length ? 'red' : '' },
    { label: '待回拨', value: String(w.owed), note: w.next ? (w.next < now ? `超时 ${span(now - w.next)}` : `剩 ${span(w.next - now)}`) : '没有欠拨', tone: w.next && w.next < now ? 'red' : '', to: '/calls/callbacks' },
    { label: '15秒接通率', value: share(t.in15, t.answered), note: `15秒内 ${t.in15}`, title: '今日15秒内接听÷接听', set: 'answered' },
    { label: '接通率', value: share(t.answered, t.queued), note: `接听 ${t.answered} / 转人工 ${t.queued}`, title: '今日接听÷转人工', set: 'queued' },
    { label: '放弃', value: String(t.abandoned), note: `其中5秒内 ${t.short}`, tone: t.abandoned > t.short ? 'red' : '', title: '今日排队中挂断', set: 'abandoned' },
    { label: '呼入', value: String(t.offered), note: '今日', set: 'offered' },
  ]
}
