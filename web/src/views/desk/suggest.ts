import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { aids } from '@/api/aids'
import type { Caller, Suggest } from '@/api/types'
import { isPhone, normalPhone, type DeskBody } from './draft'

/** A ticket that may be the same matter, with what the seat may do to it for the citizen on its line. */
export type Duplicate = NonNullable<Suggest['duplicates']>[number] & { asks?: string[] }
/** Only a ticket still under way can be urged or added to: the seat's own, or the caller's while they ask for it. */
export const urgeable = (d: Duplicate) => Boolean(d.asks?.length) || Boolean(d.opens) && !/已办结|撤回|无效|并单|转接|引导/.test(d.status_label)

/** useSuggest asks for advice 400 ms after the last key; a late answer to an old question is dropped. */
export function useSuggest(body: () => DeskBody) {
  const suggest = shallowRef<Suggest | null>(null)
  const busy = ref(false)
  let timer = 0
  let abort: AbortController | null = null

  async function ask() {
    abort?.abort()
    const mine = (abort = new AbortController())
    const b = body()
    if ([...b.content.trim()].length < 5) {
      suggest.value = null
      busy.value = false
      return
    }
    busy.value = true
    try {
      const phone = isPhone(b.phone) ? normalPhone(b.phone) : undefined
      const read = await aids.suggest(
        {
          type: b.type || undefined, title: b.title.trim() || undefined, content: b.content.trim(), region: b.region || undefined,
          address: b.address.trim() || undefined, phone, urgency: b.urgency || undefined,
        },
        mine.signal,
      )
      if (abort === mine) suggest.value = read
    } catch {
      // Advice is an aid: without it the form works as before.
    } finally {
      if (abort === mine) busy.value = false
    }
  }
  watch(
    () => {
      const b = body()
      return [b.type, b.title, b.content, b.region, b.address, b.phone, b.urgency].join('\u0000')
    },
    () => {
      window.clearTimeout(timer)
      timer = window.setTimeout(() => void ask(), 400)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    window.clearTimeout(timer)
    abort?.abort()
  })
  return { suggest, busy }
}

/** useCaller looks the caller up once the number is whole. */
export function useCaller(phone: () => string) {
  const caller = shallowRef<Caller | null>(null)
  const state = ref<'idle' | 'loading' | 'ready' | 'error'>('idle')
  let timer = 0
  let turn = 0

  async function look(number: string) {
    const mine = ++turn
    state.value = 'loading'
    try {
      const read = await aids.caller(number)
      if (mine !== turn) return
      caller.value = read
      state.value = 'ready'
    } catch {
      if (mine === turn) state.value = 'error'
    }
  }
  watch(
    () => (isPhone(phone()) ? normalPhone(phone()) : ''),
    (number) => {
      window.clearTimeout(timer)
      turn++
      if (!number) {
        caller.value = null
        state.value = 'idle'
        return
      }
      timer = window.setTimeout(() => void look(number), 300)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => window.clearTimeout(timer))
  return { caller, state, again: () => look(normalPhone(phone())) }
}
