// 有人在场: whether somebody is at this page. What the page asks for by itself while nobody is does not keep the session
// from ending (空闲退出); what a person reads or writes for long without asking anything does.

const AWAY_MS = 60_000
const SIGN_EVERY_MS = 5 * 60_000

let touched = Date.now()
let asked = Date.now()
/** A page that is made to be looked at from afar (大屏, 班长墙) is never away. */
let shown = false

const touch = () => void (touched = Date.now())
for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) window.addEventListener(kind, touch, { capture: true, passive: true })

export const show = (on: boolean) => void (shown = on)

/** Said with each request; `true` also remembers that the server heard of the person. */
export function attended(now = Date.now()): boolean {
  const here = shown || now - touched < AWAY_MS
  if (here) asked = now
  return here
}

/** Calls `sign` when somebody has been at the page for long without any request. */
export function signOften(sign: () => void): () => void {
  const look = () => {
    if (Date.now() - asked < SIGN_EVERY_MS || touched <= asked) return
    asked = Date.now()
    sign()
  }
  const timer = window.setInterval(look, AWAY_MS / 2)
  return () => window.clearInterval(timer)
}
