// Where to write a name inside a polygon: the point farthest from its edges (pole of inaccessibility), by the
// quadtree search of Garcia-Castellanos & Lombardo as Mapbox describes it. A centroid would fall outside a
// crescent such as 夷陵区.

export type Point = [number, number]
/** Outer ring first, holes after it. */
export type Rings = Point[][]

/** Pole is the inner point and its distance to the nearest edge. */
export interface Pole {
  at: Point
  room: number
}

function segmentDistance2(px: number, py: number, a: Point, b: Point): number {
  let [x, y] = a
  let dx = b[0] - x
  let dy = b[1] - y
  if (dx !== 0 || dy !== 0) {
    const t = ((px - x) * dx + (py - y) * dy) / (dx * dx + dy * dy)
    if (t > 1) [x, y] = b
    else if (t > 0) {
      x += dx * t
      y += dy * t
    }
  }
  dx = px - x
  dy = py - y
  return dx * dx + dy * dy
}

/** Signed distance to the outline: positive inside. */
export function insideDistance(x: number, y: number, rings: Rings): number {
  let inside = false
  let min = Infinity
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[i]
      const b = ring[j]
      if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside
      min = Math.min(min, segmentDistance2(x, y, a, b))
    }
  }
  return (inside ? 1 : -1) * Math.sqrt(min)
}

interface Cell {
  x: number
  y: number
  h: number
  d: number
  max: number
}

function cell(x: number, y: number, h: number, rings: Rings): Cell {
  const d = insideDistance(x, y, rings)
  return { x, y, h, d, max: d + h * Math.SQRT2 }
}

/** pole finds the inner point of one polygon to within `precision` of its own units. */
export function pole(rings: Rings, precision: number): Pole {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y] of rings[0]) {
    minX = Math.min(minX, x)
    maxX = Math.max(maxX, x)
    minY = Math.min(minY, y)
    maxY = Math.max(maxY, y)
  }
  const size = Math.min(maxX - minX, maxY - minY)
  if (size === 0) return { at: [minX, minY], room: 0 }
  const queue: Cell[] = []
  for (let x = minX; x < maxX; x += size) {
    for (let y = minY; y < maxY; y += size) queue.push(cell(x + size / 2, y + size / 2, size / 2, rings))
  }
  let best = cell((minX + maxX) / 2, (minY + maxY) / 2, 0, rings)
  while (queue.length) {
    let top = 0
    for (let i = 1; i < queue.length; i++) if (queue[i].max > queue[top].max) top = i
    const c = queue[top]
    queue[top] = queue[queue.length - 1]
    queue.pop()
    if (c.d > best.d) best = c
    if (c.max - best.d <= precision) continue
    const h = c.h / 2
    for (const [sx, sy] of [[-h, -h], [h, -h], [-h, h], [h, h]]) queue.push(cell(c.x + sx, c.y + sy, h, rings))
  }
  return { at: [best.x, best.y], room: best.d }
}
