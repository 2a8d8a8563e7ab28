import type { TicketRow } from '@/api/types'

/** A column of the ticket table. `keep` orders what gives way first when the width runs out: 9 stays, 1 leaves. */
export interface Column {
  key: string
  label: string
  width: number
  keep: number
  flex?: boolean
}

const COLUMNS: Record<string, Column> = Object.fromEntries(
  (
    [
      { key: 'number', label: '单号', width: 146, keep: 3 },
      { key: 'type', label: '类型', width: 52, keep: 5 },
      { key: 'title', label: '标题', width: 290, keep: 9, flex: true },
      { key: 'category', label: '事项分类', width: 130, keep: 1 },
      { key: 'region', label: '事发地', width: 122, keep: 5 },
      { key: 'suggestion', label: '建议承办单位', width: 220, keep: 7 },
      { key: 'unit', label: '承办单位', width: 150, keep: 6 },
      { key: 'role', label: '承办', width: 52, keep: 4 },
      { key: 'state', label: '状态', width: 92, keep: 7 },
      { key: 'requester', label: '诉求人', width: 70, keep: 2 },
      { key: 'phone', label: '联系电话', width: 108, keep: 2 },
      { key: 'channel', label: '来源', width: 76, keep: 1 },
      { key: 'accepted', label: '受理时间', width: 96, keep: 2 },
      { key: 'left', label: '剩余', width: 128, keep: 8 },
      { key: 'due', label: '办理时限', width: 250, keep: 8 },
    ] as Column[]
  ).map((c) => [c.key, c]),
)

export const DEFAULT_COLUMNS = ['number', 'type', 'title', 'region', 'unit', 'state', 'accepted', 'due']

/** Drops the least needed columns until the title has room; `due` shrinks to what remains before it goes. */
/** A key written with `!` stays as long as the title does. */
export function fitColumns(keys: string[], width: number, fixed: number, scale = 1): Column[] {
  let list = keys.map((k) => (k.endsWith('!') ? { ...COLUMNS[k.slice(0, -1)], keep: 8.5 } : COLUMNS[k])).filter((c) => c?.key)
  const wide = (c: Column) => ({ ...c, width: Math.round(c.width * scale) })
  list = list.map(wide)
  const need = () => fixed + list.reduce((sum, c) => sum + c.width, 0)
  if (need() > width) list = list.map((c) => (c.key === 'due' ? wide(COLUMNS.left) : c))
  while (need() > width && list.length > 2) {
    const out = list.reduce((a, b) => (b.keep < a.keep ? b : a))
    if (out.flex) break
    list = list.filter((c) => c !== out)
  }
  return list
}

/** A line of the table: a ticket, or the head of a folded group of similar ones. */
export interface Line {
  row: TicketRow
  group?: string
  fold?: number // how many are folded under this head
  open?: boolean
  child?: boolean
}

const plain = (s?: string) => (s ?? '').replace(/[\s\d，。、！？：；“”（）,.!?:;()第号栋单元室]/g, '')

/** Same matter at the same place, said alike: shown once with the others folded under it. */
export function foldSimilar(rows: TicketRow[], opened: Set<string>): Line[] {
  const groups = new Map<string, TicketRow[]>()
  for (const r of rows) {
    if (r.similar === 0) continue // the server looked and found none
    const key = `${r.category ?? ''}|${r.region ?? ''}|${plain(r.title)}`
    groups.set(key, [...(groups.get(key) ?? []), r])
  }
  const heads = new Map<string, { key: string; rest: TicketRow[] }>()
  const folded = new Set<string>()
  for (const [key, list] of groups) {
    if (list.length < 2) continue
    heads.set(list[0].id, { key, rest: list.slice(1) })
    for (const r of list.slice(1)) folded.add(r.id)
  }
  const out: Line[] = []
  for (const row of rows) {
    if (folded.has(row.id)) continue
    const head = heads.get(row.id)
    if (!head) {
      out.push({ row })
      continue
    }
    const open = opened.has(head.key)
    out.push({ row, group: head.key, fold: head.rest.length, open })
    if (open) for (const r of head.rest) out.push({ row: r, child: true, group: head.key })
  }
  return out
}
