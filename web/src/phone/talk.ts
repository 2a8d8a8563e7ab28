import { ref } from 'vue'
import { useSeat, type Seat } from './seat'
import type { Push, Segment } from './types'

/** What was said in one call, sentence by sentence; a sentence still being understood is replaced by its later form. */
export function createTalk(seat: Pick<Seat, 'on'>) {
  const said = ref<Record<string, Segment[]>>({}) // by call
  const state = ref<'off' | 'on' | 'lost'>('off')
  const name = ref('')
  const note = ref('')

  let owner = ''
  function hear(m: Push) {
    if (m.type === 'hello' && m.seat !== owner) {
      owner = m.seat ?? ''
      said.value = {} // nobody reads what another seat heard
    }
    if (m.type === 'transcribing') {
      state.value = m.code === 'on' || m.code === 'lost' ? m.code : 'off'
      name.value = m.name ?? ''
      note.value = m.text ?? ''
    } else if (m.type === 'transcript' && m.segment) {
      const list = (said.value[m.call] ??= [])
      const i = list.findIndex((s) => s.id === m.segment!.id)
      if (i >= 0) {
        if (!list[i].final) list[i] = m.segment
      } else list.push(m.segment)
      list.sort((a, b) => a.at - b.at)
      const calls = Object.keys(said.value)
      if (calls.length > KEPT) delete said.value[calls.find((c) => c !== m.call)!]
    }
  }
  seat.on(hear)
  return { said, state, name, note }
}
/** A call that is over is still read while its form is filled in. */
const KEPT = 4

let one: ReturnType<typeof createTalk> | null = null
/** useTalk is what the one seat of this page hears. */
export function useTalk() {
  return (one ??= createTalk(useSeat()))
}
