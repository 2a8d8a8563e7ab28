// Numeric classes of a coloured map: where one colour ends and the next begins.

/** Piece is one class: from (included) to below `to`; open ends are null. */
export interface Piece {
  from: number | null
  to: number | null
  label: string
  color: string
}

/** nice rounds a step to 1, 2, 2.5 or 5 times a power of ten. */
export function nice(x: number): number {
  if (!(x > 0)) return 1
  const mag = 10 ** Math.floor(Math.log10(x))
  const f = x / mag
  const n = f <= 1 ? 1 : f <= 2 ? 2 : f <= 2.5 ? 2.5 : f <= 5 ? 5 : 10
  return n * mag
}

/** ratio writes requests per 10,000 people (万人诉求比): two decimals, three where two would say little. */
export const ratio = (x: number) => x.toFixed(x < 0.1 ? 3 : 2)

const text = (x: number) => String(Math.round(x * 1000) / 1000)

/** breaks proposes up to `classes`-1 distinct round limits that split the values about evenly. */
export function breaks(values: number[], classes: number): number[] {
  const sorted = values.filter((v) => Number.isFinite(v) && v > 0).sort((a, b) => a - b)
  if (!sorted.length) return []
  const spread = sorted[sorted.length - 1] - sorted[0]
  const whole = sorted.every((v) => Number.isInteger(v))
  const step = Math.max(nice(spread / (classes * 5)), whole ? 1 : 0)
  const out: number[] = []
  for (let i = 1; i < classes; i++) {
    const q = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * i) / classes))]
    const b = Math.round(q / step) * step
    const clean = Number(b.toPrecision(6))
    if (clean > 0 && clean !== out[out.length - 1]) out.push(clean)
  }
  return out.filter((b, i) => i === 0 || b > out[i - 1])
}

/** evenBreaks proposes limits one round step apart: for rates, where equal steps read truer than equal shares. */
export function evenBreaks(values: number[], classes: number): number[] {
  const known = values.filter((v) => Number.isFinite(v) && v > 0)
  if (!known.length) return []
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const step = nice((high - low) / classes || high / classes)
  const first = Math.max(1, Math.ceil((low + step * 0.2) / step))
  const out: number[] = []
  for (let i = first; i * step < high && out.length < classes - 1; i++) out.push(Number((i * step).toPrecision(6)))
  return out
}

/** legendLimits reads the limits a server may send: numbers, or classes with from/to (min/max). */
export function legendLimits(legend: unknown): number[] {
  if (!Array.isArray(legend)) return []
  const raw = legend.map((x) => {
    if (typeof x === 'number') return x
    const o = x as Record<string, unknown>
    const n = o?.from ?? o?.min ?? o?.gte
    return typeof n === 'number' ? n : NaN
  })
  return [...new Set(raw.filter((n) => Number.isFinite(n) && n > 0))].sort((a, b) => a - b)
}

/** piecesOf makes the classes and their colours, low to high. */
export function piecesOf(limits: number[], ramp: string[]): Piece[] {
  const n = limits.length + 1
  const color = (i: number) => ramp[n === 1 ? 0 : Math.round((i * (ramp.length - 1)) / (n - 1))]
  return Array.from({ length: n }, (_, i) => {
    const from = i === 0 ? null : limits[i - 1]
    const to = i === n - 1 ? null : limits[i]
    const label = from === null ? (to === null ? '全部' : `低于 ${text(to)}`) : to === null ? `${text(from)} 及以上` : `${text(from)}～${text(to)}`
    return { from, to, label, color: color(i) }
  })
}

export function pieceOf(value: number, pieces: Piece[]): Piece | undefined {
  return pieces.find((p) => (p.from === null || value >= p.from) && (p.to === null || value < p.to))
}
