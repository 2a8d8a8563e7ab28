import { api } from './client'
import type { Page } from './types'

/** RevealRequest is one wish of 举报专办 to see what a report hides; another person, the privacy officer, decides it. */
export interface RevealRequest {
  id: string
  ticket: string
  number: string
  field: string
  field_label: string
  purpose: string
  purpose_label: string
  reason: string
  by: string
  unit?: { id: string; name: string }
  state: 'pending' | 'approved' | 'refused' | 'used' | 'expired'
  state_label: string
  at: string
  expires?: string
  decided_by?: string
  decided_at?: string
  opinion?: string
  used_at?: string
  until?: string
  actions: string[]
}
/** RevealDay is how often one account looked at personal data on one day, beside what it may. */
export interface RevealDay {
  account: string
  name: string
  unit: { id: string; name: string }
  day: string
  used: number
  refused: number
  limit: number
  last_at?: string
  alarm: boolean
  seen_by?: string
  seen_at?: string
}
export const REQUEST_STATES = [
  { value: 'pending', label: '待批' },
  { value: 'approved', label: '已批准' },
  { value: 'refused', label: '未批准' },
  { value: 'used', label: '已查看' },
  { value: 'expired', label: '已过期' },
]
export const REQUEST_TONE: Record<string, string> = { pending: 'amber', approved: 'green', refused: 'red', used: 'blue' }

export const sealed = {
  ofTicket: (ticket: string) => api.get<{ fields: string[]; items: RevealRequest[] }>(`/tickets/${ticket}/reveal-requests`),
  ask: (ticket: string, body: object, key: string) => api.post<RevealRequest>(`/tickets/${ticket}/reveal-requests`, body, { key }),
  list: (state: string, cursor: string, limit: number) => api.get<Page<RevealRequest>>('/reveal-requests', { state, cursor, limit }),
  decide: (id: string, body: object) => api.post<RevealRequest>(`/reveal-requests/${id}/decide`, body),
  quotas: (day?: string) => api.get<{ day: string; items: RevealDay[] }>('/privacy/quotas', { day }),
  seen: (account: string, day: string) => api.post('/privacy/quotas/seen', { account, day }),
}
