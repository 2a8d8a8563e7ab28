import { api, type Query } from './client'
import type {
  ActionResult, Attachment, BatchResult, Created, Page, Queue, Ticket, TicketRow, TimelineItem, Viewer,
} from './types'

/** Filters of a ticket list as they stand in the address bar and go to the server. */
export type TicketFilter = Query & { queue?: string; q?: string; sort?: string }

/** One ticket of a batch; `unit` is its own 承办单位 where the batch sends each somewhere else. */
export interface BatchItem {
  id: string
  version: number
  assignment?: string
  unit?: string
}

export const tickets = {
  queues: (page: string) => api.get<{ items: Queue[] }>('/queues', { page }),
  list: (filter: TicketFilter, cursor: string, limit: number, signal?: AbortSignal) =>
    api.get<Page<TicketRow>>('/tickets', { ...filter, cursor, limit }, { signal }),
  get: (id: string, signal?: AbortSignal) => api.get<Ticket>(`/tickets/${id}`, undefined, { signal }),
  create: (body: unknown, key: string) => api.post<Created>('/tickets', body, { key }),
  timeline: (id: string) => api.get<{ items: TimelineItem[] }>(`/tickets/${id}/timeline`),
  viewers: (id: string) => api.get<{ items: Viewer[] }>(`/tickets/${id}/viewers`),
  act: (id: string, action: string, body: object, version: number | undefined, key: string) =>
    api.post<ActionResult>(`/tickets/${id}/actions/${action}`, body, { version, key }),
  batch: (action: string, items: BatchItem[], fields: object, key: string) =>
    api.post<BatchResult>(`/batch/${action}`, { items, fields }, { key }),
  reveal: (id: string, field: string, reason_code: string, reason?: string) =>
    api.post<{ value: string; expires_at?: string }>(`/tickets/${id}/reveal`, { field, reason_code, reason }),
  find: (number: string) => api.get<{ id: string }>('/tickets/lookup', { number }),
  autoplay: (id: string) => api.post<unknown>(`/tickets/${id}/autoplay`),
  upload: (file: File) => {
    const form = new FormData()
    form.append('file', file, file.name)
    return api.post<Attachment>('/attachments', form)
  },
}

/** These acts leave no mark another act could trip over: they need no version. */
export const FREE_ACTIONS = new Set(['note', 'contact', 'urge', 'supplement', 'relay', 'supervise'])
