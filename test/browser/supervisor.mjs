// 班长故事：在班长墙的座席卡片上监听、耳语、插话、退出、接管；领导首页的接通率打开话务统计；按线路、市州、技能、小时统计。
import { account, api, axe, base, check, desktop, enter, finish, laptop, settle, shot, until } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const agent = await sit(browser, 'agent', '/console/desk')
const lead = await sit(browser, 'shift_lead', '/console/wall')
const name = (await api(agent, 'GET', '/api/v1/me')).body.account.name
const card = lead.locator('.card').filter({ hasText: name })
const way = (label) => card.getByRole('button', { name: label, exact: true })

// 卡片随座席的状态走；通话中才有四个键
check(await seen(card.getByText('就绪')), '墙上有就绪的座席')
check((await way('监听').count()) === 0, '没有通话时没有监听')
await lead.bar.getByRole('button', { name: '示忙', exact: true }).click() // 不与座席抢来电
await ring(agent, '社保咨询')
check(await seen(card.getByText('振铃')), '墙上显示振铃')
await agent.keyboard.press('F2')
await agent.key(/^挂机/).waitFor()
check(await seen(way('监听')), '通话中可监听')
await settle(lead)
await shot(lead, 'wall-talk-1600')
for (const [label, word] of [['监听', '监听中'], ['耳语', '耳语中'], ['插话', '插话中']]) {
  await way(label).click()
  check(await seen(lead.bar.getByText(word)), `${label}：话务条写明${word}`)
  check(await seen(card.getByRole('button', { name: '退出' })), `${label}：卡片上可退出`)
}
await shot(lead, 'wall-barge-1600')
await lead.setViewportSize(laptop)
await settle(lead)
await shot(lead, 'wall-barge-1366')
check((await axe(lead)).length === 0, '班长墙无障碍：' + (await axe(lead)).join('；'))
await lead.setViewportSize(desktop)
await card.getByRole('button', { name: '退出' }).click()
check(await until(async () => !(await lead.bar.getByText('插话中').count())), '退出后不再旁听')
await way('接管').click()
check(await seen(lead.key(/^挂机/)), '接管后班长在通话')
check(await seen(agent.key(/^结束话后/)), '座席退出，进入话后')
await settle(lead)
await shot(lead, 'wall-taken-1600')
const call = (await api(lead, 'GET', '/api/v1/calls?direction=in&limit=1')).body.items[0]
await lead.keyboard.press('F4')
await rest(lead)
await rest(agent)
const row = await until(async () => { const c = (await api(lead, 'GET', '/api/v1/calls/' + call.id)).body; return c.result && c.result !== 'live' && c })
check(row?.seat_name && row.seat_name !== name, '话单记在班长名下：' + row?.seat_name)

// 领导首页：接通率、15秒接听率打开话务统计
const boss = await enter(browser, account('leader'), desktop)
await boss.goto(base + '/console/home')
await settle(boss)
for (const label of ['接通率', '15秒接听率']) {
  await boss.goto(base + '/console/home')
  const tile = boss.getByRole('link', { name: new RegExp(label) }).first()
  check(await seen(tile), `首页有${label}`)
  await tile.click()
  check(await seen(boss.getByRole('region', { name: '话务统计' }).getByRole('row').nth(1)), `${label}打开话务统计`)
}
await settle(boss)
await shot(boss, 'figures-leader-1600')

// 统计报表：数字打开它计入的工单，看不到的写明件数
await boss.goto(base + '/console/stats?name=received&by=type')
await boss.getByRole('button', { name: '举报：查看工单', exact: true }).click()
check(await seen(boss.getByText(/共 [\d,]+ 件，其中 [\d,]+ 件不在您的查看范围内，不列出/)), '写明计入而看不到的举报件')
check(await seen(boss.getByText('这些工单计入了数字，但您的岗位看不到它们。')), '举报件不列出')

// 话务统计：各口径都有行；按技能、单位、座席时没有线路一项
await lead.goto(base + '/console/calls/figures')
const table = lead.getByRole('region', { name: '话务统计' })
const by = (label) => lead.getByRole('search').locator('label').filter({ hasText: new RegExp(`^${label}$`) })
for (const label of ['市州', '小时', '线路']) {
  await by(label).click()
  check(await seen(table.getByRole('columnheader', { name: label, exact: true })), `按${label}`)
  await lead.getByPlaceholder('全部线路').fill('12333')
  await lead.getByRole('button', { name: '查询' }).click()
  check(await seen(table.getByRole('row').nth(1)), `按${label}有12333的来电`)
}
await settle(lead)
check(!/12345/.test(await table.innerText()), '按线路只有12333一行')
const sum = async (by, line) => (await api(lead, 'GET', `/api/v1/voice/figures?by=${by}&line=${line}`)).body.total.offered
check((await sum('p', '12333')) === (await sum('l', '12333')) && (await sum('p', '12398')) === 0, '按市州也只数这条线路')
check((await api(lead, 'GET', '/api/v1/voice/figures?by=s&line=12333')).body.code === 'question_line', '按技能不能只看一条线路')
await shot(lead, 'figures-line-1600')
for (const label of ['技能', '单位', '座席']) {
  await by(label).click()
  await settle(lead)
  check((await lead.getByPlaceholder('全部线路').count()) === 0, `按${label}没有线路一项`)
}
await shot(lead, 'figures-seat-1600')
await lead.setViewportSize(laptop)
await by('小时').click()
await lead.getByPlaceholder('全部线路').fill('')
await lead.getByRole('button', { name: '查询' }).click()
await settle(lead)
await shot(lead, 'figures-hour-1366')
check((await axe(lead)).length === 0, '话务统计无障碍：' + (await axe(lead)).join('；'))
for (const p of [agent, lead, boss]) check(p.errors.length === 0, '没有脚本错误：' + p.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
