import { reactive } from 'vue'
import { errorText } from '@/api/client'

export interface Toast {
  id: number
  kind: 'ok' | 'error' | 'info'
  text: string
  action?: { label: string; run: () => void }
}

/** toasts is what layout/Toasts.vue shows: results of acts, said once, in the server's own words. */
export const toasts = reactive<Toast[]>([])
let next = 1

function push(kind: Toast['kind'], text: string, action?: Toast['action']) {
  const toast: Toast = { id: next++, kind, text, action }
  toasts.push(toast)
  if (toasts.length > 4) toasts.shift()
  window.setTimeout(() => dismiss(toast.id), kind === 'error' ? 9000 : action ? 8000 : 5000)
}

export function dismiss(id: number) {
  const i = toasts.findIndex((t) => t.id === id)
  if (i >= 0) toasts.splice(i, 1)
}

export const toast = {
  ok: (text: string, action?: Toast['action']) => push('ok', text, action),
  info: (text: string, action?: Toast['action']) => push('info', text, action),
  error: (err: unknown) => push('error', typeof err === 'string' ? err : errorText(err)),
}
