import { api } from '@/api/client'

/** A number of the registry (热线号码). */
export interface Line {
  number: string
  name: string
  department: string
  region: string
  region_name?: string
  mode: string
  mode_label?: string
  state: string
  from?: string
  until?: string
  confidence?: string
  basis?: string
  target?: string
  unit?: string
  level?: string
  vertical?: boolean
  monthly?: number
  seats?: number
  system?: string
  plan?: string
  done?: string
  interface?: string
  owner?: string
}
export interface Change {
  id: string
  kind: string
  kind_label: string
  lines: Line[]
  diff: string[]
  reason: string
  basis: string
  state: string
  state_label: string
  applicant: string
  approvers: string[]
  needed: number
  at: string
  decided: string
  may_decide: boolean
}
export interface ImportOut {
  read: number
  rejected: { row: number; number: string; column: string; text: string }[]
  diff: string[]
  kind: string
  change: Change | null
  message: string
}
export const lines = {
  list: () => api.get<{ items: Line[] }>('/lines'),
  changes: (state: string) => api.get<{ items: Change[] }>('/lines/changes', { state }),
  propose: (list: Line[], reason: string, basis: string) => api.post<Change>('/lines/changes', { lines: list, reason, basis }),
  decide: (id: string, decision: 'approve' | 'reject') => api.post<Change>(`/lines/changes/${id}/${decision}`),
  import: (file: File, commit?: { reason: string; basis: string }) => {
    const form = new FormData()
    form.append('file', file)
    if (commit) {
      form.append('commit', '1')
      form.append('reason', commit.reason)
      form.append('basis', commit.basis)
    }
    return api.post<ImportOut>('/lines/import', form)
  },
}
export const MODES = [
  { value: 'A', label: '整体并入' },
  { value: 'B1', label: '双号并行（座席并入）' },
  { value: 'B2', label: '双号并行（电话转接）' },
  { value: 'C', label: '设分中心' },
  { value: '0', label: '总号' },
]
export const STATE_TONE: Record<string, string> = { 在用: 'green', 过渡期: 'amber', 已取消: '' }

/** What the registry takes back: the names that the server adds are not part of an entry. */
export function entry(l: Line): Line {
  const { mode_label: _m, region_name: _r, ...own } = l
  return own
}
