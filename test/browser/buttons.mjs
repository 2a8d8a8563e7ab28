// 逐个点按：每个角色的每个页面上，能点的都点一遍，必须有反应；弹窗空着提交要有中文提示，按Esc能关上。
// 不同角色的同一个页面只点还没点过的（FULL=1 时都从头点），但每个角色的每个菜单都打开；有页面没点完就不通过。
import { accounts, api, base, check, desktop, enter, finish, open } from './lib.mjs'
import { badText } from './text.mjs'

const full = process.env.FULL === '1'
const only = process.env.ROLE?.split(',')
const end = Date.now() + Number(process.env.BUDGET ?? 420) * 1000
const visited = new Map()
const stats = { clicks: 0, dialogs: 0, pages: 0, skipped: [] }

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
    if (el.matches('a[href^="tel:"], .skip, .el-dialog__headerbtn')) continue
    const label = (el.getAttribute('aria-label') || el.innerText || el.title || el.value || el.className || '').replace(/\s+/g, ' ').replace(/\d+/g, '#').trim().slice(0, 40)
    const row = el.closest('tbody tr, [role=row], li, [role=option], [role=treeitem], .day, svg')
    const tab = el.matches('[role=tab], [role=menuitem]') || el.closest('nav, [role=tablist], [role=toolbar], .el-dialog__footer')
    const place = el.closest('header, main, .el-overlay')?.tagName ?? ''
    list.push({ el, label, row: Boolean(row && !tab), kind: el.tagName + (el.getAttribute('role') ?? '') + '.' + [...el.classList].filter((c) => !/^(on|is-|picked|zero|current)/.test(c)).join('.'), place, menu: el.getAttribute('aria-haspopup') === 'menu' })
  }
  window.__controls = list.map((c) => c.el)
  const title = pops.length ? (root.getAttribute('aria-label') || root.querySelector('.el-dialog__title, h2')?.innerText || root.className).replace(/\d+/g, '#').slice(0, 24) : ''
  return { title, list: list.map(({ el, ...c }) => c) }
}

/** Before any page script: counts what a click brings about. */
function watch() {
  window.__effects = 0
  window.__asking = 0
  const note = () => window.__effects++
  addEventListener('DOMContentLoaded', () => new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, characterData: true }))
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

/** Runs in the page after a click: waits for an effect, then until it has died down; says what is to be seen. */
async function outcome(before) {
  const nap = (ms) => new Promise((r) => setTimeout(r, ms))
  for (let i = 0; i < 100 && window.__effects <= before; i++) await nap(20)
  const acted = window.__effects > before
  for (let quiet = 0, seen = -1, i = 0; i < 150 && quiet < 2 && (i < 35 || window.__asking > 0); i++) {
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
const after = (page, before = -1) => page.evaluate(outcome, before).catch(async () => {
  await page.waitForLoadState('domcontentloaded').catch(() => {})
  return page.evaluate(outcome, -1).catch(() => ({ acted: true, dialogs: 0, said: '', shown: '', lost: false, moved: false }))
})

async function crawl(browser, role, login) {
  const page = await enter(browser, login, desktop)
  await page.context().addInitScript(watch)
  let popup = null
  let where = ''
  const refused = new Set()
  const handed = new Set() // 办过以后转给下一岗位的工单，办的人可能不再看得到
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
    await page.goto(base + path)
    await page.waitForFunction(() => document.querySelector('main')?.innerText.length > 20 && !document.querySelector('.state.loading'), null, { timeout: 15_000 }).catch(() => {})
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
    let strikes = 0
    let fresh = 0
    for (let turn = 0; turn < 120 && strikes < 2; turn++) {
      if (Date.now() > end) {
        stats.skipped.push(where)
        break
      }
      const found = await page.evaluate(controls)
      const scope = (full ? role + '|' : '') + (found.title ? '弹窗' + found.title : target.key)
      const isNew = (c) => {
        const tag = c.place === 'HEADER' && !full ? '页眉' : scope
        c.tag = tag + '|' + (c.row ? '行|' + c.kind : c.kind + '|' + c.label)
        return !visited.has(c.tag) && !/退出登录|^取消$/.test(c.label) && !(c.place === 'HEADER' && c.kind.startsWith('A'))
      }
      // A dialog is first submitted as it opens, before anything in it is touched.
      let pick = found.title ? found.list.findIndex((c) => isSubmit(c) && isNew(c)) : -1
      if (pick < 0) pick = found.list.findIndex(isNew)
      if (pick < 0) {
        if (found.title) {
          await closeTop(found.title)
          continue
        }
        // Everything here was tried; once more from the start, in case a click led away.
        if (++strikes === 2 || !fresh) break
        fresh = 0
        await reset(target.path)
        continue
      }
      strikes = 0
      fresh++
      const c = found.list[pick]
      visited.set(c.tag, 1)
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
    for (const fault of badText(await page.evaluate(() => document.body.innerText))) check(false, `${role} ${target.key} ${fault}`)
  }
  const errors = [...new Set(page.errors.filter((e) => !/status of (400|409|412|422|429)/.test(e) && !(/status of 404/.test(e) && handed.has(/tickets\/(\d+)$/.exec(e)?.[1]))))]
  check(errors.length === 0, `${role} 控制台错误：${errors.slice(0, 4).join('；')}`)
  check(refused.size === 0, `${role} 点了却被拒绝或找不到：${[...refused].slice(0, 6).join('；')}`)
  await page.context().close()

  /** One click; it must bring something about within two seconds. */
  async function press(i, c, found) {
    stats.clicks++
    const handle = await page.evaluateHandle((n) => window.__controls[n], i)
    const before = await page.evaluate(() => window.__effects)
    const url = page.url()
    try {
      // A second, longer try tells a busy machine from a control that something covers.
      await handle.click({ timeout: 1500, noWaitAfter: true }).catch((err) => (/intercepts/.test(err.message) ? Promise.reject(err) : handle.click({ timeout: 5000, noWaitAfter: true })))
    } catch (err) {
      const gone = await page.evaluate((el) => !el.isConnected || el.getClientRects().length === 0, handle).catch(() => true)
      if (!gone && !/ROW|INPUT/.test(c.kind)) check(false, `${where} 点不到：${String(err.message).split('\n').filter((l) => /intercepts|outside|stable|visible/.test(l)).at(-1)?.trim().slice(0, 160) ?? String(err).split('\n')[0]}`)
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

  /** Escape closes what is on top: a dialog, a menu, a picker. */
  async function closeTop(title) {
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Escape')
      for (const from = Date.now(); Date.now() - from < 1500; ) {
        if ((await page.evaluate(controls)).title !== title) return
        await page.waitForTimeout(50)
      }
    }
    check(false, `${where} 弹窗“${title}”按Esc关不上`)
    await reset(page.url().replace(base, ''))
  }
}

const isSubmit = (c) => /el-button--(primary|danger)/.test(c.kind)
const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration' && (!only || only.includes(r)))
const browser = await open()
for (const role of roles) {
  const from = Date.now()
  const clicks = stats.clicks
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  await crawl(browser, role, login)
  console.log(`  ${role} ${stats.clicks - clicks} 次点按，${Math.round((Date.now() - from) / 1000)} 秒`)
}
await browser.close()
check(stats.skipped.length === 0, `时间用完，没有点完：${stats.skipped.join('、')}`)
console.log(`逐个点按：${stats.pages} 个页面，${stats.clicks} 次点按，${stats.dialogs} 次弹窗提交`)
finish()
