import { expect, test } from 'vitest'
import { createTalk } from './talk'
import type { Push, Segment } from './types'

function stage() {
  let tell: (m: Push) => void = () => undefined
  const talk = createTalk({ on: (fn: unknown) => ((tell = fn as typeof tell), () => true) } as never)
  const say = (call: string, s: Partial<Segment>) => tell({ type: 'transcript', call, segment: { who: 'caller', label: '诉求人', to: 0, at: 0, text: '', final: false, id: '', ...s } } as Push)
  return { talk, tell: (m: object) => tell(m as Push), say }
}

test('a sentence grows until it is final, and stays', () => {
  const { talk, say } = stage()
  say('7', { id: 'a', at: 10, text: '我要' })
  say('7', { id: 'b', at: 5, text: '您好', who: 'seat', final: true })
  say('7', { id: 'a', at: 10, text: '我要投诉。', final: true })
  say('7', { id: 'a', at: 10, text: '我', final: false }) // late
  expect(talk.said.value['7'].map((s) => s.text)).toEqual(['您好', '我要投诉。'])
})

test('another seat starts with nothing, the same one keeps what was said', () => {
  const { talk, tell, say } = stage()
  tell({ type: 'hello', seat: 's1' })
  say('7', { id: 'a', text: '我要投诉。', final: true })
  tell({ type: 'hello', seat: 's1' })
  expect(talk.said.value['7']).toHaveLength(1)
  tell({ type: 'hello', seat: 's2' })
  expect(talk.said.value).toEqual({})
})

test('only the last calls are kept', () => {
  const { talk, say } = stage()
  for (const c of ['c1', 'c2', 'c3', 'c4', 'c5']) say(c, { id: 'a', text: '您好', final: true })
  expect(Object.keys(talk.said.value)).toEqual(['c2', 'c3', 'c4', 'c5'])
})

test('the state is told in words', () => {
  const { talk, tell } = stage()
  expect(talk.state.value).toBe('off')
  tell({ type: 'transcribing', code: 'lost', name: 'FunASR', text: '转写暂不可用，通话不受影响。' })
  expect([talk.state.value, talk.name.value, talk.note.value]).toEqual(['lost', 'FunASR', '转写暂不可用，通话不受影响。'])
})
