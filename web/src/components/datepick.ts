import dayjs from 'dayjs'
import { beijing } from '@/composables/format'

// The calendar of Element Plus knows the browser's zone alone. It is given times of day without a zone, and its “now”
// and “today” are those of 北京时间.
dayjs.extend((_, type) => {
  const own = type.prototype as unknown as { parse(cfg: { date?: unknown }): void }
  const parse = own.parse
  own.parse = function (cfg) {
    parse.call(this, cfg.date === undefined ? { ...cfg, date: wall(new Date().toISOString()) } : cfg)
  }
})

/** `2026-11-23T09:00:00`: a moment as the clock on a wall in Beijing shows it. */
const wall = (at: string) => beijing(at).toISOString().slice(0, 19)

/** A moment as the calendar shows it; nothing for what is no moment. */
export const asShown = (at: string | null) => (at && !Number.isNaN(Date.parse(at)) ? wall(at) : null)
/** What was picked, with the zone it was meant in. */
export const asPicked = (time: string | null) => (time ? `${time}+08:00` : null)
