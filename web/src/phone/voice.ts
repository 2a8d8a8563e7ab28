// The sound of a seat: one standing WebRTC leg between this page and the exchange, silent until a call is joined to it.

/** Where the voice path stands. `blocked`: the browser plays nothing before the first click. */
export type VoiceState = 'off' | 'connecting' | 'on' | 'failed'

export interface VoiceEvents {
  state(s: VoiceState): void
  microphone(here: boolean): void
  blocked(on: boolean): void
}
export interface Voice {
  /** Connects, or connects anew. `offer` carries our SDP and gives the answer's. */
  open(offer: (sdp: string) => Promise<string>): Promise<void>
  close(): void
  /** Lets the browser play, called from a click. */
  play(): void
}

const GATHER_MS = 1500
const CONNECT_MS = 8000
const RETRY_MS = [1000, 3000, 10_000, 30_000]

/** G.711 A-law first: the carrier's codec, so that nothing is recoded on the way. */
export function alawFirst<T extends { mimeType: string }>(codecs: T[]): T[] {
  const rank = (c: T) => ['audio/pcma', 'audio/pcmu', 'audio/telephone-event'].indexOf(c.mimeType.toLowerCase())
  return codecs.filter((c) => rank(c) >= 0).sort((a, b) => rank(a) - rank(b))
}

async function microphone(): Promise<MediaStream | null> {
  try {
    return (await navigator.mediaDevices?.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } })) ?? null
  } catch {
    return null // none there, or not allowed: the seat hears and works
  }
}

/** openVoice makes the voice path of a page; it reconnects by itself until it is closed. */
export function openVoice(tell: VoiceEvents): Voice {
  let pc: RTCPeerConnection | null = null
  let mic: MediaStream | null = null
  let timer = 0
  let tries = 0
  let turn = 0
  let ask: ((sdp: string) => Promise<string>) | null = null
  const sound = new Audio()
  sound.autoplay = true

  function drop() {
    window.clearTimeout(timer)
    pc?.close()
    pc = null
  }
  function failed(mine: number) {
    if (mine !== turn) return
    drop()
    tell.state('failed')
    const wait = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]
    timer = window.setTimeout(() => ask && void connect(), wait)
  }
  const play = () => void sound.play().then(() => tell.blocked(false), (err: Error) => tell.blocked(err.name === 'NotAllowedError'))

  async function connect() {
    const mine = ++turn
    drop()
    tell.state('connecting')
    try {
      if (!mic?.active) mic = await microphone()
      tell.microphone(Boolean(mic))
      if (mine !== turn || !ask) return
      const own = (pc = new RTCPeerConnection())
      const line = own.addTransceiver(mic?.getAudioTracks()[0] ?? 'audio', { direction: mic ? 'sendrecv' : 'recvonly' })
      const codecs = RTCRtpReceiver.getCapabilities?.('audio')?.codecs ?? []
      if (codecs.length) line.setCodecPreferences?.(alawFirst(codecs))
      own.ontrack = (e) => {
        sound.srcObject = new MediaStream([e.track])
        play()
      }
      own.onconnectionstatechange = () => {
        if (mine !== turn) return
        if (own.connectionState === 'connected') {
          window.clearTimeout(timer)
          tries = 0
          tell.state('on')
        } else if (own.connectionState === 'failed') failed(mine)
        else if (own.connectionState === 'disconnected') timer = window.setTimeout(() => failed(mine), 3000)
      }
      await own.setLocalDescription(await own.createOffer())
      await gathered(own)
      const answer = await ask(own.localDescription!.sdp)
      if (mine !== turn) return
      await own.setRemoteDescription({ type: 'answer', sdp: answer })
      timer = window.setTimeout(() => own.connectionState !== 'connected' && failed(mine), CONNECT_MS)
    } catch {
      failed(mine)
    }
  }
  return {
    async open(offer) {
      ask = offer
      tries = 0
      await connect()
    },
    close() {
      ask = null
      turn++
      drop()
      for (const t of mic?.getTracks() ?? []) t.stop()
      mic = null
      sound.srcObject = null
      tell.state('off')
    },
    play,
  }
}

/** The offer goes out whole: the exchange has one address and trickling would only add messages. */
function gathered(pc: RTCPeerConnection): Promise<void> {
  return new Promise((done) => {
    if (pc.iceGatheringState === 'complete') return done()
    const timer = window.setTimeout(done, GATHER_MS)
    pc.addEventListener('icegatheringstatechange', () => {
      if (pc.iceGatheringState !== 'complete') return
      window.clearTimeout(timer)
      done()
    })
  })
}
