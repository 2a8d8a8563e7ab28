import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/api/client'
import type { Meta, Option } from '@/api/types'

const LISTS = [
  'types', 'urgencies', 'secrecies', 'channels', 'labels', 'return_reasons', 'suspend_reasons', 'close_modes',
  'satisfactions', 'dissatisfactions', 'statuses', 'invalid_reasons', 'redirect_kinds', 'reveal_reasons',
] as const

/** Accepts a code list as plain words or as {value,label} / {code,name}. */
export function toOptions(list: unknown): Option[] {
  if (!Array.isArray(list)) return []
  return list.map((x) => {
    if (typeof x === 'string') return { value: x, label: x }
    const o = x as Record<string, string>
    const value = o.value ?? o.code ?? o.key ?? o.label ?? ''
    return { value, label: o.label ?? o.name ?? value, hint: o.hint }
  })
}

/** useMeta is the code lists of the platform, read once per tab. */
export const useMeta = defineStore('meta', () => {
  const meta = ref<Meta>({
    ...(Object.fromEntries(LISTS.map((k) => [k, []])) as unknown as Meta),
    lines: [],
    phrases: [],
  })
  let reading: Promise<void> | null = null

  function load(): Promise<void> {
    reading ??= api
      .get<Record<string, unknown>>('/meta')
      .then((raw) => {
        const lists = Object.fromEntries(LISTS.map((k) => [k, toOptions(raw[k])]))
        meta.value = {
          ...(lists as unknown as Meta),
          lines: (raw.lines as Meta['lines']) ?? [],
          phrases: (raw.phrases as Meta['phrases']) ?? [],
        }
      })
      .catch((err) => {
        reading = null
        throw err
      })
    return reading
  }

  function label(list: (typeof LISTS)[number], value?: string): string {
    return meta.value[list].find((o) => o.value === value)?.label ?? value ?? ''
  }

  return { meta, load, label }
})
