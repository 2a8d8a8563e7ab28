import { api } from '@/api/client'

/** One day of the working calendar: worked or not, and which holiday says so. */
export interface Day {
  date: string
  work: boolean
  note: string
}
export interface YearData {
  has: boolean
  days: Day[]
}
export interface CalendarDoc {
  version: string
  years: Record<string, string>
}
export const HOLIDAYS = ['元旦', '春节', '清明节', '劳动节', '端午节', '中秋节', '国庆节']
const FIRST = 2020

const iso = (d: Date) => d.toISOString().slice(0, 10)
const weekday = (date: string) => new Date(`${date}T00:00:00Z`).getUTCDay()
export const byWeek = (date: string) => weekday(date) % 6 !== 0

/** every day of a year with the plain week, where the server has nothing yet. */
export function plainYear(year: number): Day[] {
  const out: Day[] = []
  for (let d = new Date(Date.UTC(year, 0, 1)); d.getUTCFullYear() === year; d = new Date(d.getTime() + 86_400_000)) {
    out.push({ date: iso(d), work: byWeek(iso(d)), note: '' })
  }
  return out
}
/** A year as the server keeps it: only the days that differ from the plain week, or that a holiday names. */
export function linesOf(days: Day[]): string {
  return days
    .filter((d) => d.note || d.work !== byWeek(d.date))
    .map((d) => `${d.date} ${d.work ? '班' : '休'} ${d.note || (d.work ? '调休' : '放假')}`)
    .join('\n')
}
export const readYear = (year: number) => api.get<YearData>('/admin/calendar', { year })

/** The document to publish: every year that is known, with one of them replaced. A published calendar stands alone. */
export async function fullDoc(doc: CalendarDoc | undefined, year: number, days: Day[]): Promise<CalendarDoc> {
  const years: Record<string, string> = { ...(doc?.years ?? {}) }
  const last = Math.max(year, new Date().getFullYear() + 1)
  for (let y = FIRST; y <= last; y++) {
    if (years[`${y}.txt`] || y === year) continue
    const read = await readYear(y)
    const lines = read.has ? linesOf(read.days) : ''
    if (lines) years[`${y}.txt`] = lines
  }
  years[`${year}.txt`] = linesOf(days)
  return { version: `${year}年放假安排`, years }
}

export interface Month {
  name: string
  /** Days with the blanks before the first Monday. */
  cells: (Day | null)[]
}
export function monthsOf(days: Day[]): Month[] {
  return Array.from({ length: 12 }, (_, m) => {
    const own = days.filter((d) => Number(d.date.slice(5, 7)) === m + 1)
    const lead = own.length ? (weekday(own[0].date) + 6) % 7 : 0
    return { name: `${m + 1}月`, cells: [...Array.from({ length: lead }, () => null), ...own] }
  })
}
