/**
 * Element Plus's select keeps Escape to itself even while its list is shut, so a dialog whose focus is in a select
 * could not be closed from the keyboard. With the list open Escape shuts the list; with the list shut it belongs to
 * what stands around the select.
 */
export function passEscape(e: KeyboardEvent): void {
  if (e.key !== 'Escape' || !(e.target instanceof HTMLElement)) return
  const select = e.target.closest('.el-select')
  if (!select || e.target.getAttribute('aria-expanded') === 'true') return
  e.stopPropagation()
  select.parentElement?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', code: 'Escape', bubbles: true, cancelable: true }))
}
