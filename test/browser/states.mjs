// 页面的各种状态：每个菜单页面在出错、断网、无权限、读取中和没有内容时，都有中文说明；出错时有重试按钮，按下就恢复。
import { accounts, api, base, check, desktop, enter, finish, lanes, open } from './lib.mjs'

const browser = await open()
const seen = new Set(['desk']) // 座席工作台是填写页，它的检索和草稿在工作台故事里
const KEPT = /\/api\/v1\/(me|meta|events|vocabulary|login|demo)\b/
const problem = (status, detail) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, code: status === 403 ? 'role_forbidden' : 'internal', title: '请求没有完成', detail }) })

/** What the server answers instead: each breaks every reading of a page but who one is and what words mean. */
const MODES = {
  出错: (route) => route.fulfill(problem(500, '系统出现异常，请稍后重试。')),
  断网: (route) => route.abort('connectionrefused'),
  无权限: (route) => route.fulfill(problem(403, '您的岗位不能查看这里。')),
  没有内容: async (route) => {
    const res = await route.fetch()
    const body = await res.json().catch(() => null)
    if (body && Array.isArray(body.items)) body.items = []
    return route.fulfill({ response: res, json: body })
  },
}
const shown = (page, selector) => page.locator('main ' + selector).filter({ hasText: /[\u4e00-\u9fff]/ }).first().waitFor({ timeout: 10_000 }).then(() => true, () => false)
const retry = (page) => page.locator('main').getByRole('button', { name: /重新读取|重试/ }).first()
const calm = (page) => page.waitForFunction(() => document.querySelector('main')?.innerText.trim().length > 20 && !document.querySelector('main .state.loading'), null, { timeout: 15_000 }).then(() => true, () => false)

await lanes(accounts.filter((a, i) => a.role !== 'citizen' && a.role !== 'integration' && accounts.findIndex((b) => b.role === a.role) === i), async (login) => {
  const page = await enter(browser, login, desktop)
  const menus = (await api(page, 'GET', '/api/v1/me')).body.menus.filter((m) => !seen.has(m.key))
  for (const menu of menus) {
    if (seen.has(menu.key)) continue
    seen.add(menu.key)
    const path = base + '/console' + menu.path.replace(/^\/console/, '')
    for (const [mode, answer] of Object.entries(MODES)) {
      const take = (route) => (KEPT.test(route.request().url()) || route.request().method() !== 'GET' ? route.fallback() : Promise.resolve(answer(route)).catch(() => {}))
      await page.route('**/api/v1/**', take)
      await page.goto(path)
      if (mode === '出错' || mode === '断网') {
        // Both in one look: the wall heals by itself as soon as its socket brings it.
        const both = await page.waitForFunction(() => {
          const button = [...document.querySelectorAll('main button')].some((b) => /重新读取|重试/.test(b.innerText) && b.checkVisibility())
          return button && [...document.querySelectorAll('main [role=alert]')].some((a) => /[\u4e00-\u9fff]/.test(a.innerText))
        }, null, { timeout: 10_000, polling: 'raf' }).then(() => true, () => false)
        check(both || (await shown(page, '[role=alert]')), `${menu.label}${mode}时有中文说明`)
        const button = both || (await retry(page).isVisible().catch(() => false))
        check(button, `${menu.label}${mode}时有重试按钮`)
        await page.unroute('**/api/v1/**', take)
        if (button && mode === '出错') {
          while (await retry(page).isVisible().catch(() => false)) {
            const before = await page.locator('main [role=alert]').count()
            await retry(page).click({ timeout: 3000 }).catch(() => {})
            if (!(await page.waitForFunction((n) => document.querySelectorAll('main [role=alert]').length < n, before, { timeout: 8000 }).then(() => true, () => false))) break
          }
          check((await page.locator('main [role=alert]').count()) === 0 && (await calm(page)), `${menu.label}重试后恢复`)
        }
      } else {
        check(await calm(page), `${menu.label}${mode}时不空白`)
        if (mode === '无权限') check(await shown(page, '.state.forbidden, [role=alert]'), `${menu.label}无权限时有中文说明`)
        await page.unroute('**/api/v1/**', take)
      }
    }
    // 读取中：回答迟迟不来时有提示，来了就换成内容
    let release
    const held = new Promise((r) => (release = r))
    const hold = async (route) => {
      if (!KEPT.test(route.request().url())) await held
      return route.fallback()
    }
    await page.route('**/api/v1/**', hold)
    await page.goto(path)
    check(await shown(page, '.state.loading, [aria-busy=true]'), `${menu.label}读取中有提示`)
    release()
    check(await calm(page), `${menu.label}读取后有内容`)
    await page.unroute('**/api/v1/**', hold)
  }
  const broken = page.errors.filter((e) => !/Failed to load resource/.test(e))
  check(broken.length === 0, `${login.role} 脚本错误：${[...new Set(broken)].slice(0, 3).join('；')}`)
  await page.context().close()
})
await browser.close()
console.log(`页面状态：${seen.size - 1} 个页面`)
finish()
