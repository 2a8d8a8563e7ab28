// How numbers, times and ticket numbers are written on every page.

const pad = (n: number) => String(n).padStart(2, '0')

/** A moment as a Date whose UTC parts read 北京时间: no browser's zone, nor its summer time, comes into it. */
export function beijing(at: string | number | Date = new Date()): Date {
  return new Date(new Date(at).getTime() + 8 * 3_600_000)
}

/** `11-22 20:41`, or with the year when it is another one. */
export function when(at?: string, now = beijing()): string {
  if (!at) return ''
  const d = beijing(at)
  if (Number.isNaN(d.getTime())) return at
  const day = `${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())} ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`
  return d.getUTCFullYear() === now.getUTCFullYear() ? day : `${d.getUTCFullYear()}-${day}`
}

/** `2026年11月22日 20:41`. */
export function whenLong(at?: string): string {
  if (!at) return ''
  const d = beijing(at)
  if (Number.isNaN(d.getTime())) return at
  return `${d.getUTCFullYear()}年${d.getUTCMonth() + 1}月${d.getUTCDate()}日 ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`
}

export function day(at?: string): string {
  return when(at).replace(/ \d\d:\d\d$/, '')
}

export function clockTime(at?: string | Date): string {
  if (!at) return ''
  const d = beijing(at)
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`
}

/** 单号 as it is spoken: 4-4-4-3. A former number keeps its own form. */
export function spokenNumber(number?: string): string {
  if (!number || !/^\d{15}$/.test(number)) return number ?? ''
  return `${number.slice(0, 4)} ${number.slice(4, 8)} ${number.slice(8, 12)} ${number.slice(12)}`
}

export function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** 话音质量 of one line; the loss comes as a share of the packets. */
export function lineQuality(q: { mos?: number; loss?: number; jitter?: number }): string {
  return `MOS ${(q.mos ?? 0).toFixed(1)}，丢包${(100 * (q.loss ?? 0)).toFixed(1)}%，抖动${Math.round(q.jitter ?? 0)}毫秒`
}

export function fileSize(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** A count that the server stopped counting is shown with a plus sign. */
export function countText(c?: { count: number; capped?: boolean }): string {
  if (!c) return ''
  return c.capped ? `${thousands(c.count)}+` : thousands(c.count)
}
