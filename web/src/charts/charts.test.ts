import { describe, expect, it } from 'vitest'
import { insideDistance, pole, type Rings } from './polylabel'
import { breaks, evenBreaks, legendLimits, nice, pieceOf, piecesOf } from './scale'

const square: Rings = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
// A crescent: its centroid lies outside of it, as with 夷陵区.
const crescent: Rings = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 8], [8, 8], [8, 2], [0, 2], [0, 0]]]

describe('地图注记点', () => {
  it('正方形取中心', () => {
    const p = pole(square, 0.01)
    expect(p.at[0]).toBeCloseTo(5, 1)
    expect(p.room).toBeCloseTo(5, 1)
  })
  it('月牙形的注记点在图形之内', () => {
    const p = pole(crescent, 0.01)
    expect(insideDistance(p.at[0], p.at[1], crescent)).toBeGreaterThan(0.9)
  })
  it('有洞时避开洞', () => {
    const hole: Rings = [...square, [[3, 3], [7, 3], [7, 7], [3, 7], [3, 3]]]
    const p = pole(hole, 0.01)
    expect(insideDistance(p.at[0], p.at[1], hole)).toBeGreaterThan(1.4)
  })
})

describe('分级', () => {
  it('取整到一二五', () => {
    expect([nice(0.34), nice(1.2), nice(7), nice(230)]).toEqual([0.5, 2, 10, 250])
  })
  it('等距分级的界限是整齐的小数', () => {
    expect(evenBreaks([0.6, 0.65, 1.4, 1.9, 2.71], 5)).toEqual([1, 1.5, 2, 2.5])
  })
  it('件数分级不出现小数', () => {
    for (const b of breaks([3, 8, 15, 40, 90, 400], 5)) expect(Number.isInteger(b)).toBe(true)
  })
  it('没有数据时只有一级', () => {
    const p = piecesOf(evenBreaks([], 5), ['#111111', '#222222'])
    expect(p).toHaveLength(1)
    expect(p[0].label).toBe('全部')
  })
  it('每个值恰好落在一级里', () => {
    const p = piecesOf([1, 2], ['#1', '#2', '#3'])
    expect(p.map((x) => x.label)).toEqual(['低于 1', '1～2', '2 及以上'])
    for (const v of [0, 0.99, 1, 1.5, 2, 99]) expect(p.filter((x) => pieceOf(v, [x]))).toHaveLength(1)
  })
  it('服务器给的图例可以是数或区间', () => {
    expect(legendLimits([2, 1])).toEqual([1, 2])
    expect(legendLimits([{ to: 1 }, { from: 1, to: 3 }, { min: 3 }])).toEqual([1, 3])
  })
})
