import { api } from '@/api/client'
import type { Category } from '@/api/types'

/** One row of the 派单目录: a matter in a place goes to a duty, or to one named unit, at a level. */
export interface CatalogueRow {
  id: string
  category: string
  category_name?: string
  region?: string
  region_name?: string
  duty?: string
  duty_name?: string
  unit?: string
  unit_name?: string
  level: string
  assist?: string
  assist_name?: string
  basis: string
}
export interface Catalogue {
  rules: CatalogueRow[]
  duties?: { code: string; name: string }[]
}
export const LEVELS = [
  { value: 'province', label: '省级' },
  { value: 'city', label: '市级' },
  { value: 'county', label: '县级' },
  { value: 'hub', label: '县级承办中心' },
  { value: 'town', label: '乡镇（街道）' },
]
/** The levels that a row of the catalogue may name: a town is chosen by its county's 承办中心, the province's own units by name. */
export const TARGETS = ['city', 'county', 'hub']
export const levelLabel = (v?: string) => LEVELS.find((l) => l.value === v)?.label ?? v ?? ''

/** Names of matters by their code: third level with its path. */
export async function categoryNames(): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const walk = (list: Category[], path: string) => {
    for (const c of list) {
      const full = path ? `${path} › ${c.name}` : c.name
      names.set(c.code, full)
      walk(c.children ?? [], full)
    }
  }
  const tree = await api.get<{ items: Category[] } | Category[]>('/categories/tree')
  const items = Array.isArray(tree) ? tree : tree.items
  if (items.some((c) => c.children)) walk(items, '')
  else {
    // A flat list: two digits a level.
    const by = new Map(items.map((c) => [c.code, c.name]))
    for (const c of items) {
      const parts = [`${c.code.slice(0, 2)}0000`, `${c.code.slice(0, 4)}00`, c.code].filter((k, i, all) => all.indexOf(k) === i && k <= c.code)
      names.set(c.code, c.path || parts.map((k) => by.get(k)).filter(Boolean).join(' › '))
    }
  }
  return names
}

/** Everything that a draft adds, changes and takes away, row by row. */
export function changesOf<R extends { id: string }>(now: R[], before: R[], say: (r: R) => string): string[] {
  const old = new Map(before.map((r) => [r.id, JSON.stringify(r)]))
  const kept = new Set(now.map((r) => r.id))
  const changed = now.flatMap((r) => (!old.has(r.id) ? [`新增 ${say(r)}`] : old.get(r.id) !== JSON.stringify(r) ? [say(r)] : []))
  return [...changed, ...before.filter((r) => !kept.has(r.id)).map((r) => `删除 ${say(r)}`)]
}

/** freeId is the next number that no row of the catalogue bears. */
export function freeId(rows: { id: string }[]): string {
  const most = Math.max(0, ...rows.map((r) => Number(/(\d+)$/.exec(r.id)?.[1] ?? 0)))
  const sample = rows[0]?.id ?? 'r0'
  const width = /(\d+)$/.exec(sample)?.[1].length ?? 1
  return sample.replace(/\d*$/, '') + String(most + 1).padStart(width, '0')
}
