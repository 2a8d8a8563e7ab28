// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSeat, type Outside, type Socket } from './seat'
import type { VoiceEvents } from './voice'
import { alawFirst } from './voice'

// The seat against a scripted server: what is pushed is what is shown, and nothing is lost on the way.

class Line implements Socket {
  sent: Record<string, unknown>[] = []
  onopen = null
  onmessage: ((e: MessageEvent) => void) | null = null
  onclose: ((e: CloseEvent) => void) | null = null
  closed = false
  deaf = false // a cut cable: nothing arrives, nothing is closed
  send(text: string) {
    const m = JSON.parse(text)
    if (m.cmd !== 'ping') this.sent.push(m)
    else if (!this.deaf) this.push({ type: 'reply', id: m.id, ok: true })
  }
  close() {
    this.closed = true
  }
  push(m: object) {
    this.onmessage?.({ data: JSON.stringify(m) } as MessageEvent)
  }
  /** Answers the newest command of a name. */
  reply(cmd: string, r: object = { ok: true }) {
    const c = this.sent.filter((s) => s.cmd === cmd).at(-1)!
    this.push({ type: 'reply', id: c.id, ...r })
  }
  drop(code: number) {
    this.onclose?.({ code } as CloseEvent)
  }
}

let lines: Line[]
let tell: VoiceEvents
let offered: ((sdp: string) => Promise<string>)[]
let lost: () => void
const outside = (): Outside => ({
  socket: () => {
    lines.push(new Line())
    return lines.at(-1)!
  },
  voice: (t) => {
    tell = t
    return { open: async (offer) => void offered.push(offer), close: () => t.state('off'), play: () => undefined }
  },
  lock: async (_, __, l) => {
    lost = l
    return () => undefined
  },
})
async function online() {
  const seat = createSeat(outside())
  await seat.open('42')
  lines[0].push({ type: 'hello', seat: '42', no: '1024', name: '王芳', state: 'unready', since: 1, up: false })
  return seat
}
const RING = { type: 'ringing', call: '7', number: '138****4567', line: '12345', region: '420100', calls: 3, open: 1, why: '空闲最久', ring: 15 }

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  offered = []
})
afterEach(() => vi.useRealTimers())

test('渐进外呼开着没有、歇到何时，以服务器说的为准', async () => {
  const seat = await online()
  expect(seat.progressive.value).toBe(false)
  lines[0].push({ type: 'state', state: 'ready', since: 2, up: true, progressive: true, rests: 1795647600000 })
  expect([seat.progressive.value, seat.rests.value]).toEqual([true, 1795647600000])
  lines[0].push({ type: 'state', state: 'ready', since: 2, up: true })
  expect([seat.progressive.value, seat.rests.value]).toEqual([false, 0])
})

test('签入后接通语音，状态跟着服务器走', async () => {
  const seat = await online()
  expect(seat.link.value).toBe('online')
  expect(seat.no.value).toBe('1024')
  const answer = offered[0]('v=0')
  lines[0].reply('offer', { ok: true, sdp: 'answer' })
  expect(await answer).toBe('answer')
  lines[0].push({ type: 'state', state: 'ready', since: 5, up: true })
  expect([seat.state.value, seat.up.value]).toEqual(['ready', true])
})

test('振铃、接听、显号、挂机、话后', async () => {
  const seat = await online()
  lines[0].push({ type: 'state', state: 'ringing', since: 9, up: true })
  lines[0].push(RING)
  expect(seat.ringing.value?.why).toBe('空闲最久')
  const done = seat.run('answer', { call: '7' })
  lines[0].reply('answer')
  expect(await done).toBe(true)
  lines[0].push({ type: 'call', call: '7', phase: 'talk', draft: 'call-7', number: '138****4567' })
  lines[0].push({ type: 'caller', call: '7', number: '13812344567' })
  expect(seat.ringing.value).toBeNull()
  expect([seat.call.value?.draft, seat.number.value]).toEqual(['call-7', '13812344567'])
  lines[0].push({ type: 'done', call: '7', result: 'answered', wrap: 45 })
  lines[0].push({ type: 'state', state: 'acw', since: 20, until: 45_020, up: true })
  expect([seat.call.value, seat.number.value, seat.state.value, seat.until.value]).toEqual([null, '', 'acw', 45_020])
})

test('未接听转走，弹屏收起', async () => {
  const seat = await online()
  lines[0].push(RING)
  lines[0].push({ type: 'stop_ring', call: '7' })
  lines[0].push({ type: 'notice', code: 'no_answer', text: '来电未及时接听，已转给其他座席。' })
  expect(seat.ringing.value).toBeNull()
  expect(seat.line.value).toContain('未及时接听')
  await vi.advanceTimersByTimeAsync(15_000)
  expect(seat.notice.value).toBe('')
})

test('被拒绝的指令用服务器的话说明，不改状态', async () => {
  const seat = await online()
  const done = seat.run('ready')
  lines[0].reply('ready', { ok: false, code: 'no_voice', text: '语音通道尚未接通，暂不能就绪。' })
  expect(await done).toBe(false)
  expect([seat.state.value, seat.line.value]).toEqual(['unready', '语音通道尚未接通，暂不能就绪。'])
})

test('断线重连接着通话，等待中的指令说明没有执行', async () => {
  const seat = await online()
  tell.state('on')
  lines[0].push({ type: 'state', state: 'talking', since: 9, up: true })
  lines[0].push({ type: 'call', call: '7', phase: 'talk' })
  const waiting = seat.run('hold', { on: true })
  lines[0].drop(1006)
  expect(await waiting).toBe(false)
  expect(seat.link.value).toBe('lost')
  expect(seat.call.value?.call).toBe('7')
  await vi.advanceTimersByTimeAsync(300)
  expect(lines.length).toBe(2)
  lines[1].push({ type: 'hello', no: '1024', state: 'talking', since: 9, up: true })
  lines[1].push({ type: 'call', call: '7', phase: 'talk', held: true })
  expect([seat.link.value, seat.call.value?.held]).toEqual(['online', true])
  expect(offered.length).toBe(1) // the sound never stopped
})

test('网线断了，套接字不会自己关：几秒内发现，重拨也不久等', async () => {
  const seat = await online()
  lines[0].push({ type: 'state', state: 'talking', since: 9, up: true })
  lines[0].push({ type: 'call', call: '7', phase: 'talk' })
  await vi.advanceTimersByTimeAsync(60_000)
  expect([seat.link.value, seat.cut.value, lines.length]).toEqual(['online', '', 1])
  lines[0].deaf = true
  await vi.advanceTimersByTimeAsync(10_000)
  expect([seat.link.value, lines[0].closed]).toEqual(['lost', true])
  expect(seat.cut.value).toContain('正在重连')
  expect(seat.call.value?.call).toBe('7')
  const tried = lines.length
  await vi.advanceTimersByTimeAsync(20_000) // what was dialled into the void is given up
  expect(lines.length).toBeGreaterThan(tried)
  lines.at(-1)!.push({ type: 'hello', no: '1024', state: 'unready', since: 1, up: false })
  expect([seat.link.value, seat.cut.value, seat.call.value]).toEqual(['online', '', null])
  expect(seat.line.value).toContain('草稿保留')
})

test('没有话筒、接不通、没有语音平台，各说一句', async () => {
  const seat = await online()
  tell.microphone(false)
  expect(seat.line.value).toContain('没有可用的话筒')
  tell.state('failed')
  expect(seat.line.value).toContain('语音通道接不通')
  lines[0].drop(4503)
  expect(seat.link.value).toBe('absent')
  expect(await seat.run('ready')).toBe(false)
})

test('没有席位的岗位不再重连；退出后不留状态', async () => {
  const seat = await online()
  lines[0].drop(4403)
  await vi.advanceTimersByTimeAsync(120_000)
  expect([seat.link.value, lines.length]).toEqual(['refused', 1])
  seat.close()
  expect([seat.link.value, seat.state.value]).toEqual(['off', 'off'])
})

test('另一个页面拿走席位后本页安静', async () => {
  const seat = await online()
  lost()
  expect([seat.link.value, lines[0].closed]).toEqual(['elsewhere', true])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(lines.length).toBe(1)
})

test('班长墙有人看才推送，重连后接着推', async () => {
  const seat = await online()
  const hide = seat.showWall()
  expect(lines[0].sent.at(-1)).toMatchObject({ cmd: 'wall', on: true })
  lines[0].push({ type: 'wall', wall: { at: 1, seats: [] } })
  expect(seat.wall.value?.at).toBe(1)
  hide()
  expect(lines[0].sent.at(-1)).toMatchObject({ cmd: 'wall', on: false })
})

test('编码以 PCMA 为先', () => {
  const list = ['audio/opus', 'audio/PCMU', 'audio/telephone-event', 'audio/PCMA'].map((mimeType) => ({ mimeType }))
  expect(alawFirst(list).map((c) => c.mimeType)).toEqual(['audio/PCMA', 'audio/PCMU', 'audio/telephone-event'])
})

test('a seat that answers at a SIP phone closes its browser sound, and opens it again when it comes back', async () => {
  const seat = await online()
  tell.state('on')
  lines[0].push({ type: 'devices', devices: [{ user: '8001', place: '3号席', up: false }] })
  expect(seat.devices.value).toHaveLength(1)
  lines[0].push({ type: 'state', state: 'unready', phone: '8001' })
  expect(seat.voice.value).toBe('off')
  expect(seat.line.value).toContain('话机8001未注册')
  lines[0].push({ type: 'state', state: 'ready', phone: '8001', up: true })
  expect(seat.line.value).toBe('')
  const before = offered.length
  lines[0].push({ type: 'state', state: 'unready' })
  expect(seat.phone.value).toBe('')
  expect(offered.length).toBe(before + 1)
})
