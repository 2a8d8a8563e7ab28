import { api } from '@/api/client'

// 班表 as data: what the server keeps, and the grid of people × days that is drawn from it.

export interface Template {
  code: string
  name: string
  from: number // minutes from midnight; `to` may lie on the next day
  to: number
}
export interface Shift {
  id?: string
  account: string
  name?: string
  template?: string
  from: string
  to: string
}
export interface Gap {
  from: number
  to: number
  text: string
}
export interface Roster {
  id: string
  line: string
  from: number // yyyymmdd
  to: number
  state: string
  state_label: string
  version: number
  shifts: Shift[]
  gaps: Gap[]
}
export interface Person {
  account: string
  name: string
  unit_name: string
}
export interface Swap {
  id: string
  from_name: string
  to_name: string
  reason: string
  at: string
  state: string
  state_label: string
  begins: string
  ends: string
  asked_me?: boolean
}
export interface Mine {
  shifts: Shift[]
  swaps: Swap[]
  colleagues: Person[]
}
/** 技能证书: opens a skill until a day. */
export interface Certificate {
  id: string
  name: string
  skill: string
  level: number
  document: string
  expires: string
  valid: boolean
}
export const rosters = {
  list: () => api.get<{ items: Roster[] }>('/rosters'),
  get: (id: string) => api.get<Roster>(`/rosters/${id}`),
  templates: () => api.get<{ items: Template[] }>('/rosters/templates'),
  people: () => api.get<{ items: Person[] }>('/voice/people'),
  save: (r: Partial<Roster>) => api.post<Roster>('/rosters', r),
  publish: (id: string) => api.post<Roster>(`/rosters/${id}/publish`),
  drop: (id: string) => api.del<{ message: string }>(`/rosters/${id}`),
  swaps: () => api.get<{ items: Swap[] }>('/rosters/swaps'),
  mine: () => api.get<Mine>('/rosters/mine'),
  ask: (shift: string, to: string, reason: string) => api.post<Swap>('/rosters/swaps', { shift, to, reason }),
  answer: (id: string, how: 'accept' | 'decline') => api.post<{ message: string }>(`/rosters/swaps/${id}/answers/${how}`),
  certificates: (account: string) => api.get<{ items: Certificate[] }>('/certificates', { account }),
  certify: (v: Record<string, unknown>) => api.post<Certificate>('/certificates', v),
  revoke: (id: string) => api.del<{ message: string }>(`/certificates/${id}`),
  skills: () => api.get<{ lines: string[] }>('/voice/targets'),
  decide: (id: string, how: 'agree' | 'refuse') => api.post<{ message: string }>(`/rosters/swaps/${id}/${how}`),
}

const pad = (n: number) => String(n).padStart(2, '0')
/** `2026-11-23` of 20261123. */
export const dateOf = (n: number) => `${Math.floor(n / 10000)}-${pad(Math.floor(n / 100) % 100)}-${pad(n % 100)}`
export const numberOf = (date: string) => Number(date.replace(/-/g, ''))
export function addDays(date: string, n: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10)
}
/** The Monday of the week after a day: the week that is usually planned. */
export function nextMonday(date: string): string {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay() || 7
  return addDays(date, 8 - weekday)
}
export const daysOf = (r: { from: number; to: number }) => {
  const out: string[] = []
  for (let d = dateOf(r.from); numberOf(d) <= r.to; d = addDays(d, 1)) out.push(d)
  return out
}
const WEEKDAY = ['日', '一', '二', '三', '四', '五', '六']
export const weekday = (date: string) => WEEKDAY[new Date(`${date}T00:00:00Z`).getUTCDay()]

/** A template on a day as a shift, in 北京时间. */
export function shiftOf(account: string, date: string, t: Template): Shift {
  const at = (minutes: number) => `${addDays(date, Math.floor(minutes / 1440))}T${pad(Math.floor((minutes % 1440) / 60))}:${pad(minutes % 60)}:00+08:00`
  return { account, template: t.code, from: at(t.from), to: at(t.to) }
}
/** The same shift some days later. */
export function later(s: Shift, days: number): Shift {
  const move = (at: string) => new Date(Date.parse(at) + days * 86_400_000).toISOString()
  return { account: s.account, name: s.name, template: s.template, from: move(s.from), to: move(s.to) }
}
export const daysBetween = (a: number, b: number) => Math.round((Date.parse(`${dateOf(b)}T00:00:00Z`) - Date.parse(`${dateOf(a)}T00:00:00Z`)) / 86_400_000)
/** Days (北京时间) that a gap touches. */
export function touches(g: Gap, date: string): boolean {
  const from = Date.parse(`${date}T00:00:00+08:00`)
  return g.from < from + 86_400_000 && g.to > from
}
/** The day in 北京时间 on which a shift begins. */
export function dayOfShift(s: Shift): string {
  return new Date(Date.parse(s.from) + 8 * 3_600_000).toISOString().slice(0, 10)
}
export const cell = (account: string, date: string) => `${account}|${date}`
export function gridOf(shifts: Shift[]): Map<string, Shift[]> {
  const grid = new Map<string, Shift[]>()
  for (const s of shifts) {
    const key = cell(s.account, dayOfShift(s))
    grid.set(key, [...(grid.get(key) ?? []), s])
  }
  return grid
}
export const clock = (minutes: number) => `${pad(Math.floor((minutes % 1440) / 60))}:${pad(minutes % 60)}`
