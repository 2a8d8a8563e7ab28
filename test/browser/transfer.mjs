// 转接故事：从名单里选同事的席位转过去，供电咨询后三方，供水无直拨电话登记工单，盲转保留座席，转技能组；转接台账逐笔列出。
import { account, api, axe, base, check, desktop, enter, finish, laptop, settle, shot, until } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const agent = await sit(browser, 'agent', '/console/desk')
const mate = await sit(browser, 'callback', '/console/callback')
const lead = await enter(browser, account('shift_lead'), desktop)
const name = async (page) => (await api(page, 'GET', '/api/v1/me')).body.account.name
const me = { agent: await name(agent), mate: await name(mate) }
const dialog = (page) => page.getByRole('dialog', { name: /转接/ })
/** hand opens the dialog and picks a target. */
async function hand(page, target, reason = '') {
  await page.keyboard.press('F8')
  const d = dialog(page)
  if (reason) await d.getByLabel('转接事由').fill(reason)
  await d.getByRole('button', { name: target }).first().click()
}

// 同事示忙时选不了，就绪后可转；转过去即在对方席上响
await ring(agent, '重复来电')
await agent.keyboard.press('F2')
check(await seen(agent.key(/^挂机/)), '接听')
await mate.key(/^示忙$/).click()
await mate.key(/^就绪$/).waitFor()
await agent.keyboard.press('F8')
const colleague = dialog(agent).getByRole('button', { name: new RegExp(me.mate) })
check(await seen(colleague), '名单里有同事')
check(await colleague.isDisabled(), '示忙的座席不能选：' + (await colleague.innerText().catch(() => '')).replace(/\s+/g, ' '))
check(!(await dialog(agent).getByText(me.agent).count()), '名单里没有自己')
await agent.keyboard.press('Escape')
await dialog(agent).waitFor({ state: 'hidden' })
await mate.key(/^就绪$/).click()
await mate.key(/^示忙$/).waitFor()
await agent.keyboard.press('F8')
check(await until(() => colleague.isEnabled()), '就绪的座席可选')
await settle(agent)
await shot(agent, 'transfer-seats-1600')
check((await axe(agent)).length === 0, '转接无障碍：' + (await axe(agent)).join('；'))
await agent.setViewportSize(laptop)
await settle(agent)
await shot(agent, 'transfer-seats-1366')
await agent.setViewportSize(desktop)
await dialog(agent).getByLabel('转接事由').fill('诉求人找回访席')
await colleague.click()
check(await seen(mate.pop), '在同事席上响铃')
check(/由座席转来/.test(await mate.pop.innerText()), '写明由座席转来')
await shot(mate, 'transfer-pop-1600')
await mate.keyboard.press('F2')
check(await seen(mate.key(/^挂机/)), '同事接听')
await rest(agent)

// 供水没有直拨电话：登记工单；供电：咨询、三方、收回
await hand(mate, /供水企业/)
check(await seen(mate.getByText(/供水企业未登记直拨电话，已自动登记工单/)), '无直拨电话即登记工单')
await hand(mate, /95598/, '小区停电')
check(await seen(mate.bar.getByText('咨询中'), 10_000), '供电咨询中')
await mate.keyboard.press('F9')
check(await seen(mate.bar.getByText('三方通话')), '供电三方通话')
await settle(mate)
await shot(mate, 'transfer-three-1600')
await mate.key(/^收回/).click()
check(await seen(mate.key(/^保持/)), '收回后仍在通话')

// 紧急电话没有盲转
await hand(mate, /110/)
check((await mate.key(/^盲转/).count()) === 0, '紧急电话不能盲转')
await mate.bar.getByText('三方通话').waitFor({ timeout: 10_000 })
await mate.key(/^收回/).click()
await mate.key(/^保持/).waitFor()

// 保留座席盲转：呼叫中即退出，诉求人与对方接着通话
await hand(mate, /12328/)
await mate.key(/^盲转/).click()
await rest(mate)
// 对方接起之前不再来电：同一位演示诉求人只有一部电话
check(await until(async () => (await api(lead, 'GET', '/api/v1/voice/transfers?kind=line')).body.items.some((t) => t.mode === 'blind' && t.result === 'completed'), 30_000), '盲转由对方接起')

// 技能组：即时转出，没有该线路的座席时由其他座席接
await agent.key(/^就绪$|^示忙$/).waitFor()
await ring(agent, '停水')
await agent.keyboard.press('F2')
await agent.key(/^挂机/).waitFor()
await agent.keyboard.press('F8')
await dialog(agent).getByLabel('查找转接目标').fill('12333')
check((await dialog(agent).locator('.target').count()) === 1, '按号码找到一个')
await shot(agent, 'transfer-find-1600')
await dialog(agent).getByRole('button', { name: /12333/ }).click()
check(await seen(agent.key(/^结束话后/)), '转技能组即退出')
check(await seen(mate.pop, 20_000), '别的座席响铃')
check(!/line:/.test(await mate.pop.innerText()), '理由里没有代码：' + (await mate.pop.innerText()).replace(/\s+/g, ' '))
await mate.keyboard.press('F2')
await mate.key(/^挂机/).waitFor()
await mate.keyboard.press('F4')
await rest(mate)
await rest(agent)

// 转接台账：每笔的类别、方式、结果
await lead.goto(base + '/console/calls/transfers')
await settle(lead)
for (const [target, ...words] of [
  [new RegExp('^1\\d{3} ' + me.mate), '转座席', '已转出', '诉求人找回访席'],
  [/^供水企业$/, '水电气热', '已登记工单'],
  [/^供电企业95598$/, '三方通话', '已接听', '小区停电'],
  [/^110报警$/, '紧急电话', '三方通话'],
  [/^12328/, '分中心和保留座席', '盲转', '已转出'],
  [/^12333/, '技能组', '转技能组', '已转出'],
]) {
  const row = lead.getByRole('row').filter({ has: lead.getByRole('cell', { name: target }) }).first()
  const text = (await row.innerText().catch(() => '')).replace(/\s+/g, ' ')
  check(words.every((w) => text.includes(w)), `${target} 台账写明${words.join('、')}：${text}`)
}
await shot(lead, 'transfers-1600')
await lead.setViewportSize(laptop)
await settle(lead)
await shot(lead, 'transfers-1366')
check((await axe(lead)).length === 0, '转接台账无障碍：' + (await axe(lead)).join('；'))
for (const p of [agent, mate, lead]) check(p.errors.length === 0, '没有脚本错误：' + p.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
