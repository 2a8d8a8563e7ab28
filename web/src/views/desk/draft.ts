import type { Attempt } from '@/composables/acts'

// What an agent is writing, before it is a ticket: its shape, what is still missing, what is sent.

export type Way = 'answer' | 'dispatch' | 'transfer' | 'redirect' | 'invalid'

export interface DeskBody {
  way: Way
  type: string
  title: string
  content: string
  category: string
  categoryName: string
  region: string
  regionName: string
  address: string
  object: string
  points: string[]
  kind: string
  name: string
  phone: string
  company: string
  uscc: string
  gender: string
  special: string[]
  secrecy: string
  urgency: string
  line: string
  channel: string
  occurredAt: string
  replyWay: string
  answer: string
  knowledge: string
  knowledgeTitle: string
  miss: boolean
  missQ: string
  redirectKind: string
  redirectText: string
  transferLine: string
  invalidReason: string
  attachments: string[]
  link: { ticket: string; kind: 'repeat' | 'supplement'; number: string; title: string } | null
  note: string
  step: number
  /** The call that this draft was opened by, "" when it was not. */
  call: string
  attempt: Attempt | null
}

export const WAYS: { value: Way; label: string; submit: string; hint: string }[] = [
  { value: 'answer', label: '直接答复', submit: '答复并办结', hint: '当场答复清楚的咨询，只填类型、内容和答复' },
  { value: 'dispatch', label: '派单', submit: '提交派单', hint: '需要承办单位办理' },
  { value: 'transfer', label: '转接', submit: '记录转接', hint: '紧急情况或其他热线受理的事项' },
  { value: 'redirect', label: '引导', submit: '记录引导', hint: '应走诉讼、仲裁、复议等法定途径' },
  { value: 'invalid', label: '无效', submit: '记为无效', hint: '无实质诉求、骚扰、误拨' },
]
export const REPLY_WAYS = ['电话回访', '短信', '不需要回复']
export const SPECIAL = ['老年人', '残疾人', '未成年人', '孕妇', '军人军属']
export const TITLE_MAX = 50
const CONTENT_MAX = 20000

export function blankBody(): DeskBody {
  return {
    way: 'dispatch', type: '', title: '', content: '', category: '', categoryName: '', region: '', regionName: '', address: '', object: '', points: [],
    kind: '个人', name: '', phone: '', company: '', uscc: '', gender: '', special: [], secrecy: 'normal', urgency: '一般', line: '', channel: 'phone', occurredAt: '', replyWay: '电话回访',
    answer: '', knowledge: '', knowledgeTitle: '', miss: false, missQ: '', redirectKind: '', redirectText: '', transferLine: '', invalidReason: '', attachments: [], link: null, note: '', step: 0, call: '', attempt: null,
  }
}

/** A draft as it was saved, whichever side made it: for a call the server knows number, line and place before the page does. */
export function revive(saved: unknown): DeskBody | null {
  if (!saved || typeof saved !== 'object') return null
  const { requester, ...rest } = saved as Partial<DeskBody> & { requester?: { phone?: string; kind?: string } }
  const body = { ...blankBody(), ...rest }
  body.phone ||= requester?.phone ?? ''
  if (requester?.kind) body.kind = requester.kind
  return body
}

const chars = (s: string) => [...s.trim()].length

/** A draft nobody wrote anything into may be closed without a word. */
export function isBlank(b: DeskBody): boolean {
  return !b.call && !b.content.trim() && !b.title.trim() && !b.phone.trim() && !b.name.trim() && !b.address.trim() && !b.answer.trim() && !b.attachments.length
}

export function titleOf(b: DeskBody): string {
  const tail = b.phone.replace(/\D/g, '').slice(-4)
  return b.title.trim() || [...b.content.trim()].slice(0, 12).join('') || (tail ? `尾号${tail}` : '新工单')
}

/** A title from the appeal itself: its first sentence, cut at a place where Chinese may be cut. */
export function titleFrom(content: string): string {
  const first = content.trim().replace(/^(来电人|诉求人|市民)?(反映|咨询|投诉|求助|称)[:：，,]?/, '').split(/[。！？；\n]/)[0] ?? ''
  if (chars(first) <= 30) return first.trim()
  const cut = [...first].slice(0, 30).join('')
  const comma = Math.max(cut.lastIndexOf('，'), cut.lastIndexOf(','))
  return comma >= 8 ? cut.slice(0, comma) : cut
}

export function normalPhone(s: string): string {
  const half = s.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
  return half.replace(/[\s()（）-]/g, '').replace(/^\+?86(?=1\d{10}$)/, '')
}
export function isPhone(s: string): boolean {
  const p = normalPhone(s)
  return /^1[3-9]\d{9}$/.test(p) || /^0\d{9,11}$/.test(p) || /^[2-8]\d{6,7}$/.test(p) || /^(400|800)\d{7}$/.test(p)
}

/** 举报 hides its author from everyone who handles it; the agent cannot choose less. */
export function secrecyChoices(type: string, all: { value: string; label: string }[]) {
  return type === '举报' ? all.filter((o) => o.value === 'unit' || o.value === 'anonymous') : all
}

export function problems(b: DeskBody): Record<string, string> {
  const out: Record<string, string> = {}
  const need = (field: string, ok: unknown, text: string) => {
    if (!ok) out[field] = text
  }
  if (b.way !== 'invalid') need('type', b.type, '请选择诉求类型。')
  const least = b.way === 'invalid' ? 0 : 5
  if (chars(b.content) < least) out.content = `诉求内容至少${least}个字，写清时间、地点、对象、经过和要求。`
  if (chars(b.content) > CONTENT_MAX) out.content = `诉求内容最多${CONTENT_MAX}个字。`
  if (chars(b.title) > TITLE_MAX) out.title = `标题最多${TITLE_MAX}个字。`
  if (b.phone.trim() && !isPhone(b.phone)) out.phone = '电话号码位数不对，请核对。'
  if (b.way === 'dispatch') {
    need('region', b.region, '请选择事发地；不清楚街道时选到市州或县区即可。')
    if (b.kind === '企业') need('company', b.company.trim(), '请填写企业名称。')
  }
  if (b.way === 'answer') {
    need('answer', chars(b.answer) >= 2, '请填写答复内容，可从右侧知识引用。')
    if (chars(b.answer) > 5000) out.answer = '答复最多5000个字。'
  }
  if (b.way === 'redirect') {
    need('redirectKind', b.redirectKind, '请选择法定途径。')
    need('redirectText', b.redirectText.trim(), '请填写告知诉求人的内容。')
  }
  if (b.way === 'transfer') need('transferLine', b.transferLine, '请选择转接的热线。')
  if (b.way === 'invalid') need('invalidReason', b.invalidReason, '请选择无效原因。')
  return out
}

const text = (s: string) => s.trim() || undefined

/** The body of POST /tickets; what the chosen way does not use is left out, whatever was typed before. */
export function toRequest(b: DeskBody, draft?: string): Record<string, unknown> {
  const answerOnly = b.way === 'answer'
  const anonymous = b.secrecy === 'anonymous'
  const requester = {
    kind: b.kind,
    name: anonymous ? undefined : text(b.name),
    phone: anonymous ? undefined : text(normalPhone(b.phone)),
    company: b.kind === '企业' ? text(b.company) : undefined,
    uscc: b.kind === '企业' ? text(b.uscc) : undefined,
    gender: text(b.gender),
    special: b.special.length ? b.special : undefined,
  }
  const points = b.points.map((p) => p.trim()).filter(Boolean).map((p) => ({ text: p }))
  return {
    draft: draft || undefined,
    call: text(b.call),
    way: b.way,
    type: b.type || '其他',
    title: text(b.title) ?? text(titleFrom(b.content)) ?? '无实质诉求',
    content: b.content.trim() || (b.way === 'invalid' ? '无效来电，没有实质诉求。' : ''),
    category: text(b.category),
    region: text(b.region),
    address: text(b.address),
    object: text(b.object),
    points: !answerOnly && points.length ? points : undefined,
    requester,
    secrecy: b.secrecy,
    urgency: b.urgency,
    channel: b.channel || 'phone',
    line: text(b.line),
    occurred_at: b.occurredAt ? `${b.occurredAt.slice(0, 16)}:00+08:00` : undefined,
    reply_way: b.way === 'dispatch' ? text(b.replyWay) : undefined,
    answer: answerOnly ? { text: b.answer.trim(), knowledge: b.knowledge || undefined, ...(b.miss && !b.knowledge ? { miss: true, miss_q: text(b.missQ)?.slice(0, 200) } : {}) } : undefined,
    redirect: b.way === 'redirect' ? { kind: b.redirectKind, text: b.redirectText.trim() } : undefined,
    transfer: b.way === 'transfer' ? { line: b.transferLine } : undefined,
    invalid: b.way === 'invalid' ? { reason: b.invalidReason } : undefined,
    attachments: b.attachments.length ? b.attachments : undefined,
    link: b.link ? { ticket: b.link.ticket, kind: b.link.kind } : undefined,
    note: text(b.note),
  }
}
