import type { Action, Field } from '@/api/types'
import type { Values } from './actform'

// Pages know what a key means (通过, 同意, 派给这家); the server names the fields. These find the one from the other.

function fieldOf(action: Action | undefined, type: Field['type']): Field | undefined {
  return action?.fields?.find((f) => f.type === type)
}

/** `{unit: id}` under whatever name the act calls its 承办单位. */
export function unitPreset(action: Action | undefined, unit?: string): Values {
  const f = fieldOf(action, 'unit')
  return f && unit ? { [f.name]: unit } : {}
}

/** The radio whose option reads like the wanted answer is set to it. */
export function choicePreset(action: Action | undefined, wanted: RegExp): Values {
  for (const f of action?.fields ?? []) {
    if (f.type !== 'radio' && f.type !== 'select') continue
    const o = f.options?.find((x) => wanted.test(x.label))
    if (o) return { [f.name]: o.value }
  }
  return {}
}
