// The one theme of all charts. Console charts speak the tokens of styles/tokens.css (light and 夜班);
// the big screen has its own fixed dark set (contrast figures against its panel #0A2246).

/** Palette is every colour a chart may use. */
export interface Palette {
  text: string
  muted: string
  strong: string
  line: string
  panel: string
  main: string
  mainSoft: string
  second: string
  warn: string
  bad: string
  ok: string
  border: string
  empty: string
  hover: string
  /** Map ramp, low to high. */
  ramp: string[]
  /** Distinct hues for parts of a whole; text always names them too. */
  parts: string[]
  size: number
}

export type Look = 'console' | 'screen'

const SCREEN: Palette = {
  text: '#b9c9e6', // 9.4
  muted: '#9db2d8', // 7.3
  strong: '#ffffff',
  line: '#1d3a68',
  panel: '#0a2246',
  main: '#4f9be0',
  mainSoft: 'rgba(79,155,224,0.16)',
  second: '#ffd27a', // 10.3
  warn: '#ffd27a',
  bad: '#ff8a70',
  ok: '#67d0a0',
  border: '#6fa6e6',
  empty: '#0e2c55',
  hover: '#2e77c4',
  ramp: ['#12345f', '#1f5fa8', '#4f9be0', '#ffd27a', '#e5533d'],
  parts: ['#4f9be0', '#ffd27a', '#67d0a0', '#e5793d', '#9a8cf0', '#5fd0d8', '#8fa3c4'],
  size: 15,
}

const RAMP_LIGHT = ['#e6eff9', '#bcd5f0', '#86b3e2', '#4382c6', '#154d92']
const RAMP_DARK = ['#1f3350', '#28507f', '#3272b3', '#5b9ddd', '#a5ccf5']

/** paletteOf reads the tokens as they stand now, so a change of light and dark needs only a redraw. */
export function paletteOf(look: Look): Palette {
  if (look === 'screen') return SCREEN
  const css = getComputedStyle(document.documentElement)
  const v = (name: string, or: string) => css.getPropertyValue(name).trim() || or
  const dark = document.documentElement.classList.contains('dark')
  return {
    text: v('--ink-2', '#3c4656'),
    muted: v('--muted', '#566072'),
    strong: v('--ink', '#1f2733'),
    line: v('--line', '#d9dee7'),
    panel: v('--panel', '#ffffff'),
    main: v('--gov-blue', '#1a5fb4'),
    mainSoft: dark ? 'rgba(138,180,240,0.16)' : 'rgba(26,95,180,0.10)',
    second: dark ? '#7f8ea6' : '#a9b8cc',
    warn: v('--warn', '#9a5000'),
    bad: v('--red-text', '#b5121b'),
    ok: v('--ok', '#1d7a3e'),
    border: dark ? '#0f151d' : '#ffffff',
    empty: v('--panel-2', '#f7f9fc'),
    hover: dark ? '#49618a' : '#f5d48a',
    ramp: dark ? RAMP_DARK : RAMP_LIGHT,
    parts: dark
      ? ['#8ab4f0', '#f2b661', '#7fd19b', '#e58f7a', '#b3a5f5', '#79cfd6', '#a5afbf']
      : ['#1a5fb4', '#b06a00', '#1d7a3e', '#a8452b', '#6a4fb0', '#13767e', '#66758a'],
    size: 12,
  }
}

export const FONT = "-apple-system,'PingFang SC','HarmonyOS Sans SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"

/** still is true for people who asked for less motion. */
export const still = () => window.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false

/** base is what every chart starts from. */
export function base(p: Palette) {
  return {
    backgroundColor: 'transparent',
    animation: !still(),
    animationDuration: 400,
    animationDurationUpdate: 400,
    textStyle: { fontFamily: FONT, fontSize: p.size, color: p.text },
  }
}

export function tooltip(p: Palette) {
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: p.panel,
    borderColor: p.line,
    borderWidth: 1,
    padding: [6, 10],
    textStyle: { color: p.strong, fontSize: Math.max(13, p.size), fontFamily: FONT },
    extraCssText: 'box-shadow:none;border-radius:3px;max-width:320px;white-space:normal',
  }
}

export function valueAxis(p: Palette, extra: object = {}) {
  return {
    type: 'value' as const,
    axisLabel: { color: p.muted, fontSize: p.size, hideOverlap: true },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: p.line, type: 'solid' as const, opacity: 0.7 } },
    ...extra,
  }
}

export function categoryAxis(p: Palette, data: string[], extra: object = {}) {
  return {
    type: 'category' as const,
    data,
    axisLabel: { color: p.muted, fontSize: p.size, hideOverlap: true },
    axisLine: { lineStyle: { color: p.line } },
    axisTick: { show: false },
    ...extra,
  }
}
