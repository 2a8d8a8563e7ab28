// 逐个点按时在页面里运行的部分：现在看得见哪些能点的，点了以后发生了什么。

/** Before any page script: window.eye counts what happens and says what can be clicked. */
export function eye() {
  if (window.eye) return
  const CLICKABLE = 'button, a[href], [role=tab], [role=menuitem], [role=option], [role=radio], [role=switch], [role=button], summary, label, input[type=checkbox], input[type=radio], [role=row][aria-selected], .el-select, .pick input'
  /** Rows of data, whose labels are not names of buttons. */
  const LIST = 'tbody tr, [role=row], li, [role=option], .days, svg, .cell, .targets, nav.tabs span.tab'
  /** What ends what is there, so that it is pressed last. */
  const ENDS = /^(接听|挂机|拒接|签出|结束|满意度|盲转|静默来电|批量|收起|关闭|取消$|取消勾选|放弃|返回|清空|下一件|查看工单|打开详情页|停止)|转该线路座席/
  /** What stands around every page, pressed once for all of them. */
  const ROUND = [['header.header', '页眉'], ['section.bar[aria-label=电话]', '电话'], ['.toasts', '提示'], ['[role=toolbar][aria-label=可以办理的操作], [role=menu][aria-label=更多操作]', '操作']]
  const state = { effects: 0, last: performance.now(), asking: 0, before: 0, pressed: null, missed: false, going: false, lines: new Set() }
  const nap = (ms) => new Promise((r) => setTimeout(r, ms))
  const note = () => {
    state.effects++
    state.last = performance.now()
  }

  // A clock that counts on and a notice that fades are not effects; neither is the focus on what was clicked.
  const words = (nodes) => [...nodes].map((n) => (n.nodeType === 3 ? n.data.replace(/\d+/g, '#') : '\u0000')).join('')
  function ticks(m) {
    if (m.target.nodeType === 1 && m.target.closest('.toasts') && !(m.type === 'childList' && m.addedNodes.length)) return true
    if (m.type === 'characterData') return (m.oldValue ?? '').replace(/\d+/g, '#') === m.target.data.replace(/\d+/g, '#')
    return m.type === 'childList' && m.addedNodes.length > 0 && !words(m.addedNodes).includes('\u0000') && words(m.addedNodes) === words(m.removedNodes)
  }
  addEventListener('DOMContentLoaded', () => {
    new MutationObserver((all) => all.some((m) => !ticks(m)) && note()).observe(document, { subtree: true, childList: true, attributes: true, characterData: true, characterDataOldValue: true })
    // What moves is drawn at once: a story waits for what is there, not for how it comes.
    const calm = document.createElement('style')
    calm.textContent = '*,*::before,*::after{transition:none!important;animation:none!important}'
    document.head.append(calm)
  })
  for (const kind of ['change', 'input', 'toggle', 'scroll', 'beforeprint', 'select']) addEventListener(kind, note, true)
  addEventListener('focusin', (e) => (!state.pressed || !(state.pressed.contains(e.target) || e.target.contains(state.pressed))) && note(), true)
  addEventListener('pointerdown', () => (state.before = state.effects), true)
  // What was aimed at may have moved aside in the meantime: then something else was hit.
  addEventListener('click', (e) => (state.missed &&= !(state.pressed?.contains(e.target) || state.pressed?.control?.contains(e.target))), true)
  window.print = note
  const fetch = window.fetch
  window.fetch = async (...a) => {
    const quiet = String(a[0]).includes('/events')
    if (!quiet) {
      note()
      state.asking++
    }
    try {
      return await fetch(...a)
    } finally {
      if (!quiet) {
        state.asking--
        state.last = performance.now()
      }
    }
  }
  // What the telephone is asked over its socket is waited for too; a refusal says its reason, maybe once more the same.
  window.WebSocket = class extends WebSocket {
    asked = new Set()
    constructor(...a) {
      super(...a)
      const over = (id) => this.asked.delete(id) && (state.asking--, (state.last = performance.now()))
      this.addEventListener('close', () => this.asked.forEach(over))
      this.addEventListener('message', ({ data }) => {
        const m = JSON.parse(data)
        if (m.type === 'reply' && over(m.id) && !m.ok) note()
      })
    }
    send(data) {
      const { id } = JSON.parse(data)
      if (id && this.asked.add(id)) state.asking++
      super.send(data)
    }
  }

  const shows = (e) => e.getClientRects().length > 0 && e.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  const visible = (q) => [...document.querySelectorAll(q)].filter((e) => shows(e) && !e.closest('[class*=leave-active]'))
  const depth = (e) => Number(getComputedStyle(e.closest('.el-overlay') ?? e).zIndex) || 0
  /** A label without the numbers that change: 待派单 12 超时3 is 待派单. */
  const plain = (text) => text.replace(/\s+/g, ' ').replace(/\d+/g, '#').replace(/^●/, '').replace(/ ?(已超|剩)?(#(天|小时|分钟|分|秒))+/g, '').replace(/( ?(超时|逾期)?[#+]+)+$/, '').trim().slice(0, 40)

  /** What lies on top: an open list, a menu, the newest dialog; otherwise the page. */
  function top() {
    const dialogs = visible('.el-overlay [role=dialog], .el-overlay .el-drawer').sort((a, b) => depth(a) - depth(b))
    return { dialogs, layer: [...visible('aside[role=alert]'), ...dialogs, ...visible('[role=menu], .pick-pop'), ...visible('.el-select__popper, .el-picker__popper, .el-popper:not([role=tooltip])')].at(-1) ?? null }
  }
  function nameOf(layer) {
    if (!layer) return ''
    const asks = layer.matches('.el-popper, .pick-pop') && document.activeElement?.matches('input') ? '选' + (document.activeElement.getAttribute('aria-label') ?? '') : ''
    const own = layer.getAttribute('aria-label') || layer.querySelector('.el-dialog__title, .el-drawer__title, h2')?.innerText
    return plain(asks || own || '列表').replace(/^查看[^，]+，/, '查看一项，').replace(/ · .*/, '')
  }
  const acts = (el) => el.matches('button, a') && el.closest('.acts')?.closest(LIST)
  function labelOf(el) {
    if (el.matches('.opener')) return plain(el.querySelector('.sr-only')?.innerText.replace('，', '') ?? el.innerText)
    // What can be done with a row has the same name in every row; only the first bears the key for it.
    if (acts(el)) return plain([...el.childNodes].map((n) => (n.nodeName === 'KBD' ? '' : n.textContent)).join(''))
    if (el.matches('.el-select')) el = el.querySelector('input') ?? el
    // What is advised is other words each time: it goes by what it is advice on.
    if (el.matches('[aria-label=智能建议] .chip')) return '建议' + [...el.parentElement.querySelectorAll('.what')].filter((w) => w.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1)?.innerText
    if (el.matches('a[href]') && /\/\d{6,}/.test(el.getAttribute('href'))) return '链接' + plain(el.getAttribute('href').replace(/\?.*/, ''))
    const held = el.matches('input[type=checkbox], input[type=radio]') ? el.closest('label')?.innerText : ''
    return plain(el.getAttribute('aria-label') || held || el.innerText || el.title || el.getAttribute('placeholder') || '')
  }
  const on = (el) => el.matches('[aria-selected=true], [aria-current], [aria-pressed=true], [aria-checked=true], .on, .current, .is-checked, :checked, .is-selected')

  /**
   * Every control of the top layer with the key it is known by: page or dialog, kind and label. In lists a label counts
   * where it is one of a row's acts, where several rows share it or where the list has only one: the rest is data.
   */
  function look(page) {
    const { dialogs, layer } = top()
    const root = layer ?? document.body
    const scope = layer ? '弹窗' + nameOf(layer) : page
    const found = []
    const mute = []
    for (const el of root.querySelectorAll(CLICKABLE)) {
      if (el.matches('a[href^="tel:"], .skip, .el-dialog__headerbtn, .el-drawer__close-btn, .el-select input, .el-select__wrapper *')) continue
      if (!layer && el.closest('.el-overlay, .el-popper')) continue
      if (el.matches('label') && (!el.control?.matches('[type=radio], [type=checkbox]') || el.control.getBoundingClientRect().width >= 2)) continue
      if (!shows(el)) continue
      const box = el.getBoundingClientRect()
      if (box.width < 2 || box.height < 2 || getComputedStyle(el).pointerEvents === 'none') continue
      const held = el.matches('label') ? el.control : el
      if (held.matches(':disabled') || el.closest('[aria-disabled=true], .is-disabled, [inert]')) {
        // What cannot be used says why; what is busy says so itself.
        if (!el.matches('[role=option]') && !el.querySelector('.hint') && !el.closest('[title]:not([title=""]), [aria-describedby], .is-loading, [aria-busy=true], .el-input-number, .el-picker-panel') && !/^正在/.test(el.innerText)) mute.push(scope + '|' + (el.closest(LIST) ? '行|' + el.className : labelOf(el)))
        continue
      }
      const fixed = el.matches('[role=tab], [role=menuitem]') || el.closest('[role=tablist], [role=toolbar], .el-dialog__footer')
      const list = fixed ? el.closest('[role=menu][aria-label=来一个电话]') : el.closest(LIST)
      const place = ROUND.find(([q]) => el.closest(q))?.[1] ?? scope
      const kind = el.tagName + (el.getAttribute('role') ?? '') + '.' + [...el.classList].filter((c) => !/^(on|is-|picked|zero|current|hover|active)/.test(c)).sort().join('.')
      found.push({ el, label: labelOf(el), row: Boolean(list), kind, place, on: on(el) || on(held), submit: /el-button--(primary|danger)/.test(kind) && Boolean(el.closest('.el-overlay')), link: el.tagName === 'A', ends: ENDS.test(labelOf(el)) || (!el.closest('.el-overlay') && /Ctrl\+Enter$/.test(labelOf(el))), menu: el.matches('[aria-haspopup=menu]') })
    }
    const many = new Map()
    for (const c of found) if (c.row) many.set(c.kind + c.label, (many.get(c.kind + c.label) ?? 0) + 1)
    const kinds = new Map()
    for (const c of found) if (c.row) kinds.set(c.kind, (kinds.get(c.kind) ?? 0) + 1)
    const map = (window.eye.map = new Map())
    const list = []
    for (const { el, ...c } of found) {
      const named = !c.row || acts(el) || (el.matches('button, a') && c.label.length <= 6 && (kinds.get(c.kind) === 1 || many.get(c.kind + c.label) > 1))
      // What is the same elsewhere: a button of the same name; of data, what is pressed in a row.
      c.like = named && c.label ? `${el.tagName} ${c.label}` : `行 ${el.tagName} ${el.getAttribute('role') ?? ''} ${el.matches('.link')}`
      c.key = c.place + '|' + (c.row ? '行|' : '') + ((named && c.label) || c.kind)
      if (map.has(c.key)) map.get(c.key).push(el)
      else {
        map.set(c.key, [el])
        list.push(c)
      }
    }
    return { title: layer ? nameOf(layer) : '', dialogs: dialogs.length, list, mute: [...new Set(mute)] }
  }

  /** Where to press for a key: a point of the control that nothing covers; null when it is no longer there. */
  async function aim(page, key, label) {
    look(page)
    let cover = null
    const all = window.eye.map.get(key) ?? []
    const first = all.find((el) => labelOf(el) === label)
    for (const el of [...(first ? [first] : []), ...all].slice(0, 8)) {
      el.scrollIntoView({ block: 'nearest', inline: 'nearest' })
      for (let turn = 0; turn < 3; turn++) {
        const box = el.getBoundingClientRect()
        for (const [fx, fy] of [[0.5, 0.5], [0.2, 0.5], [0.85, 0.5], [0.5, 0.15], [0.5, 0.85], [0.03, 0.5]]) {
          const x = box.left + box.width * fx
          const y = box.top + box.height * fy
          const hit = document.elementFromPoint(x, y)
          const own = hit && (hit === el || (el.contains(hit) && [el, el.control, null].includes(hit.closest(CLICKABLE.replace('label, ', '')) ?? null)) || (el.contains(hit) && hit.closest(CLICKABLE) === el))
          if (own) {
            state.pressed = el
            state.missed = true
            return { x, y }
          }
          cover = hit
        }
        // A notice lies over it for some seconds: people close it or wait.
        for (let i = 0; i < 50 && cover?.isConnected && cover.closest('.is-closing, [class*=leave-active]'); i++) await nap(20)
        if (cover?.closest('.toasts')) {
          for (const x of document.querySelectorAll('.toasts .x')) x.click()
          for (let i = 0; i < 80 && document.querySelector('.toasts .toast'); i++) await nap(25)
        }
        el.scrollIntoView({ block: 'center', inline: 'center' })
        await quiet(30, 500)
      }
    }
    return cover ? { cover: cover.tagName + '.' + cover.className } : null
  }

  /** The router of the console, whose way to another page is waited for like a request. */
  let router = null
  function route() {
    const now = document.querySelector('#app')?.__vue_app__?.config.globalProperties.$router
    if (!now || now === router) return now
    router = now
    router.beforeEach(() => void (state.going = true))
    router.afterEach(() => void (state.going = false))
    router.onError(() => void (state.going = false))
    return router
  }
  /** Goes to a page as a link does; where it is open already, it is left and opened anew. */
  async function go(to) {
    localStorage.clear()
    await route().replace('/-')
    await quiet(10)
    await router.replace(to)
  }

  /** Waits until page and network have been quiet for a moment. */
  async function quiet(ms = 50, most = 6000) {
    route()
    for (const end = performance.now() + most; performance.now() < end; ) {
      const since = performance.now() - state.last
      if (state.asking === 0 && !state.going && since >= ms) return
      await nap(state.asking || state.going ? 15 : Math.max(5, ms - since))
    }
  }

  /** After a press: waits for its effect, briefly where it was on already, and for quiet, then says what is to be seen. */
  async function after(page, pressed, on) {
    let acted = true
    const missed = pressed && state.missed
    if (pressed) {
      for (let i = 0; (i < (on ? 20 : 100) || (state.asking && i < 300)) && state.effects <= state.before; i++) await nap(i < 10 ? 5 : 20)
      acted = state.effects > state.before
      state.pressed = null
    }
    await quiet()
    // A dialog that fades still lies over the page.
    for (let i = 0; i < 50 && document.querySelector('.is-closing, [class*=leave-active]'); i++) await nap(20)
    // What says itself that it is on its way, as a call that is being put through, is waited for.
    for (let i = 0; i < 250 && visible('[role=status]').some((e) => /正在.*…$/.test(e.innerText)); i++) await nap(100)
    const said = visible('.err, .bad, [role=alert], .toast, .el-form-item__error, .red, .error').map((e) => e.innerText).join(' ')
    return { ...look(page), acted, missed, said, path: location.pathname, lost: /没有这个页面/.test(document.querySelector('main')?.innerText ?? ''), moved: Boolean(sessionStorage.getItem('hotline.token')), fresh: fresh() }
  }

  /** The lines of text on the page that were not there before, with what placeholders and titles say. */
  function fresh() {
    const out = []
    const add = (line) => {
      const text = line.trim()
      if (!text || state.lines.has(text)) return
      state.lines.add(text)
      out.push(text)
    }
    for (const line of document.body.innerText.split('\n')) add(line)
    for (const el of document.querySelectorAll('[placeholder], [title], [aria-label], [alt]')) for (const a of ['placeholder', 'title', 'aria-label', 'alt']) add(el.getAttribute(a) ?? '')
    return out.join('\n')
  }

  window.eye = { look, go, aim, quiet, after, note, map: new Map() }
}
