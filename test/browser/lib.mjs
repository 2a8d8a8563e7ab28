// What the browser stories share: a browser, sessions, checks and pictures.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const require = createRequire(new URL('../../web/package.json', import.meta.url))
const { chromium } = require('playwright-core')
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const base = process.env.BASE
export const shots = fileURLToPath(new URL('../shots/', import.meta.url))
export const desktop = { width: 1600, height: 900 }
export const laptop = { width: 1366, height: 768 }
export const phone = { width: 390, height: 844 }

/** open starts the browser; stories of the telephone add flags for a microphone. */
export async function open(flags = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags],
  })
}

export const accounts = JSON.parse(readFileSync(process.env.DATA + '/accounts.json', 'utf8'))

/** account gives the login of a role in a region (default 武汉). */
export function account(role, region = '4201') {
  const fits = accounts.filter((a) => a.role === role)
  const found = fits.find((a) => a.region.startsWith(region)) ?? fits[0]
  if (!found) throw new Error('没有角色 ' + role + ' 的账号')
  return found
}

let passed = 0
let failed = 0

/** check counts one assertion and says which failed. */
export function check(ok, what) {
  if (ok) passed++
  else {
    failed++
    console.error('  失败：' + what)
  }
  return ok
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed`)
  if (failed > 0) process.exit(1)
}

/** enter opens a page in a session of its own and gathers console errors. */
export async function enter(browser, login, viewport = desktop) {
  const context = await browser.newContext({ viewport, locale: 'zh-CN', isMobile: viewport.width < 500, hasTouch: viewport.width < 500 })
  const page = await context.newPage()
  page.errors = []
  page.on('pageerror', (e) => page.errors.push(String(e)))
  page.on('console', (m) => m.type() === 'error' && page.errors.push(m.text() + ' ' + (m.location()?.url ?? '')))
  if (login) {
    const res = await page.request.post(base + '/api/v1/login', { data: { username: login.username, password: login.password } })
    if (!res.ok()) throw new Error('登录失败 ' + login.username + ' ' + (await res.text()))
  }
  return page
}

/** api calls with the page's session. */
export async function api(page, method, path, data, headers = {}) {
  const res = await page.request.fetch(base + path, { method, data, headers: { 'Content-Type': 'application/json', ...headers } })
  const text = await res.text()
  return { status: res.status(), body: text ? JSON.parse(text) : null }
}

/** act takes one offered action on a ticket by its newest version. */
export async function act(page, id, name, fields = {}) {
  const t = await api(page, 'GET', '/api/v1/tickets/' + id)
  if (t.status !== 200) return t
  const offer = t.body.actions.find((a) => a.name === name)
  const body = { ...fields }
  if (offer?.assignment) body.assignment = offer.assignment
  return api(page, 'POST', `/api/v1/tickets/${id}/actions/${name}`, body, { 'If-Match': `"${t.body.version}"` })
}

/** axe gives the accessibility violations of a page. */
export async function axe(page) {
  if (!(await page.evaluate('Boolean(window.axe)'))) await page.evaluate(axeSource)
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'], preload: false }))
  return result.violations.map((v) => `${v.id}：${v.nodes.length}处，如 ${v.nodes[0].target.join(' ')}`)
}

export async function shot(page, name) {
  await page.screenshot({ path: shots + name + '.png' })
}

/** lanes does the work for each of the list, three at a time: a browser mostly waits. */
export async function lanes(list, work, n = 3) {
  const rest = [...list]
  const lane = async () => {
    while (rest.length) await work(rest.shift())
  }
  await Promise.all(Array.from({ length: n }, lane))
}

/** Runs in the page: waits until nothing has been drawn for a quarter of a second, at most three. */
function still() {
  return new Promise((done) => {
    const over = () => (watcher.disconnect(), clearTimeout(quiet), clearTimeout(end), done())
    let quiet = setTimeout(() => over(), 250)
    const end = setTimeout(() => over(), 3000)
    const watcher = new MutationObserver(() => (clearTimeout(quiet), (quiet = setTimeout(over, 250))))
    watcher.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
  })
}

/**
 * onDuty makes the seat of a call bar ready, as the story before may have left it. A seat found ready has not said
 * that its own line is up: it may still lose the line of the page before. 就绪 is open only on a line that is.
 */
export async function onDuty(bar) {
  const [ready, busy, notes] = ['就绪', '示忙', '结束话后'].map((name) => bar.getByRole('button', { name, exact: true }))
  await ready.or(busy).or(notes).first().waitFor({ timeout: 20_000 })
  if (await notes.count()) await notes.click()
  await ready.or(busy).first().waitFor({ timeout: 10_000 })
  if (await busy.count()) await busy.click()
  await ready.click({ timeout: 20_000 })
  await busy.waitFor({ timeout: 10_000 })
}

/** until asks again and again until the answer is true to something, and gives it; null when time is over. */
export async function until(ask, ms = 10_000, every = 200) {
  for (const end = Date.now() + ms; ;) {
    const answer = await ask().catch(() => null)
    if (answer || Date.now() > end) return answer || null
    await new Promise((next) => setTimeout(next, every))
  }
}

/** settle waits until the page has loaded and drawn its data. */
export async function settle(page) {
  await page.waitForLoadState('domcontentloaded')
  await page.waitForFunction(() => document.body.innerText.length > 60 && !document.querySelector('[aria-busy=true]'), null, { timeout: 20_000 }).catch(() => {})
  await page.evaluate(still).catch(() => {})
}
