import type { Piece } from '@/charts/scale'

/** What one reading of the big screen holds; the server sends totals only, never a person. */
export interface Tile {
  key: string
  label: string
  value: number | string | null
  unit?: string
  definition?: string
  fresh?: string
  note?: string
  path?: string
}
export interface City {
  code: string
  name: string
  count: number
  per10k: number | null
  hidden?: boolean
  open?: number | null
  overdue?: number | null
}
export interface Latest {
  number: string
  type: string
  title: string
  region_name?: string
  status_label?: string
  at: string
}
export interface MapRow {
  code: string
  name: string
  value: number | null
  hidden?: boolean
  count?: number
  population?: number
}
export interface ScreenData {
  at: string
  lag_ms?: number
  tiles: Tile[]
  hours: { h: number; n: number }[]
  types: { type: string; n: number }[]
  hot: { category: string; name: string; n: number }[]
  cities: City[]
  latest: Latest[]
  map?: MapRow[]
  legend?: unknown
  review_no?: string
  note?: string
}

export const shortCity = (name: string) => name.replace(/土家族苗族自治州$/, '州').replace(/林区$/, '').replace(/市$/, '')

/** The prefecture a ticket's region name begins with, so that the map can show where it came from. */
export function cityOf(regionName: string | undefined, cities: City[]): string {
  if (!regionName) return ''
  return cities.find((c) => regionName.startsWith(shortCity(c.name).replace(/州$/, '')))?.code ?? ''
}

/** figure writes a tile's number: thousands for counts, one decimal for rates. */
export function figure(v: Tile['value']): string {
  if (v === null || v === undefined || v === '') return '—'
  if (typeof v === 'string') return v
  if (Number.isInteger(v)) return v.toLocaleString('zh-CN')
  return v.toLocaleString('zh-CN', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
}

export type { Piece }

/** An answer with gaps, as on the first minute of a new platform, still draws every panel. */
export function whole(d: Partial<ScreenData>): ScreenData {
  return { ...d, at: d.at ?? '', tiles: d.tiles ?? [], hours: d.hours ?? [], types: d.types ?? [], hot: d.hot ?? [], cities: d.cities ?? [], latest: d.latest ?? [] }
}
