import { api } from './client'
import type { Caller, Category, KnowledgeHit, Region, Suggest, Unit } from './types'

/** What helps to fill a form: places, matters, units, callers, suggestions, knowledge. */
export const aids = {
  regions: (parent: string) => api.get<{ items: Region[] }>('/regions', { parent }),
  searchRegions: (q: string, within?: string) => api.get<{ items: Region[] }>('/regions/search', { q, within }),
  categories: (query: { parent?: string; q?: string }) => api.get<{ items: Category[] }>('/categories', query),
  units: (query: { q?: string; platform?: string; parent?: string; kind?: string; duty?: string; id?: string; assignable?: number }) =>
    api.get<{ items: Unit[] }>('/units', query),
  caller: (phone: string) => api.post<Caller>('/callers/lookup', { phone }),
  suggest: (body: object, signal?: AbortSignal) => api.post<Suggest>('/suggest', body, { signal }),
  knowledge: (q: string, region?: string, limit = 10, signal?: AbortSignal) =>
    api.get<{ items: KnowledgeHit[]; ms?: number }>('/knowledge/search', { q, region, limit }, { signal }),
  article: (id: string) => api.get<{ id: string; title: string; body: string; source?: string; valid_to?: string }>(`/knowledge/${id}`),
}
