import type { TicketRow } from '@/api/types'

/** One block of the home page as the server sends it; which blocks there are is the role's matter. */
export interface Block {
  kind: 'counts' | 'list' | 'families' | 'map' | 'trend' | 'notice'
  title: string
  items?: unknown[]
  path?: string
  [k: string]: unknown
}
export interface HomeData {
  role: string
  greeting: string
  blocks: Block[]
}
export interface CountItem {
  key: string
  label: string
  count: number
  overdue: number
  capped: boolean
  path: string
}
/** Measure is one number of 接、分、办, for today and for seven days. */
export interface Measure {
  key: string
  label: string
  value?: number | null
  unit?: string
  today?: number | null
  week?: number | null
  definition?: string
  path?: string
  delta?: number | null
  note?: string // another way of counting, today
  week_note?: string
}
export interface Family {
  name: string
  items: Measure[]
}
export interface Trend {
  labels: string[]
  series: { name: string; values: number[] }[]
}
export interface Notice {
  text: string
  path?: string
  level?: string
}

type Loose = Record<string, unknown>
const str = (v: unknown) => (v === undefined || v === null ? '' : String(v))
const num = (v: unknown) => (typeof v === 'number' ? v : Number(v ?? 0) || 0)

export function countsOf(b: Block): CountItem[] {
  return (b.items ?? []).map((x) => {
    const o = x as Loose
    return { key: str(o.queue ?? o.key), label: str(o.label), count: num(o.count ?? o.value), overdue: num(o.overdue), capped: Boolean(o.capped), path: str(o.path) }
  })
}

const FAMILIES = ['接', '分', '办']

/** The families come as an object 接/分/办, inside `families`, `items` or the block itself, or as a list. */
export function familiesOf(b: Block): Family[] {
  const src = (b.families ?? b.items ?? b) as unknown
  if (Array.isArray(src)) {
    if (src.length && Array.isArray((src[0] as Loose).items)) {
      return src.map((f) => ({ name: str((f as Loose).family ?? (f as Loose).name ?? (f as Loose).label), items: (f as { items: Measure[] }).items }))
    }
    return FAMILIES.map((name) => ({ name, items: (src as (Measure & { family?: string })[]).filter((m) => m.family === name) })).filter((f) => f.items.length)
  }
  const o = src as Record<string, Measure[]>
  return FAMILIES.filter((name) => Array.isArray(o[name])).map((name) => ({ name, items: o[name] }))
}

export const rowsOf = (b: Block): TicketRow[] => (b.items ?? []) as TicketRow[]

export function noticesOf(b: Block): Notice[] {
  const list = b.items ?? (b.text ? [b.text] : [])
  return list.map((x) => (typeof x === 'string' ? { text: x } : { text: str((x as Loose).text ?? (x as Loose).title), path: str((x as Loose).path) || undefined, level: str((x as Loose).level) }))
}

const SERIES: Record<string, string> = { accepted: '受理', n: '受理', count: '件数', closed: '办结', overdue: '逾期', dispatched: '派发', returned: '退单' }

/** A trend comes as labels with series, or as one object a day. */
export function trendOf(b: Block): Trend {
  if (Array.isArray(b.series)) {
    const series = (b.series as Loose[]).map((s) => ({ name: str(s.name ?? s.label), values: ((s.values ?? s.data) as number[]) ?? [] }))
    return { labels: ((b.labels ?? b.days) as string[] | undefined ?? []).map(dayLabel), series }
  }
  const items = (b.items ?? []) as Loose[]
  const keys = items.length ? Object.keys(items[0]).filter((k) => typeof items[0][k] === 'number') : []
  return {
    labels: items.map((i) => dayLabel(str(i.label ?? i.day ?? i.date ?? i.key))),
    series: keys.map((k) => ({ name: SERIES[k] ?? '件数', values: items.map((i) => num(i[k])) })),
  }
}

/** `2026-11-22` is read as 11月22日; anything else stays. */
export function dayLabel(s: string): string {
  const m = /^\d{4}-(\d\d)-(\d\d)/.exec(s)
  return m ? `${Number(m[1])}月${Number(m[2])}日` : s
}

/** measureText writes a value of the unit: counts with thousands, everything else with one decimal. */
export function measureText(v: number | null | undefined, unit = '件'): string {
  if (v === null || v === undefined) return '—'
  return unit === '件' && Number.isInteger(v) ? v.toLocaleString('zh-CN') : v.toLocaleString('zh-CN', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
}
