import { evenBreaks, legendLimits, piecesOf, pieceOf, type Piece } from '@/charts/scale'
import { paletteOf } from '@/charts/theme'
import type { ScreenData } from './model'

/** The limits of the map's classes: the server's when it sends them, else round ones from the figures. */
export function pieceLimits(data: ScreenData | undefined): number[] {
  if (!data) return []
  const sent = legendLimits(data.legend)
  return sent.length ? sent : evenBreaks(data.cities.flatMap((c) => c.per10k ?? []), 5)
}

export const screenPieces = (limits: number[]): Piece[] => piecesOf(limits, paletteOf('screen').ramp)

export function colorOf(value: number | null, pieces: Piece[]): string {
  return value === null ? 'transparent' : pieceOf(value, pieces)?.color ?? 'transparent'
}
