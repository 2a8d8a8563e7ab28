import { api } from '@/api/client'
import type { Page } from '@/api/types'

/** One line of the read audit: who did or saw what, when and why. */
export interface AuditRow {
  id: string
  at: string
  actor?: string
  name?: string
  unit?: string
  op: string
  op_label: string
  subject?: string
  outcome?: string
  outcome_label?: string
  reason?: string
  count?: number
  ip?: string
}
export interface AuditFilter {
  actor?: string
  op?: string
  ticket?: string
  from?: string
  to?: string
}

export const OPS = [
  { value: 'ticket.view', label: '查看工单' },
  { value: 'ticket.list', label: '查询工单列表' },
  { value: 'reveal', label: '查看个人信息' },
  { value: 'export', label: '导出数据' },
  { value: 'login', label: '登录' },
  { value: 'login_failed', label: '登录失败' },
  { value: 'config', label: '修改配置' },
]
const OUTCOMES: Record<string, string> = { ok: '成功', success: '成功', allowed: '成功', refused: '被拒绝', denied: '被拒绝', failed: '失败', error: '失败' }
export const outcomeText = (o?: string) => (o ? OUTCOMES[o] ?? o : '成功')
export const isBad = (o?: string) => ['refused', 'denied', 'failed', 'error'].includes(o ?? '')

/** Rows of the log have no id of their own on the wire; place and time make one. */
export async function readAudit(filter: AuditFilter, cursor: string, limit: number): Promise<Page<AuditRow>> {
  const page = await api.get<Page<Omit<AuditRow, 'id'> & { id?: string }>>('/audit', { ...filter, cursor, limit })
  return { next: page.next, items: page.items.map((r, i) => ({ ...r, id: r.id ?? `${cursor}/${i}/${r.at}/${r.op}` })) }
}

/** A day picked on the screen is a whole day of the log. */
export const dayStart = (d?: string) => (d ? `${d}T00:00:00+08:00` : undefined)
export const dayEnd = (d?: string) => (d ? `${d}T23:59:59+08:00` : undefined)

export interface VerifyReport {
  intact?: boolean
  ok?: boolean
  count?: number
  head?: number
  head_hash?: string
  unsealed?: number
  broken?: { seq: number; reason?: string } | null
  text?: string
  message?: string
  logs?: { name: string; label: string; intact: boolean; count: number; unsealed: number; problems?: string[] | null }[]
}
