// 点按用时：每个岗位的菜单、页签和列表首行，从点按到第一处变化、到页面本身变化（门槛150毫秒）、到数据画完，各用多少毫秒。只报数，不判定；由 make bench 跑。
import { accounts, base, desktop, enter, open, settle } from './lib.mjs'

const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration')

/** Before any page script: counts what is asked and what is drawn; digits that count on are not drawn anew. */
function watch() {
  window.asking = 0
  const fetch = window.fetch
  window.fetch = async (...a) => {
    const counts = !String(a[0]).includes('/events')
    if (counts) window.asking++
    try {
      return await fetch(...a)
    } finally {
      if (counts) window.asking--
    }
  }
}

/** Runs in the page: clicks the nth of what fits and waits until nothing has been asked or drawn for 150 ms. */
function click([selector, nth]) {
  const el = [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length)[nth]
  if (!el) return null
  if (el.ariaCurrent) return {} // is open already
  return new Promise((done) => {
    let first = 0
    let page = 0
    let last = 0
    const from = performance.now()
    const digits = (m) => m.type === 'characterData' && m.oldValue?.replace(/\d/g, '#') === m.target.data.replace(/\d/g, '#')
    const watcher = new MutationObserver((all) => {
      if (all.every(digits)) return
      last = performance.now() - from
      first ||= last
      if (all.some((m) => (m.target.nodeType === 1 ? m.target : m.target.parentElement)?.closest('main, [role=dialog]'))) page ||= last
    })
    watcher.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true, characterDataOldValue: true })
    const timer = setInterval(() => {
      const now = performance.now() - from
      if ((window.asking === 0 && now - last > 150) || now > 4000) {
        clearInterval(timer)
        watcher.disconnect()
        done({ what: el.innerText.replace(/\s+/g, ' ').slice(0, 16), first, page: page || last, last })
      }
    }, 25)
    el.click()
  })
}

const browser = await open()
const all = []
for (const role of roles) {
  const page = await enter(browser, accounts.find((a) => a.role === role), desktop)
  await page.addInitScript(watch)
  await page.goto(base + '/console/home')
  await settle(page)
  for (const selector of ['header nav a', 'main [role=tab]', 'main tbody tr']) {
    for (let nth = 0; nth < (selector.includes('tr') ? 1 : 12); nth++) {
      const took = await page.evaluate(click, [selector, nth]).catch(() => null)
      if (!took) break
      if (took.first) all.push({ role, ...took })
    }
  }
  await page.context().close()
}
const part = (name) => {
  const list = all.map((t) => t[name]).sort((a, b) => a - b)
  const at = (q) => Math.round(list[Math.floor((list.length - 1) * q)])
  return `中位数${at(0.5)}毫秒，九成五${at(0.95)}毫秒，最长${at(1)}毫秒，150毫秒以内${((100 * list.filter((t) => t <= 150).length) / list.length).toFixed(1)}%`
}
console.log(`点按${all.length}次。第一处变化：${part('first')}。页面变化：${part('page')}。数据画完：${part('last')}。`)
for (const t of all.filter((t) => t.page > 150).sort((a, b) => b.page - a.page)) console.log(`  超过：${Math.round(t.page)}毫秒 ${t.role} ${t.what}，画完${Math.round(t.last)}毫秒`)
await browser.close()
