/** One 时限: how long a step may take, for a class of matters, a type and an urgency; empty means any. */
export interface LimitRow {
  id: string
  class?: string
  type?: string
  urgency?: string
  kind: string
  n: number
  unit: string
  basis?: string
}
/** The steps that have a limit, the types and the urgencies, as the server knows them. */
export const KINDS = ['受理', '派单', '签收', '先行联系', '办理', '审核', '办结审核', '退单审核', '延期审核', '挂起审核', '回访', '复核']
export const TYPES = ['咨询', '求助', '投诉', '举报', '建议', '表扬', '其他']
export const URGENCIES = ['一般', '紧急', '特急']
export const UNITS = ['分钟', '工作时', '自然时', '工作日', '自然日']
const MINUTES: Record<string, number> = { 分钟: 1, 自然时: 60, 自然日: 1440 } // plain time
const OFFICE = 9 // hours of a working day
const CLASSES: Record<string, string> = {
  simple: '简易类', standard: '一般类', complex: '复杂类', project: '项目类', urgent2h: '两小时应急类', urgent24h: '二十四小时保障类', statutory7: '七日法定类', statutory15: '十五日核查类', statutory60: '六十日监察类',
}
export const CLASS_LIST = Object.entries(CLASSES).map(([value, label]) => ({ value, label }))

/** The class is the first word of a row's id, which the server writes in Chinese; the map covers the rest. */
export const className = (r: LimitRow) => (r.class ? CLASSES[r.class] ?? r.id.split('·')[0] : '各类别')
/** idOf names a row the way the server compares versions: 一般类·投诉·不限·办理. */
export const idOf = (r: LimitRow) => [r.class ? CLASSES[r.class] ?? r.class : '各类别', r.type || '各类型', r.urgency || '不限', r.kind].join('·')
export const limitText = (r: { n: number; unit: string }) => `${r.n}${r.unit === '分钟' ? '分钟' : `个${r.unit}`}`
type Length = Pick<LimitRow, 'n' | 'unit'>
/**
 * Whether a limit never ends later than the one that bounds it, whenever both begin: the server's calendar.Limit.Within.
 * Office time may stand still for a whole holiday, so it is never within plain time.
 */
export function within(l: Length, bound: Length): boolean {
  const plain = (x: Length) => x.n * MINUTES[x.unit]
  if (l.unit === bound.unit) return l.n <= bound.n
  if (l.unit === '工作日' && bound.unit === '工作时') return (l.n + 1) * OFFICE <= bound.n
  if (l.unit === '工作时' && bound.unit === '工作日') return l.n <= bound.n * OFFICE
  if (l.unit.startsWith('工作')) return false
  if (bound.unit === '工作日') return plain(l) <= bound.n * 1440
  return plain(l) <= (bound.unit === '工作时' ? bound.n * 60 : plain(bound))
}

/** rowsOf accepts the bare list, or a list wrapped in an object. */
export function rowsOf(doc: unknown): LimitRow[] {
  if (Array.isArray(doc)) return doc as LimitRow[]
  const list = Object.values((doc ?? {}) as Record<string, unknown>).find(Array.isArray)
  return (list as LimitRow[]) ?? []
}

/** The province's row that bounds a city's: the same one, else the most specific that covers it. */
export function boundOf(r: LimitRow, above: LimitRow[]): LimitRow | undefined {
  const fits = above.filter((p) => p.kind === r.kind && (!p.class || p.class === r.class) && (!p.type || p.type === r.type) && (!p.urgency || p.urgency === r.urgency))
  const weight = (p: LimitRow) => (p.class ? 4 : 0) + (p.type ? 2 : 0) + (p.urgency ? 1 : 0)
  return fits.sort((a, b) => weight(b) - weight(a))[0]
}
export function changesOf(now: LimitRow[], before: LimitRow[]): string[] {
  const old = new Map(before.map((r) => [r.id, r]))
  const kept = new Set(now.map((r) => r.id))
  const name = (r: LimitRow) => r.id.replace(/·/g, '／')
  const changed = now.flatMap((r) => {
    const o = old.get(r.id)
    if (!o) return [`新增 ${name(r)}：${limitText(r)}`]
    return o.n !== r.n || o.unit !== r.unit ? [`${name(r)}：${limitText(o)} → ${limitText(r)}`] : []
  })
  return [...changed, ...before.filter((r) => !kept.has(r.id)).map((r) => `删除 ${name(r)}：${limitText(r)}`)]
}
