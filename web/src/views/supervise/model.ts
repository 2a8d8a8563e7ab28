import type { Action, Field, Light, TicketRow } from '@/api/types'

/** Note is one step of a 督办 in words. */
export interface Note {
  kind?: string
  at?: string
  by?: string
  text: string
}
/** One 督办 as it stands in the ledger. */
export interface Supervision {
  id: string
  no: string
  ticket: { id: string; number: string; title: string }
  rule?: string
  rule_label?: string
  level: string
  level_label?: string
  unit: string | { id: string; name: string }
  state: string
  state_label: string
  due?: string
  due_text?: string
  light?: Light
  opened_at: string
  opened_by?: string
  requirement?: string
  feedback?: string | Note[]
  closed_at?: string
  version?: number
  actions?: Action[]
}
export interface Ledger {
  items: Supervision[]
  next?: string
  counts?: Record<string, unknown>
}

export const RULES = [
  { value: 'overdue', label: '逾期未办结', hint: '超过办理时限仍未办结' },
  { value: 'unsatisfied2', label: '二次不满意', hint: '重办后诉求人仍不满意' },
  { value: 'returns2', label: '退单两次以上', hint: '同一工单被退回两次及以上' },
  { value: 'repeat3', label: '重复诉求三次以上', hint: '同人同事三十日内三次及以上' },
]
export const STATES = [
  { value: '', label: '全部' },
  { value: 'open', label: '督办中' },
  { value: 'rejected', label: '其中退回重报' },
  { value: 'feedback', label: '待销号' },
  { value: 'closed', label: '已销号' },
]
const LEVELS = [
  { value: 'urge', label: '催办', hint: '提醒承办单位按期办结' },
  { value: 'order', label: '督办', hint: '限期办结并书面反馈' },
  { value: 'interview', label: '约谈', hint: '约谈承办单位负责人' },
  { value: 'notice', label: '通报', hint: '在一定范围内通报' },
]
export const levelLabel = (s: Supervision) => s.level_label || LEVELS.find((l) => l.value === s.level)?.label || s.level
export const unitName = (s: Supervision) => (typeof s.unit === 'string' ? s.unit : s.unit?.name ?? '')
const STEPS: Record<string, string> = { feedback: '反馈', close: '销号', reject: '退回', extend: '延期' }
export const noteLabel = (n: Note) => STEPS[n.kind ?? 'feedback'] ?? ''
export function feedbackOf(s: Supervision): Note[] {
  if (!s.feedback) return []
  return typeof s.feedback === 'string' ? [{ text: s.feedback }] : s.feedback
}

/** countOf finds a number by its key: inside the named group when there is one, else at the top, else in any group. */
export function countOf(counts: Record<string, unknown> | undefined, key: string, group?: string): number | undefined {
  if (!counts) return undefined
  const of = (v: unknown) => (v && typeof v === 'object' ? (v as Record<string, unknown>)[key] : undefined)
  const all = [group && of(counts[group]), counts[key], ...Object.values(counts).map(of)]
  return all.find((v): v is number => typeof v === 'number')
}

/** What a new 督办 asks for; a ticket that came from the candidates is already known. */
export function openFields(ticket?: TicketRow): Field[] {
  const unit = ticket?.unit ? { id: ticket.unit.id, name: ticket.unit.name } : undefined
  return [
    ...(ticket ? [] : [{ name: 'ticket', label: '工单', type: 'ticket' as const, required: true, hint: '输入单号或标题查找' }]),
    { name: 'unit', label: '督办对象', type: 'unit', required: true, default: unit },
    { name: 'level', label: '督办级别', type: 'radio', required: true, options: LEVELS, default: 'order' },
    { name: 'requirement', label: '督办要求', type: 'textarea', required: true, min: 4, max: 1000, hint: '写明要查清什么、办成什么、怎样反馈' },
    { name: 'due', label: '反馈期限', type: 'datetime', required: true },
  ]
}

const text = (name: string, label: string, hint?: string): Field => ({ name, label, type: 'textarea', required: true, min: 4, max: 2000, hint })
const ACTS: Record<string, Action> = {
  feedback: { name: 'feedback', label: '提交反馈', primary: true, fields: [text('text', '反馈内容', '核查情况、处置结果、联系诉求人情况、后续措施'), { name: 'attachments', label: '佐证材料', type: 'files' }] },
  close: { name: 'close', label: '销号', primary: true, fields: [text('text', '销号意见')] },
  reject: { name: 'reject', label: '退回重新反馈', danger: true, fields: [text('reason', '退回理由')] },
  extend: { name: 'extend', label: '延长期限', fields: [{ name: 'due', label: '新的期限', type: 'datetime', required: true }, text('reason', '延长理由')] },
}

/** The server says what may be done; a ledger that does not say so is read by its state. */
export function actionsOf(s: Supervision): Action[] {
  if (s.actions) return s.actions.map((a) => ({ ...a, fields: a.fields ?? ACTS[a.name]?.fields }))
  if (s.state === 'open' || s.state === 'rejected') return [ACTS.feedback, ACTS.extend]
  if (s.state === 'feedback') return [ACTS.close, ACTS.reject]
  return []
}
