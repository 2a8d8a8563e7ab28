import { ref } from 'vue'

function query(text: string) {
  const list = window.matchMedia?.(text)
  const match = ref(Boolean(list?.matches))
  list?.addEventListener?.('change', (e) => (match.value = e.matches))
  return match
}

/** phone: cards and bottom bars instead of tables and side panels. */
export const phone = query('(max-width: 720px)')
/** narrow: 1366-wide desks, where side panels give way first. */
export const narrow = query('(max-width: 1439px)')
