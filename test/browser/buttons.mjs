// 逐个点按：每个角色的每个菜单都打开，每个页面上每一种能点的都点一遍，必须有反应；弹窗空着提交要有中文提示，按Esc能关上；
// 灰着的要说明原因；出现过的文字没有英文；每个页面1366宽时不横向滚动，没有无障碍问题。按“页面或弹窗＋名称”认按钮：别的角色在同一页面、同一弹窗点过的算点过，没点到的从头走一遍去点。
// 等的是页面和网络安静下来，不是时间。
import { writeFileSync } from 'node:fs'
import { accounts, api, axe, base, check, desktop, enter, finish, lanes, laptop, open, shot } from './lib.mjs'
import { eye } from './eye.mjs'
import { badText } from './text.mjs'

const only = process.env.ROLE?.split(',')
const TURNS = 400 // 一个页面至多走这么多步，够不到就是没点完
/** 走四遍都不再出现的，至多这么多个：通话对方刚好挂断、工单刚好被别的岗位办走，重走一遍也回不到那一刻。看得见却点不到的，一个都不许。 */
const FLEETING = 5
const WORDS = '武昌区水果湖街道东湖花园小区楼道路灯坏了三天，晚上看不见路，请尽快维修。'
const SPARED = /\|退出登录$/ // 退出就结束了这次巡检；登录的故事里退出
const pressed = new Map() // 点过的 → 点它的角色
const same = new Set() // 点过的是什么：同样的按钮在别的页面、弹窗、行里也是它
const met = new Map() // 见过的 → 见过它的角色和页面，是什么
const mute = new Map() // 灰着又不说原因的
const told = new Set()
const seen = new Set() // 查过无障碍的页面
const owner = new Map() // 先看见它的那一趟：那一趟还在走，别的岗位就不去点
const under = new Set() // 正在走的各趟
const handed = new Set() // 办过以后转给下一岗位的工单，办的人可能不再看得到
const spent = new Map() // 每个角色的每个页面用了多少毫秒
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
    const from = Date.now()
    await explore(target)
    spent.set(`${role} ${key}`, (spent.get(`${role} ${key}`) ?? 0) + Date.now() - from)
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
  async function see(press, on) {
    let acted = !press
    let missed = false
    for (let i = 0; i < 20; i++) {
      const now = await page.evaluate(([k, p, o]) => window.eye.after(k, p, o), [key, press && i === 0, on]).catch(() => null)
      // A new document, or a part of the program that was still on its way, is an effect too.
      acted ||= now ? now.acted : true
      missed ||= now?.missed
      if (now && page.loading.size === 0) {
        for (const fault of badText(now.fresh)) if (!told.has(fault)) check(!told.add(fault), `${where} ${fault}`)
        for (const m of now.mute) if (!mute.has(m)) mute.set(m, where)
        return { ...now, acted, missed }
      }
      acted = true
      if (now) await Promise.race([...page.loading].map((r) => r.response().then((a) => a?.finished()).catch(() => {})))
      else await page.waitForLoadState('domcontentloaded').catch(() => {})
    }
    throw new Error('页面一直没有安静下来')
  }

  /** At the desk a request is written down, so that advice, knowledge and tickets like it stand beside it. */
  async function write() {
    const empty = page.getByLabel('诉求内容').filter({ visible: true }).first()
    if ((await empty.inputValue({ timeout: 200 }).catch(() => '-')) !== '') return null
    const advised = page.waitForResponse((r) => r.url().includes('/suggest'), { timeout: 5000 }).catch(() => {})
    await empty.fill(WORDS)
    await advised
    return see(false)
  }

  /** How a page looks: something on it, no wider than a laptop, and the first time accessible, with pictures of it. */
  async function inspect() {
    const wide = async () => {
      await page.setViewportSize(laptop)
      return page.evaluate(async () => (await window.eye.quiet(30, 1000), document.documentElement.scrollWidth - innerWidth))
    }
    const [length, over] = [await page.evaluate(() => document.body.innerText.length), await wide()]
    check(length > 40, `${role} ${key} 有内容`)
    check(over <= 1, `${role} ${key} 在1366宽时横向滚动${over}像素`)
    const first = !seen.has(key)
    seen.add(key)
    if (first) await shot(page, `page-${key}-1366`)
    await page.setViewportSize(desktop)
    if (!first) return
    await shot(page, 'page-' + key)
    const faults = await axe(page)
    check(faults.length === 0, `${role} ${key} 无障碍：${faults.join('；')}`)
  }

  /** For people who look: what lies on top, the first time, as a laptop shows it. */
  async function picture() {
    const title = await page.evaluate(() => document.querySelector('.el-overlay [role=dialog], .el-overlay .el-drawer') && window.eye.look('').title)
    if (!title || told.has('图' + title)) return
    told.add('图' + title)
    await page.setViewportSize(laptop)
    await page.evaluate(() => window.eye.quiet(100, 1000))
    await shot(page, `dialog-${key}-${title.replace(/[^\u4e00-\u9fff\w]+/g, '-')}`)
    await page.setViewportSize(desktop)
  }

  /** One page, step by step: what is new is pressed, what has been tried is shut, what was passed by is walked to again. */
  async function explore(target) {
    const home = target.path.split('/').slice(0, 3).join('/')
    const ways = new Map() // 看见过的 → 打开页面以后依次点什么能走到，走到以前点过的全部，在不在弹窗里
    const tries = new Map()
    const opened = new Map() // 为它又打开过几次弹窗或菜单
    const blind = new Map() // 有几次找不到它的位置
    const touched = new Set() // 点过其中什么的弹窗
    const self = Symbol(role)
    let trail = []
    let past = []
    let looks = 0
    let now
    const learn = (by) => {
      trail = by
      looks++
      if (!now.title) touched.clear()
      for (const c of now.list) {
        if (c.place === '页眉' && c.link && !c.label.startsWith('跳')) continue
        if (!ways.has(c.key)) ways.set(c.key, { steps: trail, past: past.slice(-40), layer: Boolean(now.title), turn: looks })
        if (!under.has(owner.get(c.key))) owner.set(c.key, self)
        if (!met.has(c.key)) met.set(c.key, { at: where, like: c.like })
      }
    }
    const start = async (opening = go) => {
      now = await opening(target.path)
      if (key === 'desk') now = (await write()) ?? now
      past = []
      learn([])
    }
    const left = () => !now.path.startsWith(home) || (key !== 'ticket' && /\/tickets\/\d/.test(now.path))
    const open = (k) => ways.has(k) && !pressed.has(k) && !SPARED.test(k) && (owner.get(k) === self || !under.has(owner.get(k)))
    const tried = (k) => tries.set(k, (tries.get(k) ?? 0) + 1)
    const via = (k) => ways.get(k)?.steps.map((s) => s.key).join(' > ')
    /** What stands beside it in the same dialog or menu, and is seen again with it. */
    const beside = (k) => (ways.get(k)?.layer ? [...ways.keys()].filter((o) => open(o) && via(o) === via(k)) : [k])
    const find = (s) => now.list.find((c) => c.key === s.key)
    where = `${role} ${key}`
    under.add(self)
    await start(seen.has(key) ? go : load)
    await inspect()
    let turn = 0
    for (; turn < TURNS; turn++) {
      const pick = choose()
      if (pick) await step(pick)
      else if (now.title) await shut()
      else {
        const back = [...ways.keys()].find((k) => open(k) && (tries.get(k) ?? 0) < (same.has(met.get(k).like) ? 2 : 4))
        if (!back) break
        await again(back)
      }
    }
    under.delete(self)
    check(turn < TURNS, `${role} ${key} 没有点完`)

    /**
     * What to press next, so that little goes before it was pressed: what came last goes first, what ends things goes last.
     * In a dialog everything but the submit; then that, in the dialog opened anew, with nothing filled in.
     */
    function choose() {
      const age = (c) => ways.get(c.key).turn
      const news = now.list.filter((c) => open(c.key) && !(blind.get(c.key) > 2)).sort((a, b) => age(b) - age(a))
      const calm = news.find((c) => !c.ends && !(now.title && c.submit))
      const ends = news.find((c) => c.ends)
      if (!now.title) return calm && age(calm) === looks ? calm : (reopened() ?? calm ?? ends ?? elsewhere() ?? ring())
      const submit = news.find((c) => c.submit)
      if (now.title === '来一个电话' && !calm) return ring()
      return calm ?? (submit && (!touched.has(now.title) || tries.get(submit.key)) ? submit : ends ?? reopened())
    }
    /** A dialog bears the name of its button: what was not reached in it on another page, row or role is reached from here. */
    function elsewhere() {
      const c = now.list.find((x) => x.label && pressed.has(x.key) && !(opened.get(x.key) > 1) && [...met.keys()].some((k) => k.startsWith(`弹窗${x.label.replace(/ ?(回车|Ctrl.*)$/, '')}|`) && !pressed.has(k)))
      if (c) opened.set(c.key, (opened.get(c.key) ?? 0) + 1)
      return c
    }
    /** A call that was lost, or over before all its keys were pressed, is followed by another. */
    function ring() {
      if (pressed.has('电话|挂机 F') && ![...met.keys()].some((k) => k.startsWith('电话|') && !pressed.has(k))) return
      const c = find({ key: '电话|行|BUTTONmenuitem.item' }) ?? find({ key: '电话|来一个电话' }) ?? (ways.has('电话|来一个电话') && find({ key: '电话|就绪' }))
      if (!c || opened.get(c.key) > 5) return
      opened.set(c.key, (opened.get(c.key) ?? 0) + 1)
      return c
    }
    /** What leads back at once to a dialog or menu that closed before all of it was pressed; a dialog may stand behind a menu. */
    function reopened() {
      for (const [k, way] of ways) {
        if (!way.layer || !open(k) || tries.get(k) || find({ key: k })) continue
        const [last, menu] = way.steps.slice(-2).reverse()
        const opener = (last && find(last)) || (!now.title && menu && find(menu)?.menu && find(menu))
        if (!opener) continue
        opened.set(k, (opened.get(k) ?? 0) + 1)
        if (opener.key === last.key || opened.get(k) > 4) beside(k).forEach(tried)
        return opener
      }
    }

    async function step(c) {
      const from = Date.now()
      const url = page.url()
      const came = ways.get(c.key)?.steps ?? trail
      const before = now
      const blank = c.submit && !touched.has(now.title)
      where = `${role} ${key} ${now.title} “${c.label || c.key}”`
      page.popup = null
      const spot = await page.evaluate(([k, n, l]) => window.eye.aim(k, n, l), [key, c.key, c.label])
      // A list that was read anew has other rows: what is gone is walked to again.
      if (!spot?.x) {
        blind.set(c.key, (blind.get(c.key) ?? 0) + 1)
        if (spot && pressed.set(c.key, role)) check(false, `${where} 点不到：被${spot.cover}挡住`)
        now = await see(false)
        return learn(trail)
      }
      stats.点按++
      await page.mouse.click(spot.x, spot.y)
      now = await see(true, c.on)
      if (now.missed && (tries.get(c.key) ?? 0) < 3) return (tried(c.key), learn(trail))
      // A press that told something lets the rest of its dialog be walked to again.
      if (!pressed.has(c.key)) for (const k of beside(c.key)) tries.delete(k)
      if (process.env.PICTURES) await picture()
      pressed.set(c.key, role)
      same.add(c.like)
      if (before.title) touched.add(before.title)
      if (page.popup) await page.popup
      check(now.acted || page.popup || page.url() !== url || c.on, `${where} 没有反应`)
      check(!now.lost, `${where} 通向不存在的页面`)
      if (/字号|深色|浅色|随系统/.test(c.label)) worn = true
      if (blank && now.dialogs > 0 && now.dialogs <= before.dialogs) {
        stats.弹窗提交++
        check(/[\u4e00-\u9fff]/.test(now.said), `${where} 空着提交没有中文提示`)
      }
      if (process.env.TRACE) console.log(`    ${Date.now() - from}ms ${where} [${trail.length}] ${now.title} ${now.path}`)
      if (now.moved || now.path.includes('/login')) return start(load)
      if (left()) return start()
      past.push({ key: c.key, label: c.label })
      learn([...came, past.at(-1)])
    }

    /** Walks to what was seen and passed by: from where the page stands, from its start, then from a full load what was done last before it, then all that was. */
    async function again(k) {
      const way = ways.get(k)
      const nth = tries.get(k) ?? 0
      beside(k).forEach(tried)
      let { steps } = way
      if (process.env.TRACE) console.log(`    again ${nth} ${k} by ${steps.map((s) => s.key).join(' > ')}`)
      if (nth === 0 && steps.length && find(steps.at(-1))) steps = steps.slice(-1)
      else {
        stats.重走++
        if (nth === 0) beside(k).forEach(tried)
        await start(nth < 2 ? go : load)
        if (nth >= 2) steps = way.past.slice(nth === 2 ? -8 : -40)
        // A telephone in use is given free before it is called again.
        if (steps.some((s) => s.key.startsWith('电话|'))) for (const label of ['挂机 F', '结束话后']) if (find({ key: '电话|' + label })) await step(find({ key: '电话|' + label }))
        for (const [other, { steps }] of ways) if (!steps.length && other !== k && open(other) && !find({ key: other })) tried(other)
      }
      for (const s of steps) {
        for (let i = 0; i < 3 && !find(s) && now.title; i++) await shut()
        if (find(s)) await step({ ...find(s), label: s.label })
        if (find({ key: k })) return
      }
    }

    /** Escape closes what is on top: first an open list, then the dialog around it. A call that rings is answered. */
    async function shut() {
      const rings = now.list.find((c) => c.key.startsWith('电话|接听'))
      if (rings) return step(rings)
      const { title, list } = now
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press('Escape')
        now = await see(false)
        if (left()) return start()
        if (now.title !== title || now.list.length !== list.length) return learn(trail)
      }
      check(false, `${where} 弹窗“${title}”按Esc关不上`)
      await start()
    }
  }
}

// Who shares pages does not walk them at the same time: what the first pressed need not be pressed again. 系统管理员 is
// last: he stops accounts and gives them new passwords, which ends the sessions of those who walk beside him.
const ORDER = ['agent', 'handler', 'kb_admin', 'auditor', 'secadmin', 'unit_lead', 'leader', 'supervisor', 'province', 'shift_lead', 'dispatcher', '', 'sysadmin']
const turn = (role) => ORDER.indexOf(ORDER.includes(role) ? role : '')
const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration' && (!only || only.includes(r))).sort((a, b) => turn(a) - turn(b))
const browser = await open()
const pages = []
await lanes(roles, async (role) => {
  const from = Date.now()
  const page = pages.pop() ?? (await eyed())
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  await walk(page, role, login).catch((err) => check(false, `${role} 中断：${String(err.stack).split('\n').slice(0, 3).join(' ')}`))
  for (const walk of under) if (walk.description === role) under.delete(walk)
  pages.push(page)
  console.log(`  ${role} ${Math.round((Date.now() - from) / 1000)} 秒`)
}, Number(process.env.LANES ?? 2))
await browser.close()
if (process.env.KEYS) writeFileSync(process.env.KEYS, [...met].map(([k, m]) => `${pressed.has(k) ? ' ' : same.has(m.like) ? '~' : '!'} ${k}（${m.at}）`).sort().join('\n'))
const gone = [...met].filter(([k]) => !pressed.has(k) && !SPARED.test(k))
const missing = gone.filter(([, m]) => !same.has(m.like))
stats.同样的点过 = gone.length - missing.length
check(missing.length <= FLEETING, `见过却没点到${missing.length}个：\n    ${missing.map(([k, m]) => `${k}（${m.at}）`).join('\n    ')}`)
if (!only && !process.env.TARGET) for (const k of ['接听 F', '挂机 F', '转接 F', '满意度 F']) check(pressed.has('电话|' + k), `没有来电，没点到“${k}”`)
check(mute.size === 0, `灰着却不说原因${mute.size}个：\n    ${[...mute].map(([k, at]) => `${k}（${at}）`).join('\n    ')}`)
console.log(`逐个点按：${met.size}个按钮，` + Object.entries(stats).map(([k, n]) => `${k}${n}`).join('，'))
const slow = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 10)
console.log('最慢的十页：' + slow.map(([k, ms]) => `${k} ${Math.round(ms / 1000)}秒`).join('，'))
if (missing.length && missing.length <= FLEETING) console.log('转瞬即逝没点到：' + missing.map(([k]) => k).join('，'))
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
