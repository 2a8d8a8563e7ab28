import { attended } from './attended'

// The one door to the server. Every answer that is not 2xx becomes an ApiError whose `detail` is a Chinese
// sentence fit for the screen; callers show it and never compose their own.

/** ApiError is a refused or failed request, in the words of the server (RFC 9457). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors: { name: string; detail: string }[]
  readonly data: unknown

  constructor(status: number, body: Partial<Problem>) {
    const detail = body.detail || fallbackDetail(status)
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = body.code ?? ''
    this.detail = detail
    this.errors = body.errors ?? []
    this.data = body.data
  }

  /** True when the server refuses this role: lists then show their no-permission state. */
  get forbidden() {
    return this.status === 403
  }
  get conflict() {
    return this.status === 409
  }
}

interface Problem {
  code: string
  detail: string
  errors: { name: string; detail: string }[]
  data: unknown
}

function fallbackDetail(status: number): string {
  if (status === 0) return '连接不上服务器，请检查网络后重试。'
  if (status === 401) return '登录已失效，请重新登录。'
  if (status === 403) return '当前角色没有这项权限。'
  if (status === 404) return '没有找到要看的内容，可能已被移走或不在您的范围内。'
  if (status === 413) return '提交的内容过大，请减少附件后重试。'
  if (status === 429) return '操作过于频繁，请稍候再试。'
  if (status >= 500) return '服务器暂时没有响应，请稍后重试；已填写的内容不会丢失。'
  return '请求没有成功，请稍后重试。'
}

const TOKEN_KEY = 'hotline.token'

/** A tab that entered a role of its own keeps its token here; other tabs use the session cookie. */
export const tabToken = {
  get: () => sessionStorage.getItem(TOKEN_KEY) ?? '',
  set: (token: string) => sessionStorage.setItem(TOKEN_KEY, token),
  clear: () => sessionStorage.removeItem(TOKEN_KEY),
}

let era = 0
/** A new session began: what was asked in the one before may still be refused, which says nothing about this one. */
export const newSession = () => void era++

let onUnauthorized: () => void = () => {}
/** Called once per refused session; the router sends the person to the login page. */
export function setUnauthorizedHandler(fn: () => void) {
  onUnauthorized = fn
}

export type Query = Record<string, string | number | boolean | undefined | null>

export interface Options {
  query?: Query
  body?: unknown
  /** The version the person was looking at; sent as If-Match. */
  version?: number | string
  /** Repeats of one intended write share one key, so a retry has one effect. */
  key?: string
  signal?: AbortSignal
  /** `omit` keeps the answer's cookie out of the browser: another tab's session stays as it is. */
  credentials?: RequestCredentials
  /** A 401 here is an answer (wrong password), not a lost session. */
  quiet401?: boolean
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}

export function buildURL(path: string, query?: Query): string {
  if (!query) return path
  const params = new URLSearchParams()
  for (const [k, v] of Object.entries(query)) {
    if (v !== undefined && v !== null && v !== '') params.set(k, String(v))
  }
  const text = params.toString()
  return text ? `${path}?${text}` : path
}

function authHeaders(): Record<string, string> {
  const token = tabToken.get()
  return token ? { Authorization: `Bearer ${token}` } : {}
}

async function send(method: string, path: string, o: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...authHeaders() }
  if (!attended()) headers.Unattended = '1'
  const asked = era
  let body: BodyInit | undefined
  if (o.body instanceof FormData) {
    body = o.body
  } else if (method !== 'GET') {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(o.body ?? {})
  }
  if (o.version !== undefined) headers['If-Match'] = `"${o.version}"`
  if (o.key) headers['Idempotency-Key'] = o.key
  let res: Response
  try {
    res = await fetch(buildURL('/api/v1' + path, o.query), {
      method,
      headers,
      body,
      signal: o.signal,
      credentials: o.credentials ?? (tabToken.get() ? 'omit' : 'same-origin'),
    })
  } catch (err) {
    if ((err as Error).name === 'AbortError') throw err
    throw new ApiError(0, {})
  }
  if (res.ok) return res
  let problem: Partial<Problem> = {}
  try {
    problem = await res.json()
  } catch {
    // A proxy's page, not ours: the fallback sentence is used.
  }
  const error = new ApiError(res.status, problem)
  if (res.status === 401 && !o.quiet401 && asked === era) onUnauthorized()
  throw error
}

async function json<T>(method: string, path: string, o?: Options): Promise<T> {
  const res = await send(method, path, o)
  if (res.status === 204) return undefined as T
  const text = await res.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** api is the typed verbs; the caller names the answer's type, see api/types.ts. */
export const api = {
  get: <T>(path: string, query?: Query, o?: Options) => json<T>('GET', path, { ...o, query }),
  post: <T>(path: string, body?: unknown, o?: Options) => json<T>('POST', path, { ...o, body }),
  put: <T>(path: string, body?: unknown, o?: Options) => json<T>('PUT', path, { ...o, body }),
  del: <T>(path: string, o?: Options) => json<T>('DELETE', path, o),
  blob: async (path: string, o?: Options) => (await send('GET', path, o)).blob(),
  stream: (path: string, o?: Options) => send('GET', path, o),
}

/** What to put on the screen for any thrown thing. */
export function errorText(err: unknown): string {
  if (err instanceof ApiError) {
    const more = err.errors.map((e) => e.detail).filter((d) => d && !err.detail.includes(d))
    return more.length ? `${err.detail}（${more.join('；')}）` : err.detail
  }
  return '页面出现异常，请刷新后重试。'
}
