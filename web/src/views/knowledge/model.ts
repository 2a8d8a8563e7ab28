import type { Action } from '@/api/types'

/** One row of the list of articles. */
export interface ArticleRow {
  id: string
  title: string
  path?: string
  kind?: string
  source?: string
  unit_name?: string
  region_name?: string
  valid_to?: string
  state?: string
  state_label?: string
  public?: boolean
  cited?: number
  expiring?: boolean
  snippet?: string
}
export interface Version {
  no: number
  at: string
  by?: string
  note?: string
  title?: string
  body?: string
}
export interface Article extends ArticleRow {
  version: number
  doc_no?: string
  unit?: string
  unit_words?: string
  live?: boolean
  region?: string
  valid_from?: string
  keywords?: string[]
  questions?: string[]
  body: string
  versions?: Version[]
  feedback?: { id?: string; at?: string; by?: string; kind?: string; text: string; state?: string }[]
  actions?: Action[]
}
/** Miss (未命中) is a question that the library has no answer to. */
export interface Miss {
  term: string
  words: string
  asked: number
  last: string
  category_name: string
  path: string
  article?: string
}
/** Node is a field of the catalogue with how many articles lie in it and below it. */
export interface Node {
  path: string
  name: string
  count: number
  children: Node[]
}
export interface Paths {
  items: Partial<Node>[]
  states?: Record<string, number>
  may_create?: boolean
}

export const STATES = [
  { value: '', label: '全部' },
  { value: 'published', label: '已发布' },
  { value: 'expiring', label: '将到期' },
  { value: 'review', label: '待审核' },
  { value: 'draft', label: '草稿' },
  { value: 'expired', label: '已过期' },
  { value: 'offline', label: '已下线' },
]
export const TONE: Record<string, string> = { published: 'green', expiring: 'amber', review: 'blue', pending: 'blue', expired: 'red' }
export const KINDS = ['办事指南', '法律法规', '政策解读', '热点问答', '日常咨询', '通知公告', '业务指引', '业务口径', '审批事项']
export const FAULTS = ['内容错误', '内容过时', '表述不清', '联系方式失效', '其他']

/** treeOf accepts a tree as it is, or builds one from paths written with slashes. */
export function treeOf(items: Partial<Node>[]): Node[] {
  if (items.some((i) => Array.isArray(i.children))) return items.map(full)
  const root: Node[] = []
  const known = new Map<string, Node>()
  const at = (path: string): Node => {
    const found = known.get(path)
    if (found) return found
    const parts = path.split('/')
    const node: Node = { path, name: parts[parts.length - 1], count: 0, children: [] }
    known.set(path, node)
    if (parts.length === 1) root.push(node)
    else at(parts.slice(0, -1).join('/')).children.push(node)
    return node
  }
  for (const i of items) {
    const node = at(String(i.path ?? i.name ?? ''))
    node.count = i.count ?? 0
  }
  const sum = (n: Node): number => {
    const below = n.children.reduce((a, c) => a + sum(c), 0)
    if (n.count < below) n.count += below
    return n.count
  }
  root.forEach(sum)
  return root
}
function full(n: Partial<Node>): Node {
  const children = (n.children ?? []).map(full)
  return { path: String(n.path ?? n.name), name: String(n.name ?? String(n.path).split('/').pop()), count: n.count ?? children.reduce((a, c) => a + c.count, 0), children }
}

/** Line is one paragraph of an article's plain text as the reader sees it. */
export interface Line {
  kind: 'head' | 'item' | 'quote' | 'text'
  text: string
  mark?: string
}

/** linesOf reads the plain text: 一、 and ## are headings, - and 1. are items, > quotes a source. */
export function linesOf(body: string): Line[] {
  const out: Line[] = []
  for (const raw of body.split(/\r?\n/)) {
    const s = raw.trim()
    if (!s) continue
    const item = /^(?:[-•·]|(\d{1,2}[.、．]|[（(]\d{1,2}[）)]))\s*(.+)$/.exec(s)
    if (/^#{1,4}\s*/.test(s)) out.push({ kind: 'head', text: s.replace(/^#+\s*/, '') })
    else if (/^[一二三四五六七八九十]{1,3}、/.test(s) && s.length <= 40) out.push({ kind: 'head', text: s })
    else if (s.startsWith('>')) out.push({ kind: 'quote', text: s.replace(/^>\s*/, '') })
    else if (item) out.push({ kind: 'item', text: item[2], mark: item[1] ?? '•' })
    else out.push({ kind: 'text', text: s })
  }
  return out
}

export interface DiffLine {
  kind: 'same' | 'add' | 'del'
  text: string
}

/** diffLines is the shortest way from one text to another, line by line. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split(/\r?\n/)
  const b = after.split(/\r?\n/)
  const w = b.length + 1
  const len = new Uint16Array((a.length + 1) * w)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      len[i * w + j] = a[i] === b[j] ? len[(i + 1) * w + j + 1] + 1 : Math.max(len[(i + 1) * w + j], len[i * w + j + 1])
    }
  }
  const out: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: 'same', text: a[i++] })
      j++
    } else if (i < a.length && (j >= b.length || len[(i + 1) * w + j] >= len[i * w + j + 1])) out.push({ kind: 'del', text: a[i++] })
    else out.push({ kind: 'add', text: b[j++] })
  }
  return out
}

/** Everything between words of a search, so that the snippet can show where they stand. */
export function splitHits(text: string, q: string): { text: string; hit: boolean }[] {
  const clean = text.replace(/<\/?(?:mark|b|em)>/g, '')
  const words = q.trim().split(/\s+/).filter(Boolean).sort((a, b) => b.length - a.length)
  if (!words.length) return [{ text: clean, hit: false }]
  const pattern = new RegExp(`(${words.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'i')
  return clean.split(pattern).filter(Boolean).map((s) => ({ text: s, hit: pattern.test(s) }))
}
