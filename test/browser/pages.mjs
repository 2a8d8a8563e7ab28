// 页面巡检：每个角色的每个菜单都打开，没有控制台错误、英文残留、横向滚动和无障碍问题。手机、夜间配色和首屏脚本在 crawl。
import { accounts, api, axe, base, check, desktop, enter, finish, lanes, laptop, open, settle, shot } from './lib.mjs'
import { badText } from './text.mjs'

const roles = [...new Set(accounts.map((a) => a.role))].filter((r) => r !== 'citizen' && r !== 'integration')
const browser = await open()
const seen = new Set()
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

await lanes(roles, async (role) => {
  const login = accounts.find((a) => a.role === role && a.region.startsWith('4201')) ?? accounts.find((a) => a.role === role)
  const page = await enter(browser, login, desktop)
  const me = (await api(page, 'GET', '/api/v1/me')).body
  check(me?.menus?.length > 0, role + ' 有菜单')
  for (const menu of me?.menus ?? []) {
    await page.goto(base + '/console' + menu.path)
    await settle(page)
    const text = await page.evaluate(() => document.body.innerText)
    check(text.length > 40, `${role} ${menu.label} 有内容`)
    const bad = badText(text)
    check(bad.length === 0, `${role} ${menu.label} ${bad.slice(0, 3).join(' | ')}`)
    await page.setViewportSize(laptop)
    check((await wide(page)) <= 1, `${role} ${menu.label} 在1366宽时横向滚动${await wide(page)}像素`)
    const first = !seen.has(menu.key)
    seen.add(menu.key)
    if (first) await shot(page, `page-${menu.key}-1366`)
    await page.setViewportSize(desktop)
    if (first) {
      await shot(page, 'page-' + menu.key)
      const faults = await axe(page)
      check(faults.length === 0, `${menu.label} 无障碍：${faults.join('；')}`)
    }
  }
  check(page.errors.length === 0, `${role} 控制台错误：${[...new Set(page.errors)].slice(0, 3).join('；')}`)
  await page.context().close()
})
await browser.close()
console.log('角色巡检')
finish()
