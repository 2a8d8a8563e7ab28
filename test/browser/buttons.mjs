// 逐个点按：每个角色的每个菜单都打开，每个页面上每一种能点的都点一遍，必须有反应；弹窗空着提交要有中文提示，按Esc能关上；
// 灰着的要说明原因；出现过的文字没有英文。按“页面或弹窗＋名称”认按钮：别的角色在同一页面、同一弹窗点过的算点过，没点到的从头走一遍去点。
// 等的是页面和网络安静下来，不是时间。
import { accounts, api, base, check, desktop, enter, finish, lanes, open } from './lib.mjs'
import { eye } from './eye.mjs'
import { badText } from './text.mjs'

const only = process.env.ROLE?.split(',')
const TURNS = 400 // 一个页面至多走这么多步，够不到就是没点完
const SPARED = /\|(退出登录|取消)$/
const pressed = new Map() // 点过的 → 点它的角色
const met = new Map() // 见过的 → 见过它的角色和页面
const mute = new Map() // 灰着又不说原因的
const told = new Set()
const handed = new Set() // 办过以后转给下一岗位的工单，办的人可能不再看得到
const stats = { 页面: 0, 整页载入: 0, 点按: 0, 弹窗提交: 0, 重走: 0 }

/** Tickets that between them offer every act that the role may take. */
async function samples(page) {
  const queues = new Set([''])
  for (const name of ['desk', 'dispatch', 'unit', 'review', 'callback', 'cell', 'todo']) {
    const got = await api(page, 'GET', '/api/v1/queues?page=' + name)
    for (const q of got.body?.items ?? []) if (q.count > 0) queues.add(q.queue)
  }
  const ids = new Set()
  for (const queue of queues) {
    const got = await api(page, 'GET', `/api/v1/tickets?limit=3&queue=${queue}`)
    for (const t of got.body?.items ?? []) ids.add(t.id)
  }
  const acts = new Set()
  const out = []
  for (const id of ids) {
    const got = await api(page, 'GET', '/api/v1/tickets/' + id)
    if (got.status !== 200) continue
    const fresh = got.body.actions.map((a) => a.label).filter((l) => !acts.has(l))
    if (out.length && !fresh.length) continue
    for (const l of fresh) acts.add(l)
    out.push(id)
  }
  return out
}

/** One role in the page of its lane: every page of its menu, then its tickets. */
async function walk(page, role, login) {
  let key = '' // 当前页面
  let where = role
  let worn = false // 换过配色、字号
  const refused = new Set()
  page.onAnswer = (r) => {
    const path = new URL(r.url()).pathname
    const [, id] = /\/tickets\/(\d+)\/actions\//.exec(path) ?? []
    if (id && r.ok()) handed.add(id)
    if (r.status() === 404 && handed.has(/\/tickets\/(\d+)/.exec(path)?.[1])) return
    if ((path.startsWith('/api/') && [401, 403, 404, 405].includes(r.status())) || r.status() >= 500) refused.add(`${r.status()} ${r.request().method()} ${path.replace(/\d{6,}/g, '#')}（${where}）`)
  }
  await page.goto('about:blank')
  page.errors.length = 0
  await page.context().clearCookies()
  await signIn()
  const me = (await api(page, 'GET', '/api/v1/me')).body
  const targets = me.menus.map((m) => ({ key: m.key, path: '/console' + m.path }))
  for (const id of await samples(page)) targets.push({ key: 'ticket', path: '/console/tickets/' + id })
  if (process.env.TARGET) targets.splice(0, 99, ...targets.filter((t) => process.env.TARGET.split(',').includes(t.key)))
  await load(targets[0].path)
  for (const target of targets) {
    key = target.key
    stats.页面++
    await explore(target)
  }
  const errors = [...new Set(page.errors.filter((e) => !/status of (400|409|412|422|429)/.test(e) && !(/status of 404/.test(e) && handed.has(/tickets\/(\d+)/.exec(e)?.[1]))))]
  check(errors.length === 0, `${role} 控制台错误：${errors.slice(0, 4).join('；')}`)
  check(refused.size === 0, `${role} 点了却被拒绝或找不到：${[...refused].slice(0, 6).join('；')}`)

  async function signIn() {
    const res = await page.request.post(base + '/api/v1/login', { data: { username: login.username, password: login.password } })
    check(res.ok(), `${role} 登录`)
  }
  /** A full load, as at the start or after a change of person. */
  async function load(path) {
    stats.整页载入++
    worn = false
    await page.evaluate(() => (sessionStorage.clear(), localStorage.clear())).catch(() => {})
    await page.goto('about:blank').catch(() => {})
    if ((await api(page, 'GET', '/api/v1/me')).body?.account?.username !== login.username) await signIn()
    await page.goto(base + path)
    return ready()
  }
  /** Goes to a page as a link does; where it is open already, it is left and opened anew. */
  async function go(path) {
    if (worn) return load(path)
    await page.evaluate((to) => window.eye.go(to), path.replace('/console', ''))
    return ready()
  }
  async function ready() {
    await page.waitForFunction(() => document.querySelector('main')?.innerText.length > 20 && !document.querySelector('.state.loading'), null, { timeout: 30_000, polling: 50 }).catch(() => {})
    return see(false)
  }
  /** What the page shows once it is quiet, and after a press whether that brought anything about. */
  async function see(press) {
    let acted = !press
    for (let i = 0; i < 20; i++) {
      const now = await page.evaluate(([k, p]) => window.eye.after(k, p), [key, press && i === 0]).catch(() => null)
      // A new document, or a part of the program that was still on its way, is an effect too.
      acted ||= now ? now.acted : true
      if (now && page.loading.size === 0) {
        for (const fault of badText(now.fresh)) if (!told.has(fault)) check(!told.add(fault), `${where} ${fault}`)
        for (const m of now.mute) if (!mute.has(m)) mute.set(m, where)
        return { ...now, acted }
      }
      acted = true
      if (now) await Promise.race([...page.loading].map((r) => r.response().then((a) => a?.finished()).catch(() => {})))
      else await page.waitForLoadState('domcontentloaded').catch(() => {})
    }
    throw new Error('页面一直没有安静下来')
  }

  /** One page, step by step: what is new is pressed, what has been tried is shut, what was passed by is walked to again. */
  async function explore(target) {
    const home = target.path.split('/').slice(0, 3).join('/')
    const path = new Map() // 看见过的 → 打开页面以后依次点什么能走到
    const tries = new Map()
    let trail = []
    let now = await go(target.path)
    const learn = (by) => {
      trail = by
      for (const c of now.list) {
        if (c.place === '页眉' && c.link && !c.label.startsWith('跳')) continue
        if (!path.has(c.key)) path.set(c.key, trail)
        if (!met.has(c.key)) met.set(c.key, where)
      }
    }
    const left = () => !now.path.startsWith(home) || (key !== 'ticket' && /\/tickets\/\d/.test(now.path))
    const open = (k) => path.has(k) && !pressed.has(k) && !SPARED.test(k)
    where = `${role} ${key}`
    learn([])
    let turn = 0
    for (; turn < TURNS; turn++) {
      const news = now.list.filter((c) => open(c.key))
      // A dialog is first submitted as it opens, before anything in it is touched.
      const pick = (now.title && news.find((c) => c.submit)) || news[0]
      if (pick) {
        const from = Date.now()
        await step(pick)
        if (process.env.TRACE) console.log(`    ${Date.now() - from}ms ${where} [${trail.length}] ${now.title} ${now.path}`)
      } else if (now.title) {
        await shut()
      } else {
        const back = [...path.keys()].find((k) => open(k) && (tries.get(k) ?? 0) < 2)
        if (!back) break
        await again(back)
      }
    }
    check(turn < TURNS, `${role} ${key} 没有点完`)

    async function step(c) {
      const url = page.url()
      const came = path.get(c.key)
      where = `${role} ${key} ${now.title} “${c.label || c.key}”`
      pressed.set(c.key, role)
      page.popup = null
      const spot = await page.evaluate(([k, n]) => window.eye.aim(k, n), [key, c.key])
      // A list that was read anew has other rows: what is gone is walked to again.
      if (!spot?.x) {
        if (spot) check(false, `${where} 点不到：被${spot.cover}挡住`)
        else pressed.delete(c.key)
        now = await see(false)
        return learn(trail)
      }
      const before = now
      stats.点按++
      await page.mouse.click(spot.x, spot.y)
      now = await see(true)
      if (page.popup) await page.popup
      check(now.acted || page.popup || page.url() !== url || c.on, `${where} 没有反应`)
      check(!now.lost, `${where} 通向不存在的页面`)
      if (/字号|深色|浅色|随系统/.test(c.label)) worn = true
      if (c.submit && now.dialogs > 0 && now.dialogs <= before.dialogs) {
        stats.弹窗提交++
        check(/[\u4e00-\u9fff]/.test(now.said), `${where} 空着提交没有中文提示`)
      }
      if (now.moved || now.path.includes('/login')) now = await load(target.path)
      else if (left()) now = await go(target.path)
      else return learn([...came, c.key])
      learn([])
    }

    /** Walks to what was seen and passed by: from where the page stands, then from its start, then from a full load. */
    async function again(key) {
      let steps = path.get(key)
      const nth = tries.get(key) ?? 0
      tries.set(key, nth + 1)
      if (nth === 0 && steps.length && now.list.some((c) => c.key === steps.at(-1))) steps = steps.slice(-1)
      else {
        stats.重走++
        now = await (nth ? load : go)(target.path)
        learn([])
        for (const [k, way] of path) if (!way.length && k !== key && open(k) && !now.list.some((c) => c.key === k)) tries.set(k, (tries.get(k) ?? 0) + 1)
      }
      if (process.env.TRACE) console.log('    again ' + key + ' by ' + steps.join(' > '))
      for (const k of steps) {
        let c
        for (let i = 0; i < 3 && !(c = now.list.find((x) => x.key === k)) && now.title; i++) await shut()
        if (!c) return
        await step(c)
      }
    }

    /** Escape closes what is on top: first an open list, then the dialog around it. */
    async function shut() {
      const { title, list } = now
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press('Escape')
        now = await see(false)
        if (left()) now = await go(target.path)
        if (now.title !== title || now.list.length !== list.length) return learn(trail)
      }
      check(false, `${where} 弹窗“${title}”按Esc关不上`)
      now = await go(target.path)
      learn([])
    }
  }
}

const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration' && (!only || only.includes(r)))
const browser = await open()
const pages = []
await lanes(roles, async (role) => {
  const from = Date.now()
  const page = pages.pop() ?? (await eyed())
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  await walk(page, role, login).catch((err) => check(false, `${role} 中断：${String(err.stack).split('\n').slice(0, 3).join(' ')}`))
  pages.push(page)
  console.log(`  ${role} ${Math.round((Date.now() - from) / 1000)} 秒`)
}, Number(process.env.LANES ?? 2))
await browser.close()
if (process.env.KEYS) (await import('node:fs')).writeFileSync(process.env.KEYS, [...met].map(([k, at]) => `${pressed.has(k) ? ' ' : '!'} ${k}（${at}）`).sort().join('\n'))
const missing = [...met].filter(([k]) => !pressed.has(k) && !SPARED.test(k))
check(missing.length === 0, `见过却没点到${missing.length}个：\n    ${missing.map(([k, at]) => `${k}（${at}）`).join('\n    ')}`)
check(mute.size === 0, `灰着却不说原因${mute.size}个：\n    ${[...mute].map(([k, at]) => `${k}（${at}）`).join('\n    ')}`)
console.log(`逐个点按：${met.size}个按钮，` + Object.entries(stats).map(([k, n]) => `${k}${n}`).join('，'))
finish()

/** A page of a lane, with what it takes to watch it. */
async function eyed() {
  const page = await enter(browser, null, desktop)
  await page.context().addInitScript(eye)
  page.loading = new Set()
  page.on('request', (r) => /script|stylesheet/.test(r.resourceType()) && page.loading.add(r))
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, (r) => page.loading.delete(r))
  page.on('response', (r) => page.onAnswer?.(r))
  const effect = () => page.evaluate(() => window.eye.note()).catch(() => {})
  page.context().on('page', (p) => {
    if (p === page) return
    effect()
    page.popup = p.waitForLoadState('domcontentloaded').catch(() => {}).then(() => p.close()).catch(() => {})
  })
  page.on('download', (d) => effect() && d.cancel().catch(() => {}))
  page.on('filechooser', effect)
  page.on('dialog', (d) => d.dismiss().catch(() => {}))
  return page
}
