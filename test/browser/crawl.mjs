// 巡检：承办、审核、首页在手机上可用，没有横向滚动和无障碍问题；领导首页的地图随昼夜配色重画；工作台首屏不超过200 kB。大屏上的每个页面由逐个点按（buttons.mjs）查。
import { gzipSync } from 'node:zlib'
import { accounts, api, axe, base, check, desktop, enter, finish, lanes, laptop, open, phone, settle, shot } from './lib.mjs'

const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration')
const browser = await open()
const seen = new Set()
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
const MOBILE = /^(unit|review|home)$/

/** What the first screen of a page costs in JavaScript, gzipped; what is fetched ahead while nothing is to be done is not of it. */
async function weigh(page, path) {
  const urls = new Set()
  const note = (r) => /\.js(\?|$)/.test(r.url()) && urls.add(r.url())
  page.on('response', note)
  await page.addInitScript(() => (window.requestIdleCallback = () => 0))
  await page.goto(base + '/console' + path)
  await settle(page)
  page.off('response', note)
  let sum = 0
  for (const u of urls) sum += gzipSync(await (await page.request.get(u)).body(), { level: 9 }).length
  return sum
}

/** wear changes light and dark as people do, in 我的菜单. */
async function wear(page, label) {
  await page.getByRole('button', { name: '我的菜单' }).click()
  await page.getByRole('menuitem', { name: new RegExp('^' + label) }).click()
}
/** Runs in the page: how bright the map is painted, 0 to 1. */
function glow() {
  let sum = 0
  let n = 0
  for (const canvas of document.querySelectorAll('.map canvas')) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < data.length; i += 64) {
      if (data[i + 3] < 200) continue
      sum += (data[i] + data[i + 1] + data[i + 2]) / 765
      n++
    }
  }
  return n ? sum / n : NaN
}
/** repainted waits until the map glows as it should. */
const repainted = (page, fits) => page.waitForFunction(`(${fits})((${glow})())`, null, { timeout: 10_000 }).then(() => true, () => false)

await lanes(roles, async (role) => {
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  const page = await enter(browser, login, phone)
  const me = (await api(page, 'GET', '/api/v1/me')).body
  check(me?.menus?.length > 0, role + ' 有菜单')
  for (const menu of me?.menus ?? []) {
    if (!MOBILE.test(menu.key) || (seen.has(menu.key) && role !== 'leader')) continue
    seen.add(menu.key)
    await page.goto(base + '/console' + menu.path)
    await settle(page)
    check((await wide(page)) <= 1, `${role} ${menu.label} 在手机上横向滚动${await wide(page)}像素`)
    await shot(page, `page-${role}-${menu.key}-390`)
    const faults = await axe(page)
    check(faults.length === 0, `${role} ${menu.label} 手机上无障碍：${faults.join('；')}`)
  }
  check(page.errors.length === 0, `${role} 手机上控制台错误：${[...new Set(page.errors)].slice(0, 3).join('；')}`)
  if (role === 'agent' || role === 'leader') await desk(role, login)
  await page.context().close()
})
await browser.close()
console.log('手机与夜间巡检')
finish()

/** What only a large screen has: the weight of the first screen of the desk; day and night on the map. */
async function desk(role, login) {
  const page = await enter(browser, login, desktop)
  if (role === 'agent') {
    const bytes = await weigh(page, '/desk')
    console.log(`  座席工作台首屏脚本 ${Math.round(bytes / 1000)} kB（gzip）`)
    check(bytes <= 200_000, '座席工作台首屏脚本不超过200 kB：' + bytes)
  }
  if (role === 'leader') {
    await page.goto(base + '/console/home')
    await page.locator('.map canvas').first().waitFor({ timeout: 15_000 }).catch(() => {})
    await settle(page)
    const day = await page.evaluate(`(${glow})()`)
    await wear(page, '深色')
    check(await repainted(page, `(g) => g < ${day} - 0.2`), '换成夜间配色后地图重画')
    await settle(page)
    await shot(page, 'page-leader-home-dark')
    const faults = await axe(page)
    check(faults.length === 0, '夜间配色无障碍：' + faults.join('；'))
    await wear(page, '浅色')
    check(await repainted(page, `(g) => Math.abs(g - ${day}) < 0.02`), '换回浅色后地图重画')
    await shot(page, 'page-leader-home')
    await page.setViewportSize(laptop)
    await shot(page, 'page-leader-home-1366')
  }
  check(page.errors.length === 0, `${role} 控制台错误：${[...new Set(page.errors)].slice(0, 3).join('；')}`)
  await page.context().close()
}
