import { aids } from '@/api/aids'
import { api, tabToken } from '@/api/client'
import type { Assignment, Demo, DemoAccount, Login, Ticket } from '@/api/types'

/** Phase is one stop of the tour: who acts, what happens and why. */
export interface Phase {
  key: string
  label: string
  role: string
  roleLabel: string
  what: string
  why: string
  /** What to press in the ticket when doing it oneself; empty when it is done on the phone. */
  press: string
}
const phase = (key: string, label: string, role: string, roleLabel: string, what: string, why: string, press = label): Phase => ({ key, label, role, roleLabel, what, why, press })

export const PHASES: Phase[] = [
  phase('submit', '提交', 'citizen', '诉求人', '诉求人在手机上反映问题，得到单号和查询码。', '不用登录也能反映；单号和查询码两样齐全才能查到进度，别人凭手机号查不到。', ''),
  phase('accept', '受理', 'agent', '座席', '座席核对类型、地点和诉求点，受理这件诉求。', '要素齐全才派得准；办理时限从派单起算，不因退单、改派重来。'),
  phase('dispatch', '派单', 'dispatcher', '派单审核员', '派单审核员按派单目录选定承办单位并派发。', '系统给出建议单位、把握程度和法律依据，由人拍板，每次派单都能按当时的目录回放。'),
  phase('sign', '签收', 'handler', '承办单位', '承办单位签收工单。', '签收意味着接责；一个工作日内不退单即为首办单位。'),
  phase('contact', '先行联系', 'handler', '承办单位', '经办人先联系诉求人，核实情况并记录。', '24小时内先联系，诉求人知道谁在管；查看电话须写明事由并留痕。', '记录联系'),
  phase('reply', '答复', 'handler', '承办单位', '经办人填写办理情况和答复，提交审核。', '每个诉求点都要答复，答复分内部情况和公开内容两份。'),
  phase('review', '审核', 'unit_lead', '承办领导', '承办单位领导审核答复。', '经办人不能审自己的答复；逐级下派的，逐级审核上来。', '审核答复'),
  phase('close', '办结', 'dispatcher', '派单审核员', '热线平台审核，同意办结。', '承办单位说办完了还不算，平台要看证据是否齐全。', '办结审核'),
  phase('callback', '回访', 'callback', '回访员', '回访员联系诉求人，核实是否解决。', '回访与承办单位无关的人来做；无人接听不算满意。', '登记回访'),
  phase('evaluate', '评价', 'citizen', '诉求人', '诉求人自己在进度页评价是否解决、是否满意。', '回访时说过的也算数，以诉求人最后一次说的为准。承办结论、诉求人评价、复核结论三个字段各记各的，谁也不能改谁的。', ''),
]
export const DONE = PHASES.length

export const SAMPLE = {
  type: '投诉', title: '关山大道工地夜间施工噪声扰民', region: '420111', address: '关山大道保利时代小区北侧工地',
  content: '关山大道保利时代小区北侧工地连续三晚十点半以后还在施工，打桩声音很大，老人孩子无法休息，物业反映过没有效果。请核查是否有夜间施工许可，责令停止夜间施工并答复。',
  name: '李女士', phone: '13971120001',
}

/** active is the assignment whose turn it is: the deepest 主办 that has not answered yet, then 协办. */
export function active(t: Ticket): Assignment | undefined {
  const open = (t.assignments ?? []).filter((a) => !['returned', 'revoked', 'replied'].includes(a.state) && (a.leg === undefined || t.leg === undefined || a.leg === t.leg))
  const hasOpenChild = (a: Assignment) => open.some((b) => b.parent === a.id)
  const leaves = open.filter((a) => !hasOpenChild(a))
  const weight = (a: Assignment) => (a.role === '协办' ? 1 : 0)
  return leaves.sort((a, b) => weight(b) - weight(a) || (b.depth ?? 0) - (a.depth ?? 0))[0]
}

/** phaseOf says which stop a ticket stands at, from its own state. */
export function phaseOf(t: Ticket | null): number {
  if (!t) return 0
  const at = (key: string) => PHASES.findIndex((p) => p.key === key)
  switch (t.status) {
    case 'received':
    case 'seat_fix':
      return at('accept')
    case 'to_dispatch':
      return at('dispatch')
    case 'to_close':
      return at('close')
    case 'to_callback':
      return at('callback')
    case 'to_recheck':
      return at('callback')
    case 'handling': {
      const a = active(t)
      if (!a || a.state === 'to_sign') return at('sign')
      if (a.state === 'to_review') return at('review')
      return a.contacted_at || t.contacts?.length ? at('reply') : at('contact')
    }
    default:
      // What he told the caller back is his word too, but here he says it himself: the latest counts.
      return t.verdicts?.citizen && t.verdicts.citizen.way !== '电话回访' ? DONE : at('evaluate')
  }
}

const HUBS = new Set(['county', 'county_platform', 'city_platform', 'province_platform'])

/** Roles of the tour are entered by account, a handler by the unit that has the ticket. */
export class Cast {
  private tokens = new Map<string, Login>()
  constructor(private demo: Demo) {}

  private find(role: string, unit?: string): DemoAccount | undefined {
    const all = this.demo.roles?.find((r) => r.role === role)?.accounts ?? []
    if (unit) return all.find((a) => a.unit === unit)
    return all.find((a) => a.city.includes('武汉') || a.city.startsWith('4201')) ?? all[0]
  }
  private async login(key: string, target: { username: string } | { unit: string }): Promise<Login> {
    const known = this.tokens.get(key)
    if (known) return known
    const read = await api.post<Login>('/demo/enter', target, { quiet401: true, credentials: 'omit' })
    this.tokens.set(key, read)
    return read
  }
  /** Leaders of units have no card on the entrance page: the demo names their accounts by the unit's code. */
  private async leaderOf(a: Assignment): Promise<Login | null> {
    const seen = await this.observer()
    const { items } = await withToken(seen.token, () => aids.units({ q: a.unit.name }))
    const code = items.find((u) => u.id === a.unit.id)?.code
    return code ? this.login(`lead/${a.unit.id}`, { username: `ld.${code.toLowerCase()}` }) : null
  }
  /** The dispatcher of the platform sees the whole ticket: the tour reads its state through these eyes. */
  observer = () => this.play('dispatcher')
  async play(role: string, a?: Assignment): Promise<Login> {
    if ((role === 'handler' || role === 'unit_lead') && a) {
      const own = this.find(role, a.unit.name)
      if (own) return this.login(own.username, { username: own.username })
      // A hub reviews by its own desk; any other unit by its leader, where the server can seat one.
      if (role === 'unit_lead' && !HUBS.has(a.unit.kind ?? '')) {
        const lead = await this.leaderOf(a).catch(() => null)
        if (lead) return lead
      }
      return this.login(`unit/${a.unit.id}`, { unit: a.unit.id })
    }
    const account = this.find(role)
    if (!account) throw new Error(role)
    return this.login(account.username, { username: account.username })
  }
}

/** Kept is what a reloaded page needs to go on where it was. */
export interface Kept {
  id: string
  number: string
  code: string
  started: number
}
const KEPT = 'tour'
/** kept is the tour that this tab has begun and not ended. */
export const kept = {
  get(): Kept | null {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Kept | null
    } catch {
      return null
    }
  },
  set: (k: Kept) => sessionStorage.setItem(KEPT, JSON.stringify(k)),
  clear: () => sessionStorage.removeItem(KEPT),
}

/** withToken makes one request as somebody else: the header is written before the call returns. */
export function withToken<T>(token: string, fn: () => Promise<T>): Promise<T> {
  const old = tabToken.get()
  tabToken.set(token)
  try {
    return fn()
  } finally {
    if (old) tabToken.set(old)
    else tabToken.clear()
  }
}

/** What the citizen's page says after a request went in. */
export function readSlip(doc: Document | null | undefined): { number: string; code: string } | null {
  const values = Array.from(doc?.querySelectorAll('.slip .v') ?? []).map((e) => e.textContent ?? '')
  const number = (values[0] ?? '').replace(/\D/g, '')
  const code = (values[1] ?? '').trim()
  return number.length === 15 ? { number, code } : null
}
