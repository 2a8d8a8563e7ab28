// Hubei's boundaries: 17 市州 and 103 county units, read once, with a label point inside each polygon.
import { api } from '@/api/client'
import { getMap, registerMap } from './echarts'
import { pole, type Point, type Pole, type Rings } from './polylabel'

/** How much a degree of longitude is narrower than one of latitude at 31°N. */
export const ASPECT = 0.86

export interface Feature {
  type: 'Feature'
  properties: { adcode: string; name: string; parent?: string; cp?: Point }
  geometry: { type: 'Polygon'; coordinates: Rings } | { type: 'MultiPolygon'; coordinates: Rings[] }
}
export interface Collection {
  type: 'FeatureCollection'
  features: Feature[]
}
/** Place is one drawn unit: its code, its names and where its name is written. */
export interface Place {
  code: string
  name: string
  short: string
  parent: string
  at: Point
  room: number
}
export interface Atlas {
  map: string
  places: Place[]
  byCode: Map<string, Place>
}

const SHORT: Record<string, string> = {
  恩施土家族苗族自治州: '恩施', 神农架林区: '神农架', 长阳土家族自治县: '长阳县', 五峰土家族自治县: '五峰县',
}

/** 武汉市 → 武汉; a county keeps its last word, because 荆州区 and 荆州市 differ by it. */
function shortName(name: string, prefecture: boolean): string {
  if (SHORT[name]) return SHORT[name]
  return prefecture ? name.replace(/(市|州|地区|林区)$/, '') : name
}

/** labelPoint is the inner point of a feature's largest part, in degrees. */
function labelPoint(f: Feature): Pole {
  const parts: Rings[] = f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates
  let best: Pole | null = null
  for (const rings of parts) {
    const flat = rings.map((ring) => ring.map(([x, y]) => [x * ASPECT, y] as Point))
    const found = pole(flat, 0.004)
    if (!best || found.room > best.room) best = found
  }
  return { at: [best!.at[0] / ASPECT, best!.at[1]], room: best!.room }
}

function atlas(map: string, data: Collection, prefecture: boolean): Atlas {
  const places = data.features.map((f) => {
    const found = labelPoint(f)
    f.properties.cp = found.at
    const { adcode, name, parent } = f.properties
    return { code: adcode, name, short: shortName(name, prefecture), parent: parent ?? '420000', ...found }
  })
  // ECharts matches data to shapes by name; the code is the name here, because 市中区-like names repeat.
  const named = { ...data, features: data.features.map((f) => ({ ...f, properties: { ...f.properties, name: f.properties.adcode } })) }
  if (!getMap(map)) registerMap(map, named as never)
  return { map, places, byCode: new Map(places.map((p) => [p.code, p])) }
}

const read = new Map<string, Promise<Collection>>()
function collection(level: 'pref' | 'county'): Promise<Collection> {
  let p = read.get(level)
  if (!p) {
    p = api.get<Collection>(`/geo/${level}.json`)
    p.catch(() => read.delete(level))
    read.set(level, p)
  }
  return p
}

const atlases = new Map<string, Atlas>()

/** loadAtlas gives the 17 市州, all county units ('county'), or the counties of one prefecture (its code). */
export async function loadAtlas(which: 'pref' | 'county' | string): Promise<Atlas> {
  const known = atlases.get(which)
  if (known) return known
  const data = await collection(which === 'pref' ? 'pref' : 'county')
  const own = which === 'pref' || which === 'county' ? data : { ...data, features: data.features.filter((f) => f.properties.parent === which || f.properties.adcode === which) }
  const made = atlas(`hubei-${which}`, own, which === 'pref')
  atlases.set(which, made)
  return made
}
