import { computed, ref, watchEffect } from 'vue'

export type Theme = 'light' | 'dark' | 'auto'
const KEY = 'hotline.theme'
const SIZE_KEY = 'hotline.fontsize'

/** theme and fontSize are the person's own settings on this computer. */
export const theme = ref<Theme>((localStorage.getItem(KEY) as Theme) || 'light')
export const fontSize = ref(Number(localStorage.getItem(SIZE_KEY)) || 14)

const system = window.matchMedia?.('(prefers-color-scheme: dark)')
const systemDark = ref(Boolean(system?.matches))
system?.addEventListener?.('change', (e) => (systemDark.value = e.matches))

/** dark is what is shown: the setting, or the system's where the person follows it. Charts repaint by it. */
export const dark = computed(() => theme.value === 'dark' || (theme.value === 'auto' && systemDark.value))

export function startTheme() {
  watchEffect(() => {
    document.documentElement.classList.toggle('dark', dark.value)
    localStorage.setItem(KEY, theme.value)
  }, { flush: 'sync' })
  watchEffect(() => {
    // 12–16 px steps move with the base size; the phone layout keeps its own.
    const root = document.documentElement.style
    if (fontSize.value === 14) {
      for (const n of ['--fs-1', '--fs-2', '--fs', '--fs-3', '--row-h']) root.removeProperty(n)
    } else {
      const d = fontSize.value - 14
      root.setProperty('--fs-1', `${12 + d}px`)
      root.setProperty('--fs-2', `${13 + d}px`)
      root.setProperty('--fs', `${14 + d}px`)
      root.setProperty('--fs-3', `${16 + d}px`)
      root.setProperty('--row-h', `${38 + d * 2}px`)
    }
    localStorage.setItem(SIZE_KEY, String(fontSize.value))
  })
}
