import { onActivated, onBeforeUnmount, onDeactivated, shallowReactive } from 'vue'

/** One key of a page: what it is, what it says on the 快捷键 sheet, what it does. */
export interface Shortcut {
  keys: string
  label: string
  run: (e: KeyboardEvent) => void
  /** When given and false, the key is left alone. */
  when?: () => boolean
}
export interface ShortcutGroup {
  title: string
  items: Shortcut[]
}

/** The live groups, newest last; the newest wins when two pages claim one key. */
export const shortcutGroups = shallowReactive<ShortcutGroup[]>([])

/** Spells an event the way shortcuts are written: `Ctrl+Enter`, `Alt+1`, `?`, `M`. */
export function comboOf(e: KeyboardEvent): string {
  let key = e.key
  if (e.altKey && /^Digit\d$/.test(e.code)) key = e.code.slice(5)
  if (key === ' ') key = 'Space'
  if (key.length === 1) key = key.toUpperCase()
  const parts: string[] = []
  if (e.ctrlKey || e.metaKey) parts.push('Ctrl')
  if (e.altKey) parts.push('Alt')
  if (e.shiftKey && key.length > 1) parts.push('Shift')
  parts.push(key)
  return parts.join('+')
}

export function isTyping(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null
  if (!el || !el.tagName) return false
  if (el.isContentEditable || el.tagName === 'TEXTAREA' || el.tagName === 'SELECT') return true
  if (el.tagName !== 'INPUT') return false
  const type = (el as HTMLInputElement).type
  return type !== 'checkbox' && type !== 'radio' && type !== 'button'
}

const ON_ITS_OWN = new Set(['BUTTON', 'A', 'SUMMARY', 'INPUT'])

function handle(e: KeyboardEvent) {
  if (e.isComposing || e.defaultPrevented) return
  const combo = comboOf(e)
  const plain = !e.ctrlKey && !e.metaKey && !e.altKey
  // Function keys type nothing: the telephone's work while a form is written.
  if (plain && isTyping(e.target) && !/^F\d+$/.test(combo)) return
  if (plain && (combo === 'Enter' || combo === 'Space') && ON_ITS_OWN.has((e.target as HTMLElement).tagName)) return
  // A closed dialog stays in the page without a box.
  const dialogOpen = Array.from(document.querySelectorAll('.el-overlay-dialog')).some((el) => el.getClientRects().length > 0)
  for (let i = shortcutGroups.length - 1; i >= 0; i--) {
    const group = shortcutGroups[i]
    if (dialogOpen && !group.title.startsWith('弹窗') && group.title !== '电话') continue
    for (const s of group.items) {
      if (s.keys !== combo || (s.when && !s.when())) continue
      e.preventDefault()
      s.run(e)
      return
    }
  }
}

let listening = false

/** Registers a page's keys for as long as the calling component lives (and is not kept aside by keep-alive). */
export function useShortcuts(title: string, items: Shortcut[]) {
  const group: ShortcutGroup = { title, items }
  const add = () => {
    if (!shortcutGroups.includes(group)) shortcutGroups.push(group)
  }
  const remove = () => {
    const i = shortcutGroups.indexOf(group)
    if (i >= 0) shortcutGroups.splice(i, 1)
  }
  if (!listening) {
    listening = true
    window.addEventListener('keydown', handle)
  }
  add()
  onActivated(add)
  onDeactivated(remove)
  onBeforeUnmount(remove)
}
