// 逐个点按：每个角色的每个菜单都打开，每个页面上每一种能点的都点一遍，必须有反应；弹窗空着提交要有中文提示，按Esc能关上。
// 不同角色的同一个页面只点还没点过的。三个角色同时走；等的是页面和网络安静下来，不是时间。有页面没点完就不通过。
import { accounts, api, base, check, desktop, enter, finish, lanes, open } from './lib.mjs'
import { badText } from './text.mjs'

const only = process.env.ROLE?.split(',')
const TURNS = 600 // 一个页面至多点这么多次，够不到就是没点完
const visited = new Set()
const handed = new Set() // 办过以后转给下一岗位的工单，办的人可能不再看得到
const stats = { clicks: 0, dialogs: 0, pages: 0 }

/** Runs in the page: what can be clicked now, what each is called, and where it sits. */
function controls() {
  const visible = (q) => [...document.querySelectorAll(q)].filter((e) => e.getClientRects().length && !e.closest('[style*="display: none"]'))
  const pops = [...visible('.el-overlay [role=dialog], .el-overlay .el-drawer'), ...visible('[role=menu], .pick-pop'), ...visible('.el-popper.el-select__popper, .el-popper.el-picker__popper')]
  const root = pops.at(-1) ?? document.body
  const list = []
  for (const el of root.querySelectorAll('button, a[href], [role=tab], [role=menuitem], [role=option], [role=radio], summary, input[type=checkbox], input[type=radio], [role=row][aria-selected], .el-select, .pick input')) {
    const box = el.getBoundingClientRect()
    if (box.width < 2 || box.height < 2 || el.disabled || el.closest('[aria-disabled=true], .is-disabled, [inert]')) continue
    if (root === document.body && el.closest('.el-overlay, .el-popper')) continue
    const style = getComputedStyle(el)
    if (style.visibility === 'hidden' || style.pointerEvents === 'none' || Number(style.opacity) === 0) continue
    if (el.matches('a[href^="tel:"], .skip, .el-dialog__headerbtn, .el-select input')) continue
    const label = (el.getAttribute('aria-label') || el.innerText || el.title || el.value || el.className || '').replace(/\s+/g, ' ').replace(/\d+/g, '#').trim().slice(0, 40)
    const row = el.closest('tbody tr, [role=row], li, [role=option], [role=treeitem], .day, svg')
    const tab = el.matches('[role=tab], [role=menuitem]') || el.closest('nav, [role=tablist], [role=toolbar], .el-dialog__footer')
    const place = el.closest('header, main, .el-overlay')?.tagName ?? ''
    list.push({ el, label, row: Boolean(row && !tab), kind: el.tagName + (el.getAttribute('role') ?? '') + '.' + [...el.classList].filter((c) => !/^(on|is-|picked|zero|current)/.test(c)).join('.'), place })
  }
  window.__controls = list.map((c) => c.el)
  const title = pops.length ? (root.getAttribute('aria-label') || root.querySelector('.el-dialog__title, h2')?.innerText || root.className).replace(/\d+/g, '#').slice(0, 24) : ''
  return { title, list: list.map(({ el, ...c }) => c) }
}

/** Before any page script: counts what a click brings about; a clock that counts on is not an effect. */
function watch() {
  window.__effects = 0
  window.__asking = 0
  const note = () => window.__effects++
  const words = (nodes) => [...nodes].map((n) => (n.nodeType === 3 ? n.data.replace(/\d+/g, '#') : '\u0000')).join('')
  const ticks = (m) => (m.type === 'characterData' ? (m.oldValue ?? '').replace(/\d+/g, '#') === m.target.data.replace(/\d+/g, '#') : m.type === 'childList' && m.addedNodes.length > 0 && !words(m.addedNodes).includes('\u0000') && words(m.addedNodes) === words(m.removedNodes))
  addEventListener('DOMContentLoaded', () => new MutationObserver((all) => all.some((m) => !ticks(m)) && note()).observe(document, { subtree: true, childList: true, attributes: true, characterData: true, characterDataOldValue: true }))
  for (const kind of ['change', 'input', 'focusin', 'toggle', 'scroll', 'beforeprint']) addEventListener(kind, note, true)
  window.print = note
  const fetch = window.fetch
  window.fetch = async (...a) => {
    note()
    const quiet = String(a[0]).includes('/events')
    if (!quiet) window.__asking++
    try {
      return await fetch(...a)
    } finally {
      if (!quiet) window.__asking--
    }
  }
}

/** Runs in the page after a click: waits for an effect, then until page and network are quiet; says what is to be seen. */
async function outcome(before) {
  const nap = (ms) => new Promise((r) => setTimeout(r, ms))
  for (let i = 0; i < 400 && window.__effects <= before; i++) await nap(20)
  const acted = window.__effects > before
  for (let quiet = 0, seen = -1, i = 0; i < 600 && quiet < 3; i++) {
    quiet = seen === window.__effects && window.__asking === 0 ? quiet + 1 : 0
    seen = window.__effects
    await nap(25)
  }
  const visible = (q) => [...document.querySelectorAll(q)].filter((e) => e.getClientRects().length && !e.closest('[style*="display: none"], .fade-leave-active, .dialog-fade-leave-active'))
  return {
    acted,
    dialogs: visible('.el-overlay [role=dialog], .el-overlay .el-drawer').length,
    said: visible('.err, .bad, [role=alert], .toast, .el-form-item__error, .red, .error').map((e) => e.innerText).join(' '),
    shown: visible('.el-overlay, .toasts, .pick-pop').map((e) => e.innerText).join('\n'),
    lost: /没有这个页面/.test(document.body.innerText),
    moved: Boolean(sessionStorage.getItem('hotline.token')),
  }
}
async function after(page, before = -1) {
  for (let i = 0; ; i++) {
    const now = await page.evaluate(outcome, before).catch(() => null)
    // A part of the program may still be on its way: what it draws is an effect too.
    if (now && (page.loading.size === 0 || i === 20)) return now
    if (!now && i === 20) return { acted: true, dialogs: 0, said: '', shown: '', lost: false, moved: false }
    if (!now) await page.waitForLoadState('domcontentloaded').catch(() => {})
    else await Promise.race([...page.loading].map((r) => r.response().then((a) => a?.finished()).catch(() => {})))
    before = -1
  }
}
const isSubmit = (c) => /el-button--(primary|danger)/.test(c.kind)

/** One role: every page of its menu and a ticket. */
async function crawl(browser, role, login) {
  const page = await enter(browser, login, desktop)
  page.setDefaultTimeout(20_000)
  page.loading = new Set()
  page.on('request', (r) => /script|stylesheet/.test(r.resourceType()) && page.loading.add(r))
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, (r) => page.loading.delete(r))
  await page.context().addInitScript(watch)
  let popup = null
  let where = ''
  const refused = new Set()
  const missed = new Set()
  page.context().on('page', (p) => (popup = p))
  page.on('download', (d) => page.evaluate(() => window.__effects++).catch(() => {}) && d.cancel().catch(() => {}))
  page.on('filechooser', () => page.evaluate(() => window.__effects++).catch(() => {}))
  page.on('dialog', (d) => d.dismiss().catch(() => {}))
  page.on('response', (r) => {
    const path = new URL(r.url()).pathname
    const [, id] = /\/tickets\/(\d+)\/actions\//.exec(path) ?? []
    if (id && r.ok()) handed.add(id)
    if (r.status() === 404 && handed.has(/\/tickets\/(\d+)$/.exec(path)?.[1])) return
    if (path.startsWith('/api/') && [401, 403, 404, 405].includes(r.status()) || r.status() >= 500) refused.add(`${r.status()} ${r.request().method()} ${path.replace(/\d{6,}/g, '#')}（${where}）`)
  })
  const reset = async (path) => {
    await page.evaluate(() => sessionStorage.removeItem('hotline.token')).catch(() => {})
    if ((await api(page, 'GET', '/api/v1/me')).body?.account?.username !== login.username) {
      await page.request.post(base + '/api/v1/login', { data: { username: login.username, password: login.password } })
    }
    // A download under way may cut the first attempt off.
    await page.goto(base + path).catch(() => page.goto(base + path))
    await page.waitForFunction(() => document.querySelector('main')?.innerText.length > 20 && !document.querySelector('.state.loading'), null, { timeout: 30_000 }).catch(() => {})
    await after(page)
  }

  const me = (await api(page, 'GET', '/api/v1/me')).body
  const targets = me.menus.map((m) => ({ key: m.key, path: '/console' + m.path.replace(/^\/console/, '') }))
  const list = await api(page, 'GET', '/api/v1/tickets?limit=1')
  if (list.body?.items?.length) targets.push({ key: 'ticket', path: '/console/tickets/' + list.body.items[0].id })
  for (const target of targets) {
    const home = target.path.split('/').slice(0, 3).join('/')
    stats.pages++
    where = role + ' ' + target.key
    await reset(target.path)
    const stay = (url) => new URL(url).pathname.startsWith(home) && (target.key === 'ticket' || !/\/tickets\/\d/.test(new URL(url).pathname))
    let done = false
    for (let turn = 0, fresh = 0, again = false; turn < TURNS && !done; turn++) {
      const found = await page.evaluate(controls)
      const scope = found.title ? '弹窗' + found.title : target.key
      const isNew = (c) => {
        c.tag = (c.place === 'HEADER' ? '页眉' : scope) + '|' + (c.row ? '行|' + c.kind : c.kind + '|' + c.label)
        return !visited.has(c.tag) && !/退出登录|^取消$/.test(c.label) && !(c.place === 'HEADER' && c.kind.startsWith('A'))
      }
      // A dialog is first submitted as it opens, before anything in it is touched.
      let pick = found.title ? found.list.findIndex((c) => isSubmit(c) && isNew(c)) : -1
      if (pick < 0) pick = found.list.findIndex(isNew)
      if (pick < 0) {
        if (found.title) await closeTop(found.title, target.path)
        else if (!fresh || again) done = true
        else {
          // Everything here was tried; once more from the start, in case a click led away.
          again = true
          await reset(target.path)
        }
        continue
      }
      fresh++
      again = false
      const c = found.list[pick]
      visited.add(c.tag)
      where = `${role} ${target.key} ${found.title} “${c.label}”`
      const now = await press(pick, c, found)
      if (popup) {
        await popup.waitForLoadState('domcontentloaded').catch(() => {})
        await popup.close().catch(() => {})
        popup = null
      }
      check(!now?.lost, where + ' 通向不存在的页面')
      if (!stay(page.url()) || now?.moved || page.url().includes('/login')) await reset(target.path)
    }
    check(done, `${role} ${target.key} 没有点完`)
    for (const fault of badText(await page.evaluate(() => document.body.innerText))) check(false, `${role} ${target.key} ${fault}`)
  }
  const errors = [...new Set(page.errors.filter((e) => !/status of (400|409|412|422|429)/.test(e) && !(/status of 404/.test(e) && handed.has(/tickets\/(\d+)$/.exec(e)?.[1]))))]
  check(errors.length === 0, `${role} 控制台错误：${errors.slice(0, 4).join('；')}`)
  check(refused.size === 0, `${role} 点了却被拒绝或找不到：${[...refused].slice(0, 6).join('；')}`)
  await page.context().close()

  /** One click; it must bring something about. */
  async function press(i, c, found) {
    stats.clicks++
    const handle = await page.evaluateHandle((n) => window.__controls[n], i)
    const before = await page.evaluate(() => window.__effects)
    const url = page.url()
    try {
      await handle.click({ timeout: 15_000, noWaitAfter: true })
    } catch (err) {
      // A list that was read anew has other rows; what still stands there and cannot be reached is a fault.
      const gone = await page.evaluate((el) => !el.isConnected || el.getClientRects().length === 0 || el.disabled, handle).catch(() => true)
      // A dialog that opened since, or a page that moved, is met on the next round: only a second miss counts.
      if (!gone && !missed.has(c.tag)) {
        missed.add(c.tag)
        visited.delete(c.tag)
      } else if (!gone) check(false, `${where} 点不到：${String(err.message).split('\n').filter((l) => /intercepts|outside|stable|visible/.test(l)).at(-1)?.trim().slice(0, 160) ?? String(err).split('\n')[0]}`)
      return null
    }
    const now = await after(page, before)
    check(now.acted || page.url() !== url || popup !== null || /INPUT/.test(c.kind), `${where} 没有反应`)
    if (found.title && isSubmit(c)) {
      stats.dialogs++
      check(now.dialogs === 0 || /[\u4e00-\u9fff]/.test(now.said), `${where} 空着提交没有中文提示`)
    }
    for (const fault of badText(now.said + '\n' + now.shown)) check(false, `${where} ${fault}`)
    return now
  }

  /** Escape closes what is on top: first an open list, then the dialog around it. */
  async function closeTop(title, path) {
    for (let i = 0; i < 3; i++) {
      const before = await page.evaluate(() => window.__effects)
      await page.keyboard.press('Escape')
      await after(page, before)
      for (let n = 0; n < 40; n++) {
        if ((await page.evaluate(controls)).title !== title) return
        await page.evaluate(() => new Promise(requestAnimationFrame))
      }
    }
    check(false, `${where} 弹窗“${title}”按Esc关不上`)
    await reset(path)
  }
}

const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration' && (!only || only.includes(r)))
const browser = await open()
await lanes(roles, async (role) => {
  const from = Date.now()
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  await crawl(browser, role, login).catch((err) => check(false, `${role} 中断：${String(err).split('\n')[0]}`))
  console.log(`  ${role} ${Math.round((Date.now() - from) / 1000)} 秒`)
})
await browser.close()
console.log(`逐个点按：${stats.pages} 个页面，${stats.clicks} 次点按，${stats.dialogs} 次弹窗提交`)
finish()
