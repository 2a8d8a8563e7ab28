// 电话故事之二，用演示的模拟话机：来一个电话、在办工单并入、静音、紧急三方、咨询转三方和转出、断线重拨、按键评价。
import { account, api, base, check, desktop, enter, finish, onDuty, open, shot } from './lib.mjs'

const browser = await open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'])
const seen = (l, timeout = 15_000) => l.waitFor({ timeout }).then(() => true, () => false)

/** sit opens a page with the telephone and waits for the voice path. */
async function sit(role, path, wait = true) {
  const page = await enter(browser, account(role), desktop)
  await page.context().grantPermissions(['microphone'], { origin: new URL(base).origin }).catch(() => {})
  // A cable that can be pulled: nothing passes and no side is told.
  await page.routeWebSocket(/\/seat\/ws/, (near) => {
    if (page.pulled) return void near.close({ code: 4000 })
    const far = near.connectToServer()
    near.onMessage((m) => page.pulled || far.send(m))
    far.onMessage((m) => page.pulled || near.send(m))
  })
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
await onDuty(agent.bar)
await agent.key(/^示忙$/).click()
check(await seen(agent.key(/^就绪$/)), '示忙')
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
  await agent.keyboard.press('F2') // 12秒内，无障碍和窄屏在第一个故事里查
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

// 网线断了又接上：键都灰着并写明原因，草稿和通话都在，接上后照常
{
  await ring('噪声投诉')
  await agent.keyboard.press('F2')
  check(await seen(agent.key(/^挂机/)), '接听')
  const text = agent.getByLabel('诉求内容').first()
  await text.fill('断线前写的内容')
  agent.pulled = true
  check(await seen(agent.bar.getByText('重连中')), '几秒内发现断线')
  const dead = await agent.bar.locator('button').evaluateAll((keys) => keys.filter((k) => !k.matches(':disabled') || !k.closest('[title*="重连"]')).map((k) => k.innerText))
  check(dead.length === 0, '断线时没有可按的键，都写明原因：' + dead.join('、'))
  await agent.keyboard.press('F8')
  check((await agent.getByRole('dialog', { name: /转接/ }).count()) === 0, '断线时快捷键不开转接')
  await shot(agent, 'call-cut-1600')
  agent.pulled = false
  check(await seen(agent.key(/^保持/).and(agent.locator(':enabled'))), '接上后键可用')
  check((await text.inputValue()) === '断线前写的内容', '草稿还在')
  await agent.keyboard.press('F6')
  check(await seen(agent.key(/^恢复/)), '接上后能保持')
  await agent.keyboard.press('F6')
  await agent.keyboard.press('F4')
  check(await seen(agent.key(/^结束话后/)), '话后')
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

  // 并入工单的那一通列在工单的联系记录里，与话单一致
  const merged = (await api(agent, 'GET', '/api/v1/calls?direction=in&limit=20')).body.items.find((c) => c.ticket && c.ticket !== '0')
  await agent.goto(`${base}/console/tickets/${merged.ticket}`)
  await agent.getByRole('tab', { name: /联系/ }).click()
  const listed = agent.getByRole('listitem').filter({ has: agent.locator(`a[href*="call=${merged.id}"]`) })
  check(await seen(listed.getByText('来电　已接听')), '工单的联系记录列出来电')
  await shot(agent, 'ticket-calls-1600')
  await listed.getByRole('link', { name: '通话详情' }).click()
  check(await seen(agent.getByText('派席理由').or(agent.getByText('话音质量')).first()), '从工单打开通话详情')
}

check(agent.errors.length === 0, '座席没有脚本错误：' + agent.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
