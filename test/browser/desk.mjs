// 工作台故事：崩溃后恢复草稿、并单与撤销、提级、两人同改一单、强制改密、登录后回到大屏。
import { account, act, api, axe, base, check, desktop, enter, finish, laptop, open, settle, shot, until } from './lib.mjs'
import { choose, dialog, fill, find, goto, press, request, submit } from './steps.mjs'

const browser = await open()
const citizen = await enter(browser, null)
const agent = await enter(browser, account('agent'), desktop)
const dispatcher = await enter(browser, account('dispatcher'), desktop)
const units = (await api(dispatcher, 'GET', '/api/v1/units?q=' + encodeURIComponent('洪山区') + '&assignable=1')).body.items
const bureau = units.find((u) => /城市管理|城管/.test(u.name))
const pages = { citizen, agent, dispatcher, bureau }
const get = async (page, id) => (await api(page, 'GET', '/api/v1/tickets/' + id)).body

/** Runs in the page: whether the store of this computer holds the words. */
function written(words) {
  return new Promise((done) => {
    const req = indexedDB.open('hotline-desk')
    req.onerror = () => done(false)
    req.onsuccess = () => {
      const all = req.result.transaction('draft').objectStore('draft').getAll()
      all.onsuccess = () => (req.result.close(), done(JSON.stringify(all.result).includes(words)))
    }
  })
}

// 草稿：写到一半标签页没了，重新打开时原样还在
{
  const words = '来电反映关山大道路灯不亮已有一周，夜间出行不便，请尽快维修。'
  await goto(agent, '/desk')
  const content = agent.getByLabel('诉求内容').first()
  await content.fill(words)
  await agent.getByText(/草稿.*保存|已.*保存/).first().waitFor({ timeout: 8000 }).catch(() => {})
  await until(() => agent.evaluate(() => indexedDB.databases().then((d) => d.length > 0)))
  const context = agent.context()
  await context.route('**/api/v1/drafts/**', (r) => r.abort())
  await content.fill(words + '另有一处井盖松动。')
  await until(() => agent.evaluate(written, '另有一处井盖松动'))
  await agent.close({ runBeforeUnload: false })
  await context.unroute('**/api/v1/drafts/**')
  const again = await context.newPage()
  again.errors = agent.errors
  await goto(again, '/desk')
  const kept = await again.getByLabel('诉求内容').first().waitFor().then(() => again.waitForFunction((w) => [...document.querySelectorAll('textarea')].some((t) => t.value.includes(w)), words + '另有一处井盖松动', { timeout: 8000 })).then(() => true, () => false)
  check(kept, '标签页关掉后草稿恢复到最后一个字')
  await settle(again)
  await shot(again, 'desk-restored-1600')
  await again.setViewportSize(laptop)
  await shot(again, 'desk-restored-1366')
  check((await axe(again)).length === 0, '座席工作台无障碍')
  pages.agent = again
}

// 并单：两件同类工单，从页面上并入，再撤销，时限恢复
{
  const a = await request(pages, 'to_dispatch', { title: '小区停水超过一天', type: '求助', content: '洪山区关山街道保利时代小区昨天上午开始停水，至今未恢复，老人小孩用水困难。' })
  const b = await request(pages, 'to_dispatch', { title: '小区停水超过一天', type: '求助', content: '保利时代小区停水已超过二十四小时，物业没有说法，请尽快恢复供水。' })
  const clocks = (await get(dispatcher, b.id)).clocks.map((c) => c.due).join()
  await goto(dispatcher, '/tickets/' + b.id)
  await press(dispatcher, '并单')
  await find(dispatcher, '并入的主单', a.number)
  await shot(dispatcher, 'merge-1600')
  await submit(dispatcher)
  check((await get(dispatcher, b.id)).status === 'merged', '并入主单')
  await goto(dispatcher, '/tickets/' + b.id)
  await press(dispatcher, '撤销并单')
  await fill(dispatcher, '理由', '核对后不是同一起停水，分别办理。')
  await submit(dispatcher)
  const back = await get(dispatcher, b.id)
  check(back.status === 'to_dispatch' && back.clocks.map((c) => c.due).join() === clocks, '撤销并单恢复状态和时限')
  await goto(dispatcher, '/dispatch')
  await settle(dispatcher)
  await shot(dispatcher, 'dispatch-1600')
  await dispatcher.setViewportSize(laptop)
  await shot(dispatcher, 'dispatch-1366')
  await dispatcher.setViewportSize(desktop)
}

// 两人同改一单：先到的生效，后到的看到谁改了什么，填写的内容还在
{
  const t = await request(pages, 'to_dispatch')
  await goto(dispatcher, '/tickets/' + t.id)
  await press(dispatcher, '派单')
  if (await dialog(dispatcher).getByRole('combobox', { name: /^承办单位/ }).inputValue() === '') await find(dispatcher, '承办单位', bureau.name)
  await fill(dispatcher, '备注', '请今晚到现场核查。')
  const shift = await enter(browser, account('shift_lead'))
  const other = await act(shift, t.id, 'reclassify', { type: '求助', reason: '诉求人要求解决问题，不是投诉。' })
  check(other.status === 200, '另一人先改了类型：' + JSON.stringify(other.body).slice(0, 160))
  await dialog(dispatcher).locator('.el-dialog__footer .el-button--primary').last().click()
  await dialog(dispatcher).locator('.err').waitFor({ timeout: 8000 })
  const said = await dialog(dispatcher).locator('.err').innerText()
  check(/改类/.test(said) && /当前状态/.test(said), '冲突弹窗写明谁改了什么：' + said.slice(0, 120))
  check((await dialog(dispatcher).getByLabel('备注').inputValue()) === '请今晚到现场核查。', '填写的内容仍在')
  await shot(dispatcher, 'conflict-1600')
  await dialog(dispatcher).getByRole('button', { name: '按最新版本提交' }).click()
  await dialog(dispatcher).waitFor({ state: 'hidden', timeout: 8000 }).catch(() => {})
  check((await get(dispatcher, t.id)).status === 'handling', '按最新版本再次提交成功')
  await shift.context().close()

  // 提级：交上级协调，省级看得到
  await goto(dispatcher, '/tickets/' + t.id)
  await press(dispatcher, '提级')
  await dialog(dispatcher).getByRole('radiogroup', { name: /提级方式/ }).locator('label').first().click()
  await fill(dispatcher, '理由', '涉及省市两级职责，请省级协调。')
  await submit(dispatcher)
  const province = await enter(browser, account('province', '42'), laptop)
  await goto(province, '/tickets/' + t.id)
  await settle(province)
  check(/提级/.test(await province.textContent('main')), '省级看到提级的工单和理由')
  await shot(province, 'escalated-1366')
  await province.context().close()
}

// 强制改密：重置后的密码只能用来改密码
{
  const admin = await enter(browser, account('sysadmin', '42'), desktop)
  const made = await api(admin, 'POST', '/api/v1/admin/accounts', { username: 'story.' + (Date.now() % 1e7), name: '周新来', unit: (await api(admin, 'GET', '/api/v1/me')).body.account.unit.id, role: 'inspector', reason: '新入职质检员。' })
  const listed = (await api(admin, 'GET', '/api/v1/admin/accounts?q=story.')).body?.items?.[0]
  const id = made.body?.id ?? made.body?.account?.id ?? listed?.id
  const reset = await api(admin, 'POST', `/api/v1/admin/accounts/${id}/reset`)
  const username = listed?.username
  if (check(reset.status === 200 && reset.body.password, '管理员重置密码：' + JSON.stringify([made.status, reset.body]).slice(0, 200)) && listed.state === 'active') {
    const page = await enter(browser, null, desktop)
    await page.goto(base + '/console/login')
    await page.getByLabel('账号').first().fill(username)
    await page.getByLabel('密码').first().fill(reset.body.password)
    await page.getByRole('button', { name: '登录', exact: true }).click()
    await page.getByRole('heading', { name: '请先修改密码' }).waitFor({ timeout: 8000 })
    await shot(page, 'password-change-1600')
    await page.getByLabel('新密码', { exact: true }).fill('12345678')
    await page.getByLabel('再填一次新密码').fill('12345678')
    await page.getByRole('button', { name: '保存并继续' }).click()
    check(await page.locator('.red[role=alert]').waitFor({ timeout: 5000 }).then(() => true, () => false), '太简单的密码不接受')
    await page.getByLabel('新密码', { exact: true }).fill('Jiangcheng-2026-feng')
    await page.getByLabel('再填一次新密码').fill('Jiangcheng-2026-feng')
    await page.getByRole('button', { name: '保存并继续' }).click()
    check(await page.locator('header nav').waitFor({ timeout: 8000 }).then(() => true, () => false), '改密后进入平台')
    await page.context().close()
  } else check(Boolean(listed), '新账号等待授权审批后启用')
  await admin.context().close()
}

// 登录失效：办理弹窗写到一半会话没了，在原页面上重新登录，写的都在；按 Esc 关掉的下次打开也在
{
  const t = await request(pages, 'to_dispatch', { title: '登录失效时的派单' })
  const login = account('dispatcher')
  const page = await enter(browser, login, laptop)
  const note = () => dialog(page).getByLabel('备注').inputValue()
  await goto(page, '/tickets/' + t.id)
  await press(page, '派单')
  if (await dialog(page).getByRole('combobox', { name: /^承办单位/ }).inputValue() === '') await find(page, '承办单位', bureau.name)
  await fill(page, '备注', '写到一半，请勿丢失。')
  await page.keyboard.press('Escape')
  await page.locator('.action-dialog').waitFor({ state: 'hidden' }).catch(() => {})
  await page.reload()
  await goto(page, '/tickets/' + t.id)
  await press(page, '派单')
  check(await dialog(page).getByText('已恢复上次没有提交的内容').waitFor({ timeout: 8000 }).then(() => true, () => false) && (await note()) === '写到一半，请勿丢失。', '关掉弹窗、重新载入后恢复没有提交的内容')
  if (await dialog(page).getByRole('combobox', { name: /^承办单位/ }).inputValue() === '') await find(page, '承办单位', bureau.name)
  await api(page, 'POST', '/api/v1/logout', {})
  // The page hears of it by itself, if nobody presses anything first.
  await dialog(page).locator('.el-dialog__footer .el-button--primary').last().click({ timeout: 3000 }).catch(() => {})
  const again = page.getByRole('dialog', { name: '登录已失效' })
  check(await again.waitFor({ timeout: 8000 }).then(() => true, () => false), '会话没了，在原页面上请人重新登录')
  await shot(page, 'relogin-1366')
  const faults = await axe(page)
  check(faults.length === 0, '重新登录无障碍：' + faults.join('；'))
  await again.getByLabel('密码').fill(login.password)
  await again.getByRole('button', { name: '登录并继续' }).click()
  await again.waitFor({ state: 'hidden', timeout: 8000 }).catch(() => {})
  check((await note()) === '写到一半，请勿丢失。', '重新登录后弹窗和内容都在')
  await submit(page)
  check((await get(dispatcher, t.id)).status === 'handling', '接着提交成功')
  await goto(page, '/home')
  await page.getByRole('button', { name: '我的菜单' }).click()
  await page.getByRole('menuitem', { name: /^退出登录/ }).click()
  await page.waitForURL(/\/login/)
  check(!/lost=1/.test(page.url()), '自己退出不说登录已失效')
  check(page.errors.filter((e) => !/status of 401/.test(e)).length === 0, '控制台错误：' + page.errors.join('；'))
  await page.context().close()
}

// 大屏：未登录先去登录，登录后回到大屏
{
  const page = await enter(browser, null, desktop)
  await page.goto(base + '/screen')
  await page.getByLabel('账号').first().waitFor()
  const leader = account('leader', '42')
  await page.getByLabel('账号').first().fill(leader.username)
  await page.getByLabel('密码').first().fill(leader.password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
  check(await page.waitForURL(/\/console\/screen/, { timeout: 8000 }).then(() => true, () => false), '登录后回到大屏')
  await page.getByText('运行监测').first().waitFor()
  await settle(page)
  await shot(page, 'screen-1600')
  await page.context().close()
}

for (const p of [citizen, pages.agent, dispatcher]) check(p.errors.filter((e) => !/status of (409|422)|ERR_FAILED/.test(e)).length === 0, '控制台错误：' + p.errors.join('；'))
await browser.close()
console.log('工作台故事')
finish()
