import { computed, onBeforeUnmount, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { tickets, type TicketFilter } from '@/api/tickets'
import type { ActionResult, Queue, TicketRow } from '@/api/types'
import { useChanges } from '@/stores/live'
import { useMe } from '@/stores/me'
import { useActs } from './acts'
import { useTicket } from './ticket'
import type { Values } from './actform'
import { useList } from './list'
import { phone } from './media'
import { toast } from './toast'

const DRAWER_KEY = 'hotline.drawer'
const OWN = new Set(['id'])

/** Filters as the address bar holds them: any number on any page can link to the tickets behind it. */
function filterOf(query: Record<string, unknown>): TicketFilter {
  const out: TicketFilter = {}
  for (const [k, v] of Object.entries(query)) {
    if (!OWN.has(k) && typeof v === 'string' && v !== '') out[k] = v
  }
  return out
}

/**
 * useBoard is the state behind every page of queues: which queue, which filters (both in the address), the list, the
 * row in hand, the open drawer, the ticked rows, and acts started from rows or keys. `busyOnly` hides empty queues.
 */
export function useBoard(page: string, firstQueue = '', busyOnly = false) {
  const route = useRoute()
  const router = useRouter()
  const me = useMe()
  const queues = ref<Queue[]>([])
  const current = ref('')
  const selected = ref<string[]>([])
  const drawer = ref(localStorage.getItem(DRAWER_KEY) !== 'closed')
  const name = route.name

  const filter = computed(() => filterOf(route.query))
  // A page opens where something waits, and stays there.
  const landing = ref(firstQueue)
  const queue = computed(() => filter.value.queue || landing.value)
  const filtered = computed(() => Object.keys(filter.value).some((k) => k !== 'queue' && k !== 'sort'))
  const list = useList<TicketRow>((cursor, limit) => tickets.list({ ...filter.value, queue: queue.value }, cursor, limit))
  const row = computed(() => list.items.value.find((r) => r.id === current.value) ?? null)
  const opened = computed(() => (phone.value ? String(route.query.id ?? '') : drawer.value ? current.value : ''))
  // What the drawer shows; while it is shut nothing is read, because every reading of a ticket is on record.
  const focus = useTicket(opened, 110)
  /**
   * Whether one of the acts can be done on this row now, or without names the expected step; unknown counts as yes,
   * the server has the last word.
   */
  function offers(r: TicketRow | null, names: string[]): boolean {
    const t = focus.ticket.value
    if (!r || !t || t.id !== r.id) return true
    return Boolean(t.actions?.some((a) => (names.length ? names.includes(a.name) : a.primary)))
  }
  const queueInfo = computed(() => queues.value.find((q) => q.queue === queue.value))

  function go(query: Record<string, unknown>, replace = true) {
    const clean = Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== '' && v !== null)) as Record<string, string>
    void router[replace ? 'replace' : 'push']({ query: clean })
  }
  const setQueue = (q: string) => go({ ...filter.value, queue: q })
  const setFilter = (part: Record<string, unknown>) => go({ ...filter.value, queue: filter.value.queue, ...part })
  const clearFilter = () => go({ queue: filter.value.queue })

  async function readQueues() {
    try {
      const read = (await tickets.queues(page)).items ?? []
      landing.value ||= (read.find((q) => q.count > 0) ?? read[0])?.queue ?? ''
      queues.value = busyOnly ? read.filter((q) => q.count > 0 || q.queue === filter.value.queue) : read
    } catch {
      // The list below reports what is wrong.
    }
  }

  function open(r: TicketRow) {
    current.value = r.id
    if (phone.value) go({ ...route.query, id: r.id }, false)
    else setDrawer(true)
  }
  function setDrawer(on: boolean) {
    if (phone.value) {
      if (!on && route.query.id) router.back()
      return
    }
    drawer.value = on
    localStorage.setItem(DRAWER_KEY, on ? 'open' : 'closed')
  }

  const acts = useActs((result) => afterAct(result))
  /** After an act the list is read again; the place in it stays, so the next row is under the hand. */
  function afterAct(result: ActionResult | null) {
    if (result) selected.value = selected.value.filter((id) => id !== result.id)
    else selected.value = []
    if (opened.value) void focus.reload()
    void list.refresh()
    void readQueues()
    void me.loadCounts()
  }

  const fetching = ref('')
  /** Starts the first of the named acts that the server offers on this row; no names means the expected step. */
  async function startOn(r: TicketRow | null, names: string[], preset: Values = {}) {
    if (!r || fetching.value) return
    fetching.value = r.id
    try {
      const known = focus.ticket.value
      const t = known?.id === r.id && known.version >= r.version ? known : await tickets.get(r.id)
      const primary = names.length ? undefined : t.actions?.find((a) => a.primary)
      if (!names.length && !primary && opened.value !== r.id) {
        open(r)
        return
      }
      const found = primary ?? names.map((n) => t.actions?.find((a) => a.name === n && (!r.assignment || !a.assignment || a.assignment === r.assignment)) ?? t.actions?.find((a) => a.name === n)).find(Boolean)
      if (found) await acts.start(found, t, preset)
      else toast.info(`这件工单现在是“${t.status_label}”，${names.length ? '没有可做的这一步' : '没有要您办理的步骤'}。`)
    } catch (err) {
      toast.error(err)
    } finally {
      fetching.value = ''
    }
  }

  /** One act on all ticked rows; what it needs is read from the first of them. */
  async function startBatch(names: string[], preset: Values = {}) {
    const rows = list.items.value.filter((r) => selected.value.includes(r.id))
    if (!rows.length) {
      toast.info('请先用空格勾选工单。')
      return
    }
    if (rows.length === 1) return startOn(rows[0], names, preset)
    try {
      const t = await tickets.get(rows[0].id)
      const found = t.actions?.find((a) => names.includes(a.name))
      if (!found) {
        toast.info(`“${t.title}”没有可做的这一步。`)
        return
      }
      // What one ticket already holds is not what the others should become: only required fields keep a default.
      const fields = found.fields?.map((f) => (f.required ? f : { ...f, default: undefined }))
      const shared = { ...found, fields, assignment: undefined, unit_name: undefined }
      acts.startBatch(shared, rows.map((r) => ({ id: r.id, version: r.version, number: r.number, title: r.title, assignment: r.assignment })), preset)
    } catch (err) {
      toast.error(err)
    }
  }

  const key = computed(() => JSON.stringify([queue.value, filter.value]))
  const ready = ref(Boolean(filter.value.queue || firstQueue))
  watch(key, () => {
    if (route.name !== name || !ready.value) return
    selected.value = []
    void list.load()
  })
  void readQueues().then(() => {
    if (ready.value) return
    ready.value = true
    void list.load()
  })
  if (ready.value) void list.load()

  useChanges(['ticket', 'queue'], () => {
    void list.refresh()
    void readQueues()
  }, 2500)
  // Remaining times are written by the server: read them again while the page is looked at.
  const timer = window.setInterval(() => document.visibilityState === 'visible' && void list.refresh(), 120_000)
  onBeforeUnmount(() => window.clearInterval(timer))

  return {
    queues, queue, queueInfo, setQueue, filter, filtered, setFilter, clearFilter, list, current, row, focus, offers, selected, drawer, opened, open, setDrawer,
    acts, afterAct, startOn, startBatch, readQueues,
  }
}
export type Board = ReturnType<typeof useBoard>
