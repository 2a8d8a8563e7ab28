import { computed, reactive, toRefs } from 'vue'
import { tabToken } from '@/api/client'
import { openVoice, type Voice, type VoiceEvents, type VoiceState } from './voice'
import type { Call, Device, Done, Push, Quality, Reply, SeatState, Wall } from './types'

/** Link is the page's tie to the exchange. `absent`: none here. `elsewhere`: another page of this computer has the seat. */
export type Link = 'off' | 'connecting' | 'online' | 'lost' | 'absent' | 'refused' | 'elsewhere'

/** What the seat needs of a WebSocket. */
export interface Socket {
  send(text: string): void
  close(): void
  onopen: ((e: Event) => void) | null
  onmessage: ((e: MessageEvent) => void) | null
  onclose: ((e: CloseEvent) => void) | null
}
/** What stands outside: replaced in tests. */
export interface Outside {
  socket(): Socket
  voice(tell: VoiceEvents): Voice
  /** Waits for the seat of this account on this computer; the answer gives it back. */
  lock(name: string, steal: boolean, lost: () => void): Promise<() => void>
}

class SeatError extends Error {
  constructor(readonly code: string, text: string) {
    super(text)
  }
}

const REPLY_MS = 12_000
const RETRY_MS = [300, 800, 1500, 3000, 5000]
/** A page asks each so often whether the server is still there; a cut cable closes no socket by itself. */
const BEAT_MS = 2000
const DEAF_MS = 5000
const DIAL_MS = 10_000
const ABSENT_MS = 60_000 // an installation without an exchange is asked again now and then
const NOTICE_MS = 15_000
const CLOSED = { login: 4401, role: 4403, absent: 4503 }

type Listener = (m: Push) => void

/**
 * createSeat keeps one seat: a socket that comes back (the server keeps the call for 8 s), the voice path, and the
 * state as it was last told. It decides nothing: every change on the screen is a push of the server.
 */
export function createSeat(outside: Outside) {
  const s = reactive({
    link: 'off' as Link,
    voice: 'off' as VoiceState,
    microphone: true,
    blocked: false,
    no: '',
    name: '',
    state: 'off' as SeatState,
    since: 0,
    until: 0,
    after: '' as SeatState | '',
    up: false,
    phone: '', // the SIP phone at which the seat answers, "" = this browser
    centre: '', // the foreign call centre that carries its calls, "" = ours
    devices: [] as Device[],
    ringing: null as Call | null,
    call: null as Call | null,
    number: '', // in the clear, of the call
    done: null as Done | null,
    watching: null as { call: string; mode: string } | null,
    progressive: false,
    rests: 0, // ms UTC until which progressive dialling rests, 0 = it does not
    notice: '',
    quality: null as Quality | null,
    waiting: 0,
    longest: 0, // ms UTC at which the longest waiting caller queued
    wall: null as Wall | null,
  })
  let socket: Socket | null = null
  let voice: Voice | null = null
  let release: (() => void) | null = null
  let account = ''
  let turn = 0
  let next = 1
  let tries = 0
  let retry = 0
  let quiet = 0
  let beat = 0
  let deadline = 0 // by when the server must have said something, 0 = nothing is due
  let walls = 0
  const asked = new Map<number, { done: (r: Reply) => void; fail: (e: Error) => void; timer: number }>()
  const listeners = new Set<Listener>()

  /** Opens the seat of an account; once open it stays through page changes until close. */
  async function open(who: string, steal = false) {
    if (account === who && !steal && s.link !== 'off') return
    close()
    account = who
    const mine = turn
    s.link = 'connecting'
    const waiting = window.setTimeout(() => mine === turn && (s.link = 'elsewhere'), 300)
    const free = await outside.lock(`hotline.seat.${who}`, steal, () => {
      if (mine !== turn) return
      close()
      account = who
      s.link = 'elsewhere'
    }).catch(() => () => undefined)
    window.clearTimeout(waiting)
    if (mine !== turn) return free()
    release = free
    dial()
  }

  function dial() {
    const mine = turn
    window.clearTimeout(retry)
    if (s.link !== 'lost') s.link = 'connecting'
    const own = (socket = outside.socket())
    own.onmessage = (e) => {
      if (mine !== turn || socket !== own) return
      deadline = 0
      hear(JSON.parse(e.data as string) as Push | Reply)
    }
    const gone = (code: number) => {
      if (mine !== turn || socket !== own) return
      socket = null
      window.clearInterval(beat)
      hush(new SeatError('lost', '与语音平台的连接中断，正在重连。'))
      if (code === CLOSED.role || code === CLOSED.login) {
        s.link = 'refused'
        voice?.close()
        return
      }
      s.link = code === CLOSED.absent ? 'absent' : 'lost'
      const wait = code === CLOSED.absent ? ABSENT_MS : RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]
      retry = window.setTimeout(() => mine === turn && dial(), wait)
    }
    own.onclose = (e) => gone(e.code)
    deadline = Date.now() + DIAL_MS
    window.clearInterval(beat)
    // One question at a time: a hidden page, whose timers rest, asks late but is never taken for cut off.
    beat = window.setInterval(() => {
      if (deadline === 0) {
        deadline = Date.now() + DEAF_MS
        own.send(JSON.stringify({ id: next++, cmd: 'ping' }))
      } else if (Date.now() > deadline) {
        gone(0)
        own.close()
      }
    }, BEAT_MS)
  }

  function close() {
    turn++
    account = ''
    window.clearTimeout(retry)
    window.clearInterval(beat)
    hush(new SeatError('closed', '席位已退出。'))
    voice?.close()
    voice = null
    const old = socket
    socket = null
    old?.close()
    release?.()
    release = null
    Object.assign(s, { link: 'off', voice: 'off', state: 'off', up: false, phone: '', centre: '', devices: [], ringing: null, call: null, number: '', done: null, watching: null, progressive: false, rests: 0, notice: '', quality: null, waiting: 0, longest: 0, wall: null })
  }

  function hush(err: Error) {
    for (const a of asked.values()) {
      window.clearTimeout(a.timer)
      a.fail(err)
    }
    asked.clear()
  }

  /** Asks the server; a refusal is a SeatError in its words. */
  function ask(cmd: string, fields: Record<string, unknown> = {}): Promise<Reply> {
    return new Promise((done, fail) => {
      if (!socket || s.link !== 'online') return fail(new SeatError('offline', '电话未接入，这一步没有执行；表单可照常使用。'))
      const id = next++
      const timer = window.setTimeout(() => {
        asked.delete(id)
        fail(new SeatError('slow', '语音平台没有应答，请重试。'))
      }, REPLY_MS)
      asked.set(id, { done, fail, timer })
      socket.send(JSON.stringify({ id, cmd, ...fields }))
    })
  }

  /** Does what a button says; a refusal is shown in the bar's one line. True when it was done. */
  async function run(cmd: string, fields: Record<string, unknown> = {}): Promise<boolean> {
    try {
      await ask(cmd, fields)
      return true
    } catch (err) {
      say((err as Error).message)
      return false
    }
  }

  function say(text: string) {
    s.notice = text
    window.clearTimeout(quiet)
    quiet = window.setTimeout(() => (s.notice = ''), NOTICE_MS)
  }

  function hear(m: Push | Reply) {
    if (m.type === 'reply') {
      const a = asked.get(m.id)
      asked.delete(m.id)
      if (!a) return
      window.clearTimeout(a.timer)
      if (m.ok) a.done(m)
      else a.fail(new SeatError(m.code ?? '', m.text || '没有成功，请重试。'))
      return
    }
    apply(m)
    for (const fn of listeners) fn(m)
  }

  function apply(m: Push) {
    switch (m.type) {
      case 'hello':
        tries = 0
        // What the page knew may be over; what is not will be pushed right after.
        s.notice = ''
        if (s.call && m.state !== 'talking') say('连接中断期间，这一通已转其他座席或已结束；草稿保留。')
        Object.assign(s, { link: 'online', no: m.no ?? '', name: m.name ?? '', ringing: null, call: null, number: '', watching: null, devices: m.devices ?? [] })
        standing(m)
        speak()
        if (walls) void ask('wall', { on: true }).catch(() => undefined)
        return
      case 'state':
        return standing(m)
      case 'ringing':
        s.ringing = m
        s.done = null
        return
      case 'stop_ring':
        if (s.ringing?.call === m.call) s.ringing = null
        return
      case 'call':
        if (s.call?.call !== m.call) s.number = ''
        if (s.ringing?.call === m.call) s.ringing = null
        s.call = m
        return
      case 'caller':
        s.number = m.number ?? ''
        return
      case 'done':
        if (s.ringing?.call === m.call) s.ringing = null
        if (s.call?.call === m.call) {
          s.call = null
          s.number = ''
        }
        s.done = m
        if (m.text) say(m.text)
        return
      case 'watch':
        s.watching = m.code && m.code !== 'stop' ? { call: m.call, mode: m.code } : null
        return
      case 'devices':
        s.devices = m.devices ?? []
        return
      case 'notice':
        return say(m.text ?? '')
      case 'quality':
        s.quality = { mos: m.mos, loss: m.loss, jitter: m.jitter }
        return
      case 'queue':
        s.waiting = m.waiting ?? 0
        s.longest = m.since ?? 0
        return
      case 'wall':
        s.wall = m.wall ?? null
    }
  }
  function standing(m: Push) {
    s.state = m.state ?? s.state
    s.since = m.since ?? Date.now()
    s.until = m.until ?? 0
    s.after = m.after ?? ''
    s.up = Boolean(m.up)
    const was = s.phone
    s.phone = m.phone ?? ''
    s.centre = m.centre ?? ''
    s.progressive = Boolean(m.progressive)
    s.rests = m.rests ?? 0
    if (was !== s.phone && m.type === 'state') speak()
    if (s.state !== 'ringing') s.ringing = null
  }

  /** Brings the sound up; after a lost socket a living path is kept. */
  function speak() {
    if (s.phone || s.centre) return voice?.close() // the sound is at the phone
    voice ??= outside.voice({
      state: (v) => (s.voice = v),
      microphone: (here) => (s.microphone = here),
      blocked: (on) => (s.blocked = on),
    })
    if (s.voice === 'on' && s.up) return
    void voice.open(async (sdp) => (await ask('offer', { sdp })).sdp ?? '')
  }

  /** The one line about the telephone, most urgent first; "" when all is well. */
  const line = computed(() => {
    if (s.link === 'lost') return '与语音平台的连接中断，正在重连；10秒内未接回的来电转其他座席，草稿照常保存。'
    if (s.notice) return s.notice
    if (s.link !== 'online') return ''
    if (s.centre) return s.up ? '' : `${s.centre}的连接中断，通话请在话机上操作；表单可照常使用。`
    if (s.phone) return s.up ? '' : `话机${s.phone}未注册，不能接听：请检查电源、网线和账号密码，或在状态菜单里改用浏览器接听。`
    if (s.voice === 'failed' && !s.up) return '语音通道接不通（网络或防火墙挡住了语音端口），正在重试；表单可照常使用。'
    if (s.blocked) return '浏览器还没有放音，请在页面上点一下。'
    if (!s.microphone) return '没有可用的话筒：能听到诉求人，诉求人听不到您；其余操作照常。'
    return ''
  })

  /** Why no key of the bar does anything now; "" while the server listens. */
  const cut = computed(() => (s.link === 'online' ? '' : '与语音平台的连接中断，正在重连，接通后可用。'))

  /** Holds the wall open while the caller shows it. */
  function wall(): () => void {
    if (walls++ === 0 && s.link === 'online') void ask('wall', { on: true }).catch(() => undefined)
    return () => {
      if (--walls === 0 && s.link === 'online') void ask('wall', { on: false }).catch(() => undefined)
    }
  }
  function on(fn: Listener): () => void {
    listeners.add(fn)
    return () => listeners.delete(fn)
  }
  return { ...toRefs(s), line, cut, open, close, ask, run, on, showWall: wall, again: speak, play: () => voice?.play(), here: () => void open(account, true) }
}

export type Seat = ReturnType<typeof createSeat>

function browser(): Outside {
  return {
    socket: () => {
      const url = new URL('/seat/ws', location.href)
      url.protocol = url.protocol.replace('http', 'ws')
      // A tab with a role of its own: a browser's socket carries no header, so the token goes as a subprotocol.
      const token = tabToken.get()
      return token ? new WebSocket(url, ['hotline', token]) : new WebSocket(url)
    },
    voice: openVoice,
    lock: (name, steal, lost) =>
      new Promise((given, fail) => {
        if (!navigator.locks) return given(() => undefined)
        navigator.locks.request(name, { steal }, () => new Promise<void>((release) => given(release))).catch((err) => {
          lost()
          fail(err)
        })
      }),
  }
}

let one: Seat | null = null
/** useSeat is the one seat of this page; opened by the layout, used by the bar, the desk, the wall. */
export function useSeat(): Seat {
  return (one ??= createSeat(browser()))
}
