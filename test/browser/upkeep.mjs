// 话务管理故事：统计里的数打开它数的通话；一通电话封存、解除；安排的领导接听取消；中继状态；浏览器在别的时区也是北京时间；同一来电处处说同样的次数。
import { account, api, axe, base, check, desktop, enter, finish, laptop, settle, shot, until } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const table = (page, label) => page.getByRole('region', { name: label })

// 同一来电：弹屏、话务条、诉求人栏说同样的次数
const agent = await sit(browser, 'agent', '/console/desk')
{
  await ring(agent, '噪声投诉')
  const said = /近30天(首次来电|第\d+次来电)/.exec(await agent.pop.innerText())?.[0]
  check(said, '弹屏写明来电次数')
  await agent.keyboard.press('F2')
  await agent.key(/^挂机/).waitFor()
  const panel = agent.getByRole('region', { name: '诉求人', exact: true })
  check(await seen(panel.getByText(said)), '诉求人栏与弹屏一致：' + said)
  check(await seen(agent.bar.getByText(said)), '话务条与弹屏一致')
  await settle(agent)
  await shot(agent, 'upkeep-times-1600')
  await agent.keyboard.press('F4')
  await rest(agent)
  const phone = await until(() => agent.evaluate(() => [...document.querySelectorAll('input')].map((i) => i.value).find((v) => /^1\d{10}$/.test(v))))
  const looked = (await api(agent, 'POST', '/api/v1/callers/lookup', { phone })).body
  check(said === (looked.calls > 1 ? `近30天第${looked.calls}次来电` : '近30天首次来电'), '查询的次数相同：' + looked.calls)
}

// 统计里的每个数打开它数的通话，件数相同
const lead = await enter(browser, account('shift_lead'), desktop)
{
  await lead.goto(base + '/console/calls/figures')
  const figures = table(lead, '话务统计')
  await figures.getByRole('link').first().waitFor()
  await settle(lead)
  await shot(lead, 'upkeep-figures-1600')
  const heads = await figures.getByRole('columnheader').allInnerTexts()
  for (const name of ['呼入', '接听', '放弃']) {
    const cell = figures.getByRole('row').last().getByRole('cell').nth(heads.indexOf(name))
    const n = (await cell.innerText()).trim()
    await cell.getByRole('link').click()
    check(await seen(lead.getByRole('status').filter({ hasText: `共 ${n} 通` })), `${name} ${n}：打开同样多的通话`)
    if (name === '呼入') await shot(lead, 'upkeep-behind-1600')
    await lead.goBack()
    await figures.getByRole('link').first().waitFor()
  }
  await lead.locator('label').filter({ hasText: /^小时$/ }).click()
  await settle(lead)
  const row = figures.getByRole('row').nth(1)
  const [hour, n] = (await row.innerText()).split(/\s+/)
  await row.getByRole('link').first().click()
  check(await seen(lead.getByRole('status').filter({ hasText: `共 ${n} 通` })), `${hour}呼入${n}：打开同样多的通话`)
  check(await seen(lead.getByText(/只看\d+时的通话/)), '写明只看这一小时')
  await lead.goto(base + '/console/wall')
  const tile = lead.getByRole('link', { name: /^接通率/ })
  check(await seen(tile), '班长墙的接通率可点')
  await tile.click()
  check(await seen(lead.getByRole('status').filter({ hasText: /共 .*通/ })), '接通率打开今日转人工的通话')
}

// 封存：写依据、列出、解除
{
  await lead.goto(base + '/console/calls/records?set=answered')
  await table(lead, '通话记录').getByRole('row').nth(1).click()
  const detail = lead.getByRole('region', { name: '通话详情' })
  await detail.getByRole('button', { name: '封存', exact: true }).click()
  const form = lead.getByRole('dialog', { name: '封存通话' })
  await form.getByRole('button', { name: /^封存/ }).click()
  check(await seen(form.getByText(/请填写依据/)), '封存要写依据')
  await form.getByRole('textbox').fill('公安机关调取证据通知书〔2026〕12号')
  await shot(lead, 'upkeep-hold-1600')
  await form.getByRole('button', { name: /^封存/ }).click()
  check(await seen(detail.getByText('封存中')), '详情写明封存中')
  await settle(lead)
  await shot(lead, 'upkeep-held-1600')
  await lead.goto(base + '/console/calls/holds')
  const held = table(lead, '封存').getByRole('row').filter({ hasText: '〔2026〕12号' }).first()
  check(await seen(held), '列在封存里')
  await settle(lead)
  await shot(lead, 'upkeep-holds-1600')
  check((await axe(lead)).length === 0, '封存无障碍：' + (await axe(lead)).join('；'))
  await held.getByRole('link', { name: '通话' }).click()
  await detail.getByRole('button', { name: '解除封存' }).click()
  const lift = lead.getByRole('dialog', { name: '解除封存' })
  await lift.getByRole('textbox').fill('案件已经审结，无须继续留存')
  await lift.getByRole('button', { name: /^解除/ }).click()
  check(await seen(detail.getByText('已解除')), '解除后写明')
  await lead.setViewportSize(laptop)
  await settle(lead)
  await shot(lead, 'upkeep-held-1366')
  await lead.setViewportSize(desktop)
}

// 领导接听：安排明天一场，取消要写原因；领导的页面说明
{
  const boss = await enter(browser, account('leader'), desktop)
  const me = (await api(boss, 'GET', '/api/v1/me')).body.account
  const title = '取消的接听日' + Date.now() % 1000
  const at = (h) => new Date(Date.now() + h * 3_600_000).toISOString()
  const made = await api(lead, 'POST', '/api/v1/voice/leader', { leader: me.id, title, from: at(24), to: at(26) })
  check(made.status < 300, '安排一场：' + JSON.stringify(made.body).slice(0, 120))
  await boss.goto(base + '/console/calls/leader')
  check(await seen(boss.getByText('您的下一场')), '领导看到下一场')
  check((await boss.getByRole('button', { name: '取消', exact: true }).count()) === 0, '领导自己不能取消')
  await lead.goto(base + '/console/calls/leader')
  const one = lead.getByRole('listitem').filter({ hasText: title })
  await one.getByRole('button', { name: '取消', exact: true }).click()
  const form = lead.getByRole('dialog', { name: /^取消/ })
  await form.getByRole('button', { name: /^取消本场/ }).click()
  check(await seen(form.getByText(/请填写取消原因/)), '取消要写原因')
  await form.getByRole('textbox').fill('领导临时外出参加防汛会议')
  await form.getByRole('button', { name: /^取消本场/ }).click()
  check(await seen(one.getByText('已取消')), '列表写明已取消')
  check(await seen(one.getByText(/领导临时外出参加防汛会议/)), '列表写明原因')
  check((await one.getByRole('button', { name: '取消', exact: true }).count()) === 0, '不能再取消一次')
  await settle(lead)
  await shot(lead, 'upkeep-leader-1600')
  check((await axe(lead)).length === 0, '领导接听无障碍：' + (await axe(lead)).join('；'))
  check(await seen(boss.getByText(/已由.*取消：领导临时外出/), 30_000), '领导的页面自己更新')
  await shot(boss, 'upkeep-leader-off-1600')
}

// 中继：现在的状态
{
  const admin = await enter(browser, account('sysadmin', '4200'), desktop)
  await admin.goto(base + '/console/admin/phones')
  const trunks = admin.getByRole('region', { name: '中继', exact: true })
  check(await seen(trunks.getByRole('row').nth(1)), '列出中继')
  check(/已注册|可用|只呼入|等待应答/.test(await trunks.innerText()), '写明状态：' + (await trunks.innerText()).replace(/\s+/g, ' ').slice(0, 200))
  await settle(admin)
  await shot(admin, 'upkeep-trunks-1600')
  await admin.setViewportSize(laptop)
  await settle(admin)
  await shot(admin, 'upkeep-trunks-1366')
  check((await axe(admin)).length === 0, '中继无障碍：' + (await axe(admin)).join('；'))
  check(await admin.evaluate(() => document.documentElement.scrollWidth <= innerWidth), '1366宽没有横向滚动')
}

// 浏览器在纽约：看到的、填的都是北京时间
{
  const far = await browser.newContext({ viewport: desktop, locale: 'zh-CN', timezoneId: 'America/New_York' })
  const page = await far.newPage()
  const who = account('shift_lead')
  await page.request.post(base + '/api/v1/login', { data: { username: who.username, password: who.password } })
  await page.goto(base + '/console/calls/records')
  await table(page, '通话记录').getByRole('row').nth(1).waitFor()
  const row = (await api(page, 'GET', '/api/v1/calls?limit=1')).body.items[0]
  const wall = (at) => new Date(Date.parse(at) + 8 * 3_600_000).toISOString()
  check((await table(page, '通话记录').getByRole('row').nth(1).innerText()).includes(wall(row.began).slice(5, 16).replace('T', ' ')), '列表是北京时间')
  await page.goto(base + '/console/calls/leader')
  await page.getByRole('button', { name: '安排一场' }).click()
  const form = page.getByRole('dialog', { name: '安排领导接听' })
  await form.getByRole('radio').first().check()
  const title = '时区' + Date.now() % 1000
  await form.getByLabel('主题').fill(title)
  const day = wall(new Date(Date.now() + 2 * 86_400_000).toISOString()).slice(0, 10)
  const [y, m, d] = day.split('-').map(Number)
  for (const [label, time] of [['开始', '09:00'], ['结束', '11:00']]) {
    await form.getByLabel(label, { exact: true }).fill(`${y}年${m}月${d}日 ${time}`)
    await page.keyboard.press('Tab')
  }
  await form.getByLabel('开始', { exact: true }).click()
  const today = await until(() => page.evaluate(() => { const c = document.querySelector('.el-date-table td.today'); return c && c.innerText.trim() }))
  await shot(page, 'upkeep-newyork-1600')
  check(!today || Number(today) === Number(wall(new Date().toISOString()).slice(8, 10)), '日历的“今天”是北京的今天：' + today)
  await page.keyboard.press('Escape')
  await form.getByRole('button', { name: /^安排/ }).click()
  const one = page.getByRole('listitem').filter({ hasText: title })
  check(await seen(one), '安排成功')
  check(/09:00 至 11:00/.test(await one.innerText()), '列表写的是所填的时刻：' + (await one.innerText()).replace(/\s+/g, ' '))
  const made = (await api(page, 'GET', '/api/v1/voice/leader')).body.items.find((s) => s.title === title)
  check(Date.parse(made.from) === Date.parse(`${day}T09:00:00+08:00`), '存下的是北京时间9点：' + made.from)
  await api(page, 'POST', `/api/v1/voice/leader/${made.id}/cancel`, { reason: '时区检查用的一场' })
  await far.close()
}
for (const p of [agent, lead]) {
  const bad = p.errors.filter((e) => !/422/.test(e))
  check(bad.length === 0, '没有脚本错误：' + bad.slice(0, 3).join(' | '))
}
await browser.close()
finish()
