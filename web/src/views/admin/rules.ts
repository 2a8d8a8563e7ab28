/** The rule table of tickets as data: action × state × who × guards → next state. */
export interface Edge {
  action: string
  label: string
  on?: string
  from: string[]
  to: string
  who: string[]
  at: string[]
  guards?: string[]
  fields?: string[]
  clocks?: string[]
  notice?: string
  counted?: boolean
  hidden?: boolean
}
export interface RulesDoc {
  version: string
  statuses: [string, string][]
  states: [string, string][]
  fields: Record<string, { label: string }>
  edges: Edge[]
}

export const RELATION: Record<string, string> = { owner: '受理平台', holder: '承办单位', authority: '派出单位', above: '上级平台', citizen: '诉求人', system: '系统' }
const GUARDS: Record<string, string> = {
  category_set: '已选事项分类', level_allowed: '不低于最低承办层级', town_allowed: '在乡镇履职清单内', conflict_free: '回避被反映单位', not_dispatched: '尚未派出', relay_only_when_hidden: '身份隐藏时只经热线中转',
  inside_scope: '在本单位辖区内', main_only: '仅主办', return_in_time: '派单后1个工作日内', return_once: '本单位首次退单', no_open_children: '下级已全部反馈', not_self: '审核人不是申请人', extend_limit: '延期不超过两次',
  before_due: '到期之前', no_pending: '没有待审的申请', pending_extension: '有待审的延期', pending_suspension: '有待审的挂起', assists_answered: '协办均已反馈或说明理由', points_answered: '诉求点均已答复或说明理由',
  contacted_or_reason: '已联系诉求人或说明理由', law_cited: '依法不能办理须引法条', reviewer_apart: '审核人不是经办人', not_handling_org: '回访人不属承办单位', evaluate_window: '在评价期内', no_exempt: '尚未提请免评',
  exempt_proposed_by_other: '由另一人提请', main_open: '主单仍在办', same_secrecy: '密级一致', points_left: '拆分后仍有诉求点', something_changes: '内容确有变化', two_persons_down: '降密须两人',
}
export const guardLabel = (g: string) => GUARDS[g] ?? '附加条件'
const NOTICES: Record<string, string> = { accepted: '受理告知', dispatched: '派单告知', answered: '答复告知', extended: '延期告知', suspended: '挂起告知', closed: '办结告知', reopened: '重办告知', redirected: '引导告知', withdrawn: '撤回告知', evaluate: '评价邀请' }
export const noticeLabel = (n?: string) => (n ? NOTICES[n] ?? '通知诉求人' : '')

/** Effects on clocks: `start 签收 办理` → 起计 签收、办理. */
export function clockText(c: string): string {
  const [verb, ...what] = c.split(' ')
  const names = what.map((w) => (w === '*' ? '全部时限' : w)).join('、')
  const VERB: Record<string, string> = { start: '起计', stop: '停止', freeze: '冻结', restore: '恢复原时限', resume: '继续计时', pause: '暂停' }
  return `${VERB[verb] ?? ''}${names ? ` ${names}` : ''}`
}

/** Where an action may lead when its outcome is decided by what the person chooses. */
const DECIDED: Record<string, [string, string][]> = {
  review: [['handling', 'to_close']], close: [['to_close', 'to_callback'], ['to_close', 'handling']], callback: [['to_callback', 'closed'], ['to_callback', 'to_recheck']],
  reopen: [['to_recheck', 'handling'], ['to_recheck', 'closed']],
}
const DECIDED_NODE: Record<string, [string, string][]> = {
  review: [['to_review', 'replied'], ['to_review', 'handling']], 'decide-return': [['returning', 'returned'], ['returning', 'handling']], 'decide-suspension': [['handling', 'suspended']],
}

export interface Arrow {
  from: string
  to: string
  label: string
  decided: boolean
}
/** arrows of one machine: those the table names, and, dashed, those a decision chooses. Several acts share one arrow. */
function arrowsOf(doc: RulesDoc, node: boolean): Arrow[] {
  const known = new Set((node ? doc.states : doc.statuses).map((s) => s[0]))
  const map = new Map<string, Arrow>()
  const add = (from: string, to: string, label: string, decided: boolean) => {
    if (!known.has(from) || !known.has(to) || from === to) return
    const old = map.get(`${from}>${to}`)
    if (old) {
      if (!old.label.includes(label)) old.label += `、${label}`
      old.decided &&= decided
    } else map.set(`${from}>${to}`, { from, to, label, decided })
  }
  for (const e of doc.edges) {
    if ((e.on === 'assignment') !== node) {
      if (!node && e.action === 'review') for (const [f, t] of DECIDED.review) add(f, t, e.label, true)
      continue
    }
    if (e.to) for (const f of e.from) add(f, e.to, e.label, false)
    else for (const [f, t] of (node ? DECIDED_NODE : DECIDED)[e.action] ?? []) add(f, t, e.label, true)
  }
  return [...map.values()]
}

/** Exit is an end beside the main road: which states may leave by it, and by what act. */
export interface Exit {
  code: string
  label: string
  act: string
  from: string[]
}
/** picture parts the arrows into the road that is drawn and the exits that are listed, so that the road stays legible. */
export function picture(doc: RulesDoc, node: boolean): { arrows: Arrow[]; exits: Exit[]; hidden: Set<string> } {
  const all = arrowsOf(doc, node)
  const label = new Map(node ? doc.states : doc.statuses)
  const goal = node ? 'replied' : 'closed'
  const ends = [...label.keys()].filter((s) => s !== goal && all.some((a) => a.to === s) && !all.some((a) => a.from === s))
  const side = node ? [] : ends
  const exits = side.map((code) => {
    const into = all.filter((a) => a.to === code)
    return { code, label: label.get(code) ?? '', act: [...new Set(into.flatMap((a) => a.label.split('、')))].join('、'), from: into.map((a) => label.get(a.from) ?? '') }
  })
  const hidden = new Set([...side, ...[...label.keys()].filter((s) => !all.some((a) => a.from === s || a.to === s))])
  const road = all.filter((a) => !hidden.has(a.from) && !hidden.has(a.to))
  // One act that leads from several states to the same far end is drawn once, from the last of them.
  const order = [...label.keys()]
  const far = new Map<string, Arrow>()
  for (const a of road) if (a.to === goal && !a.decided) {
    const old = far.get(a.label)
    if (!old || order.indexOf(a.from) > order.indexOf(old.from)) far.set(a.label, a)
  }
  return { arrows: road.filter((a) => a.to !== goal || a.decided || far.get(a.label) === a), exits, hidden }
}

/** Fixed places of the known states, so that the picture stays the same between versions; others line up below. */
const PLACE: Record<string, [number, number]> = {
  quarantined: [0, 1.5], received: [0, 0], seat_fix: [1, 1.5], to_dispatch: [1, 0], handling: [2, 0], to_close: [3, 0], to_callback: [4, 0], closed: [5, 0], to_recheck: [4, 1.5],
}
const PLACE_NODE: Record<string, [number, number]> = { to_sign: [0, 0], handling: [1.4, 0], to_review: [2.8, 0], replied: [4.2, 0], returning: [0, 1.6], delegated: [1.4, 1.6], suspended: [2.8, 1.6], returned: [0, 3], revoked: [4.2, 1.6] }
export function places(doc: RulesDoc, node: boolean, hidden: Set<string>): Map<string, { x: number; y: number; label: string }> {
  const at = new Map<string, { x: number; y: number; label: string }>()
  let extra = 0
  for (const [code, label] of node ? doc.states : doc.statuses) {
    if (hidden.has(code)) continue
    const p = (node ? PLACE_NODE : PLACE)[code] ?? [extra++, 4.2]
    at.set(code, { x: 70 + p[0] * 190, y: 110 + p[1] * 92, label })
  }
  return at
}
