/** One measure of domain rules: what it is called, how it is counted, what is left out. */
export interface Definition {
  name: string
  label: string
  family: string
  formula?: string
  exclusions?: string
  target?: string
  source?: string
}
export interface Row {
  key: string
  name: string
  num: number
  den: number
  value: number | null
  raw_num?: number
  raw_den?: number
  raw?: number | null
  excluded?: number
  hidden?: boolean
  path?: string
}
export interface Measures {
  name: string
  label: string
  definition?: string
  unit?: string
  items: Row[]
  total?: Row
  note?: string
}
export const BY = [
  { value: 'region', label: '按区划' },
  { value: 'unit', label: '按单位' },
  { value: 'day', label: '按日' },
  { value: 'type', label: '按类型' },
  { value: 'category', label: '按事项' },
]
export const FAMILIES = ['接', '分', '办']

/** share gives a rate in per cent from its own numerator, whatever scale the value came in. */
function share(num: number | undefined, den: number | undefined, value: number | null | undefined, unit?: string): number | null {
  if (unit === '%' || unit === '％') {
    if (num !== undefined && den !== undefined) return den ? (num / den) * 100 : null
    return value ?? null
  }
  return value ?? null
}
export const valueOf = (r: Row, unit?: string) => share(r.num, r.den, r.value, unit)
export const rawOf = (r: Row, unit?: string) => share(r.raw_num, r.raw_den, r.raw, unit)

export function show(v: number | null | undefined, unit?: string): string {
  if (v === null || v === undefined || Number.isNaN(v)) return '—'
  if (unit === '%' || unit === '％') return `${v.toFixed(v > 99.9 && v < 100 ? 2 : 1)}%`
  return `${Number.isInteger(v) ? v.toLocaleString('zh-CN') : v.toFixed(1)}${unit ?? ''}`
}
export const whole = (v?: number) => (v === undefined || v === null ? '—' : v.toLocaleString('zh-CN'))

const pad = (n: number) => String(n).padStart(2, '0')
function addDays(day: string, n: number): string {
  const d = new Date(`${day}T12:00:00Z`)
  d.setUTCDate(d.getUTCDate() + n)
  return `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`
}
/** Periods end with the running day, so that a number can be followed while it grows. */
export function periods(today: string): { value: string; label: string; from: string; to: string }[] {
  const month = today.slice(0, 8) + '01'
  const lastEnd = addDays(month, -1)
  return [
    { value: '1', label: '今日', from: today, to: today },
    { value: '7', label: '近7日', from: addDays(today, -6), to: today },
    { value: '30', label: '近30日', from: addDays(today, -29), to: today },
    { value: 'month', label: '本月', from: month, to: today },
    { value: 'last', label: '上月', from: lastEnd.slice(0, 8) + '01', to: lastEnd },
    { value: '90', label: '近90日', from: addDays(today, -89), to: today },
  ]
}
