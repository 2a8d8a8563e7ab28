/** One editable value of a policy document: where it is, what it is called, how it is written. */
export interface Cell {
  path: (string | number)[]
  group: string
  label: string
  type: 'number' | 'switch' | 'text' | 'roles'
  hint?: string
}
export interface ParamKind {
  kind: string
  label: string
  what: string
  city: boolean
  cells: (doc: unknown) => Cell[]
}
type Loose = Record<string, unknown>

const ACCOUNT: [string, [string, string, Cell['type'], string?][]][] = [
  ['密码', [
    ['minLength', '密码最短长度', 'number', '位'], ['classes', '字符种类', 'number', '种，从大写、小写、数字、符号中'], ['refuseCommon', '禁用常见密码', 'switch'], ['maxAgeDays', '密码有效天数', 'number', '天，0为不要求定期改密'],
    ['history', '不得重复的历史密码数', 'number', '个'], ['forceFirst', '首次登录改密', 'switch'],
  ]],
  ['锁定', [['lockFails', '锁定前失败次数', 'number', '次'], ['windowMinutes', '失败计数时间', 'number', '分钟'], ['lockMinutes', '锁定时间', 'number', '分钟'], ['addressFails', '同一地址失败次数', 'number', '次']]],
  ['登录', [
    ['secondFactor', '须双因素登录的岗位', 'roles'], ['idleMinutes', '空闲退出', 'number', '分钟，0为不退出'], ['adminIdleMinutes', '管理员空闲退出', 'number', '分钟，0为不退出'], ['absoluteHours', '最长登录', 'number', '小时'],
    ['maxSessions', '同时登录数', 'number', '个，0为不限'], ['inactiveDays', '停用前未登录天数', 'number', '天，0为不停用'],
  ]],
  ['个人信息', [['revealsPerDay', '每日查看个人信息次数', 'number', '次，0为不限'], ['sealedHours', '密封信息申请有效期', 'number', '小时'], ['sealedMinutes', '密封信息批准后可重看时间', 'number', '分钟，0为只看一次']]],
]
const NOTICES: Record<string, string> = {
  received: '收到诉求', accepted: '已受理', answered: '直接答复', dispatched: '已派单', redirected: '引导', extended: '延期', suspended: '挂起', relay: '热线中转', closed: '办结', reopened: '发回重办', upheld: '维持结论', withdrawn: '撤回',
}
const MEASURE: [string, string][] = [['label', '名称'], ['formula', '口径'], ['exclusions', '不计入'], ['target', '参考目标'], ['source', '依据']]

export const PARAM_KINDS: ParamKind[] = [
  { kind: 'account', label: '账号安全策略', what: '密码、锁定、登录和查看个人信息的限度；市州只能比省定的严。', city: true, cells: () => ACCOUNT.flatMap(([group, list]) => list.map(([key, label, type, hint]) => ({ path: [key], group, label, type, hint }))) },
  { kind: 'notices', label: '通知模板', what: '发给诉求人的短信文字，可用{单号}、{类型}、{单位}、{时限}。', city: false, cells: (doc) => Object.keys((doc ?? {}) as Loose).map((key) => ({ path: [key], group: '短信', label: NOTICES[key] ?? '其他通知', type: 'text' })) },
  {
    kind: 'measures', label: '统计指标', what: '各项指标的名称、口径说明、参考目标和依据；计数的公式由程序实现，随版本升级。', city: false,
    cells: (doc) => (((doc as Loose)?.measures ?? []) as Loose[]).flatMap((m, i) => MEASURE.map(([key, label]) => ({ path: ['measures', i, key], group: String(m.label ?? ''), label, type: 'text' as const }))),
  },
]

/** The posts that may be asked for a second factor at log-in. */
export const POSTS: [string, string][] = [
  ['sysadmin', '系统管理员'], ['secadmin', '安全管理员'], ['auditor', '审计管理员'], ['privacy', '个人信息保护负责人'], ['cell', '举报专办员'], ['province', '省级管理'], ['leader', '分管领导'], ['supervisor', '督办员'], ['dispatcher', '派单审核员'],
  ['shift_lead', '班长'], ['agent', '座席'], ['branch_agent', '分中心座席'], ['callback', '回访员'], ['inspector', '质检员'], ['handler', '承办经办人'], ['unit_lead', '承办领导'], ['kb_admin', '知识管理员'], ['kb_editor', '部门知识员'],
]

export const valueAt = (doc: unknown, path: Cell['path']): unknown => path.reduce<unknown>((o, k) => (o as Loose | undefined)?.[k as string], doc)
export function setAt(doc: unknown, path: Cell['path'], v: unknown): void {
  const holder = valueAt(doc, path.slice(0, -1)) as Loose
  holder[path[path.length - 1] as string] = v
}
export function say(c: Cell, v: unknown): string {
  if (c.type === 'switch') return v ? '是' : '否'
  if (c.type === 'roles') return ((v ?? []) as string[]).map((r) => POSTS.find(([k]) => k === r)?.[1] ?? '其他岗位').join('、') || '无'
  return v === undefined || v === null || v === '' ? '无' : String(v)
}
export const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
/** What differs between two documents, in words. */
export const differences = (cells: Cell[], now: unknown, before: unknown): string[] =>
  cells.filter((c) => !same(valueAt(now, c.path), valueAt(before, c.path))).map((c) => `${c.group}·${c.label}：${say(c, valueAt(before, c.path))} → ${say(c, valueAt(now, c.path))}`)
