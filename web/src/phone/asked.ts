import { ref } from 'vue'
import { api } from '@/api/client'
import type { Field } from '@/api/types'
import { attemptFor, type Attempt } from '@/composables/acts'
import type { Values } from '@/composables/actform'

export type What = 'urge' | 'note'
/** A ticket of the citizen on the line: the seat's own to open, or one that it may only urge and add to while they ask for it. */
export interface Known {
  id: string
  number: string
  title: string
  opens?: boolean
  asks?: string[]
}
const ACT = { urge: 'urge', note: 'supplement' }
const WORD = { urge: '催办', note: '补充' }

/** Whether the seat may urge the ticket or add to it now. */
export const mayAsk = (t: Known, what: What) => Boolean(t.opens || t.asks?.includes(ACT[what]))

/** useAsked takes a step that the citizen on the line asks for, on a ticket that another seat took up. */
export function useAsked() {
  const open = ref(false)
  const title = ref('')
  const submit = ref('')
  const fields = ref<Field[]>([])
  const preset = ref<Values>({})
  let target = { call: '', ticket: '', act: '' }
  let last: Attempt | null = null

  function start(call: string, t: Known, what: What, text: string) {
    target = { call, ticket: t.id, act: ACT[what] }
    title.value = `${WORD[what]}：${t.title}`
    submit.value = WORD[what]
    fields.value = [{ name: 'text', label: what === 'urge' ? '催办说明' : '补充内容', type: 'textarea', required: what === 'note', max: 2000 }]
    preset.value = text.trim() ? { text: text.trim().slice(0, 2000) } : {}
    last = null
    open.value = true
  }
  function run(values: Values) {
    const body = { ticket: target.ticket, act: target.act, text: values.text ?? '' }
    last = attemptFor([target.call, body], last)
    return api.post<{ message: string }>(`/calls/${target.call}/ask`, body, { key: last.key })
  }
  return { open, title, submit, fields, preset, start, run }
}
