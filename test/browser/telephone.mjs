// 电话故事之二，用演示的模拟话机：来一个电话、断线重拨、转接三方、回访外呼、漏接回拨、班长监听到接管，
// 以及特殊名单、领导接听、号码导入、排班、换班和证书各页的操作。
import { account, api, axe, base, check, desktop, enter, finish, laptop, open, settle, shot } from './lib.mjs'

const browser = await open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'])
const seen = (l, timeout = 15_000) => l.waitFor({ timeout }).then(() => true, () => false)

/** sit opens a page with the telephone and waits for the voice path. */
async function sit(role, path, wait = true) {
  const page = await enter(browser, account(role), desktop)
  await page.context().grantPermissions(['microphone'], { origin: new URL(base).origin }).catch(() => {})
  await page.goto(base + path)
  page.bar = page.getByRole('region', { name: '电话' })
  page.key = (name) => page.bar.getByRole('button', { name })
  check(await seen(page.bar), path + ' 有话务条')
  if (wait) await page.waitForFunction(() => !document.body.innerText.includes('语音通道接通后可用') && document.body.innerText.includes('来一个电话'), null, { timeout: 20_000 })
  return page
}
const ready = async (p) => {
  await p.key(/^就绪$/).click()
  check(await seen(p.key(/^示忙$/)), '就绪')
}

const agent = await sit('agent', '/console/desk', false)
if (!(await api(agent, 'GET', '/api/v1/demo/scenarios')).body?.items?.length) {
  console.log('没有演示来电，本故事不走')
  process.exit(0)
}
check(await agent.key(/来一个电话/).isDisabled(), '未就绪不能来电')
check(await seen(agent.bar.getByText('就绪后可用'), 20_000), '写明就绪后可用')
await ready(agent)
const ring = async (title) => {
  await agent.key(/来一个电话/).click()
  await agent.getByRole('menuitem', { name: title }).click()
  const pop = agent.getByRole('alert', { name: '来电' })
  check(await seen(pop, 30_000), `${title}：在本席响铃`)
  return pop
}

// 重复来电：弹屏列出在办工单，点开、催办、合并；三方、转出
{
  const pop = await ring('重复来电')
  check(await seen(pop.getByRole('button', { name: '合并到该件' })), '弹屏列出在办工单')
  check(/指定由该席接听；归属依据：所拨区号/.test(await pop.innerText()), '写明派给您的理由和归属依据')
  await shot(agent, 'pop-open-1600')
  await agent.setViewportSize(laptop)
  await shot(agent, 'pop-open-1366')
  await agent.setViewportSize(desktop)
  check((await axe(agent)).length === 0, '弹屏无障碍：' + (await axe(agent)).join('；'))
  await agent.keyboard.press('F2')
  check(await seen(agent.key(/^挂机/)), '接听')
  const call = (await api(agent, 'GET', '/api/v1/calls?direction=in&limit=1')).body.items[0]
  await agent.getByLabel('诉求人').getByRole('button', { name: '合并到该件' }).first().click()
  const dialog = agent.getByRole('dialog').last()
  await dialog.getByRole('textbox').first().fill('诉求人再次来电，积水仍未处理，请尽快办理。')
  await agent.keyboard.press('Control+Enter')
  let bound = ''
  for (let i = 0; i < 12 && !(bound && bound !== '0'); i++) {
    await agent.waitForTimeout(500)
    bound = (await api(agent, 'GET', '/api/v1/calls/' + call.id)).body.ticket
  }
  check(Boolean(bound && bound !== '0'), '通话并入原工单')
  await agent.keyboard.press('F7')
  check(await seen(agent.key(/^取消静音/)), '静音')
  await agent.keyboard.press('F7')
  for (const [target, word] of [[/110/, '三方通话'], [/12305/, '咨询中']]) {
    await agent.keyboard.press('F8')
    await agent.getByRole('dialog', { name: /转接/ }).getByRole('button', { name: target }).first().click()
    check(await seen(agent.bar.getByText(word), 10_000), `${target}：${word}`)
    if (word === '三方通话') await agent.key(/^收回/).click()
    await agent.waitForTimeout(400)
  }
  await agent.keyboard.press('F9')
  check(await seen(agent.bar.getByText('三方通话')), '咨询转三方')
  await agent.key(/^转出/).click()
  check(await seen(agent.key(/^结束话后/)), '转出后话后')
  await agent.key(/^结束话后/).click()
}

// 通话中断：自动接回；转满意度后按键评价入话单
{
  await ring('通话中断')
  await agent.keyboard.press('F2')
  check(await seen(agent.bar.getByText('断线回拨'), 30_000), '断线后自动重拨')
  check(await seen(agent.key(/^满意度/), 10_000), '接回诉求人')
  await agent.keyboard.press('F10')
  check(await seen(agent.key(/^结束话后/)), '转满意度后话后')
  let row
  for (let i = 0; i < 14 && !row?.result; i++) {
    await agent.waitForTimeout(1000)
    row = (await api(agent, 'GET', '/api/v1/calls?direction=in&limit=1')).body.items[0]
  }
  check(row.result === 'answered' && row.survey === 5 && row.solved === 'yes', '按键评价入话单：' + JSON.stringify({ result: row.result, survey: row.survey, solved: row.solved }))
  await agent.key(/^结束话后/).click()
}

// 班长：墙上监听、耳语、插话、接管；今日指标随之变化
const lead = await sit('shift_lead', '/console/wall')
{
  const offered = async () => (await api(lead, 'GET', '/api/v1/voice/wall')).body.today.offered
  check((await offered()) >= 2, '今日呼入已计')
  await ring('表扬')
  await agent.keyboard.press('F2')
  const card = lead.getByRole('article').filter({ hasText: '通话中' }).first()
  check(await seen(card.getByRole('button', { name: '监听' }), 10_000), '墙上看到通话')
  for (const way of ['监听', '耳语', '插话']) {
    await card.getByRole('button', { name: way }).click()
    check(await seen(lead.bar.getByText(way + '中'), 5000), way)
  }
  await card.getByRole('button', { name: '接管' }).click()
  check(await seen(lead.key(/^挂机/), 5000), '接管')
  check(await seen(agent.key(/^结束话后/), 5000), '座席退出')
  check(!(await lead.bar.getByText('插话中').count()), '接管后不再旁听')
  await lead.keyboard.press('F4')
  await agent.key(/^结束话后/).click()
}

// 回访席：预览外呼、渐进外呼
{
  const cb = await sit('callback', '/console/callback')
  await settle(cb)
  await ready(cb)
  await cb.getByRole('button', { name: '拨打' }).click()
  check(await seen(cb.key(/^保持/), 10_000), '回访外呼接通')
  await cb.keyboard.press('F4')
  await cb.key(/^结束话后/).click()
  await cb.getByRole('button', { name: '渐进外呼' }).click()
  check(await seen(cb.key(/^保持/), 15_000), '渐进外呼自动拨下一位')
  await cb.getByRole('button', { name: '停止渐进外呼' }).click()
  await cb.keyboard.press('F4')
  check(cb.errors.length === 0, '回访席没有脚本错误：' + cb.errors.join(' | '))
  await cb.context().close()
}

// 特殊名单：一人提出、另一人批准
{
  await agent.goto(base + '/console/calls/special')
  await agent.getByRole('button', { name: '提出列入' }).click()
  const d = agent.getByRole('dialog').last()
  await d.getByLabel('号码').fill('13877776666')
  const made = await api(agent, 'POST', '/api/v1/voice/special', { number: '13877776666', kind: 'harass', reason: '多次无实质诉求来电', expires: new Date(Date.now() + 864e5 * 30).toISOString().slice(0, 10) })
  check(made.status === 200, '提出列入：' + JSON.stringify(made.body))
  await lead.goto(base + '/console/calls/special')
  await lead.getByRole('row').filter({ hasText: '多次无实质诉求来电' }).getByRole('button', { name: '批准', exact: true }).click()
  check(await seen(lead.getByRole('row').filter({ hasText: '多次无实质诉求来电' }).getByText('生效中')), '另一人批准后生效')
}

// 班表：有空档不能发布；换班：本人提出、同事同意、班长批准；证书
{
  await lead.goto(base + '/console/roster')
  await settle(lead)
  await lead.getByRole('button', { name: '排下一周' }).click()
  await lead.getByRole('region', { name: '排班表' }).getByRole('button').first().click()
  await lead.getByRole('button', { name: '发布', exact: true }).click()
  check(await seen(lead.getByText(/处空档，补齐后才能发布/)), '有空档不能发布')
  await shot(lead, 'roster-gaps-1600')
  const mine = (await api(agent, 'GET', '/api/v1/rosters/mine')).body
  check(mine.shifts.length > 0, '座席看到自己的班次')
  await agent.goto(base + '/console/shifts')
  await agent.getByRole('button', { name: '申请换班' }).last().click()
  await shot(agent, 'shifts-ask-1600')
  await agent.getByRole('button', { name: /取消|关闭/ }).first().click()
  const shift = mine.shifts[mine.shifts.length - 1]
  const asked = await api(agent, 'POST', '/api/v1/rosters/swaps', { shift: shift.id, to: mine.colleagues.find((p) => p.unit_name === '班长').account, reason: '家中有事' })
  check(asked.status === 200, '提出换班：' + JSON.stringify(asked.body))
  await lead.goto(base + '/console/shifts')
  await lead.getByRole('button', { name: '同意接班' }).first().click()
  check(await seen(lead.getByText('待班长审批').first()), '同事同意')
  await shot(lead, 'shifts-1600')
  check((await axe(lead)).length === 0, '我的班次无障碍：' + (await axe(lead)).join('；'))
  await lead.goto(base + '/console/roster')
  await lead.getByRole('button', { name: '批准', exact: true }).first().click()
  check(await seen(lead.getByText('已批准，班表已调整。')), '班长批准换班')
  await lead.getByRole('button', { name: '登记与查看' }).click()
  check(await seen(lead.getByRole('dialog', { name: '技能证书' }).getByText(/有效|没有证书/).first()), '技能证书列出')
  await shot(lead, 'certificates-1600')
}

// 领导首页和大屏有接通率、15秒接听率
{
  const boss = await enter(browser, account('leader'), desktop)
  await boss.goto(base + '/console/home')
  check(await seen(boss.getByRole('link', { name: /15秒接听率/ })), '首页有15秒接听率')
  await settle(boss)
  await shot(boss, 'home-calls-1600')
  await boss.getByRole('link', { name: /接通率/ }).first().click()
  check(await seen(boss.getByRole('search', { name: '话务统计条件' })), '点开到话务统计')
  const tiles = (await api(boss, 'GET', '/api/v1/screen')).body.tiles
  check(tiles.some((t) => t.key === 'call_in15' && t.definition && t.fresh), '大屏有15秒接听率及口径')
  await boss.goto(base + '/console/screen')
  await settle(boss)
  await shot(boss, 'screen-calls-1600')
}
check(agent.errors.length === 0, '座席没有脚本错误：' + agent.errors.slice(0, 3).join(' | '))
check(lead.errors.length === 0, '班长没有脚本错误：' + lead.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
