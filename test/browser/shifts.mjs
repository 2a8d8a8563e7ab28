// 班表故事：沿用上一期排班，有空档不能发布，补齐后发布；三个人走完换班；登记、撤销技能证书。
import { account, axe, base, check, desktop, enter, finish, laptop, open, settle, shot, until } from './lib.mjs'

const browser = await open()
const seen = (l, timeout = 8_000) => l.waitFor({ timeout }).then(() => true, () => false)
const lead = await enter(browser, account('shift_lead'), desktop)
const button = (page, name) => page.getByRole('button', { name, exact: true })
/** said waits for the message of what was done. */
const said = (page, text) => seen(page.getByRole('status').filter({ hasText: text }).first())

// 排班：沿用上一期，抽掉一个中班，发布被拒并说明是哪一段；补上后发布
{
  await lead.goto(base + '/console/roster')
  await button(lead, '排下一周').click()
  await button(lead, '沿用上一期').click()
  check(await said(lead, '排好21个班次'), '照上一期排好')
  const late = lead.getByRole('button', { name: /中班/ }).nth(2)
  const gone = await late.getAttribute('aria-label')
  await lead.getByText(/^中班/).click() // 班次模板
  await late.click()
  await button(lead, '发布').click()
  const refusal = lead.getByRole('alert').filter({ hasText: '没有发布' })
  check(await seen(refusal), '有空档不能发布')
  const where = await refusal.innerText()
  check(/有1处空档/.test(where) && /\d+月\d+日15:00至\d+月\d+日23:00无人在岗/.test(where), '写明哪一段无人在岗：' + where.replace(/\s+/g, ' '))
  check(await seen(lead.getByRole('columnheader', { name: /有空档/ })), '那一天标出空档')
  await settle(lead)
  await shot(lead, 'roster-gap-1600')
  await lead.setViewportSize(laptop)
  await settle(lead)
  await shot(lead, 'roster-gap-1366')
  check((await axe(lead)).length === 0, '班表无障碍：' + (await axe(lead)).join('；'))
  await lead.setViewportSize(desktop)
  const day = gone.split(' ')[1]
  const other = lead.locator('tbody tr').nth(5).getByRole('button', { name: new RegExp(day + ' 无班') })
  await other.click()
  await button(lead, '发布').click()
  check(await said(lead, '班表已发布'), '补齐后发布')
  check((await button(lead, '发布').count()) === 0, '发布后不能再改')
}

// 草稿可以删除：先问一遍，删了回到已发布的一份
{
  const drafts = lead.getByRole('listitem').filter({ hasText: '草稿' })
  await button(lead, '排下一周').click()
  await button(lead, '沿用上一期').click()
  await said(lead, '排好21个班次')
  await button(lead, '保存草稿').click()
  check(await seen(drafts.first()), '草稿列在左边')
  await button(lead, '删除草稿').click()
  const ask = lead.getByRole('dialog', { name: '删除班表草稿' })
  check(await seen(ask.getByText(/21个班次，不能恢复/)), '删除前写明后果')
  await shot(lead, 'roster-drop-1600')
  await ask.getByRole('button', { name: '取消' }).click()
  check((await drafts.count()) === 1, '取消则不删')
  await button(lead, '删除草稿').click()
  await ask.getByRole('button', { name: /^删除/ }).click()
  check(await said(lead, '草稿已删除'), '确认后删除')
  check(await until(async () => !(await drafts.count()) && !(await button(lead, '删除草稿').count())), '删了回到已发布的一份，没有删除')
}

// 换班：本人提出，同事同意，班长批准
{
  const agent = await enter(browser, account('agent'), desktop)
  const mate = await enter(browser, account('callback'), desktop)
  await agent.goto(base + '/console/shifts')
  const row = agent.getByRole('row').filter({ has: button(agent, '申请换班') }).last()
  const shift = (await row.innerText()).split('\n')[0].trim()
  await row.getByRole('button', { name: '申请换班' }).click()
  const ask = agent.getByRole('dialog', { name: '申请换班' })
  await ask.getByRole('button', { name: /^提出/ }).click()
  check(await seen(ask.getByText('请选择接班人。')), '不选接班人有提示')
  await ask.getByRole('combobox').click()
  const mine = (await mate.request.get(base + '/api/v1/me').then((r) => r.json())).account.name
  await agent.getByRole('option', { name: new RegExp('^' + mine) }).click()
  await ask.getByRole('textbox').last().fill('当天家中有事。')
  await shot(agent, 'shifts-ask-1600')
  await ask.getByRole('button', { name: /^提出/ }).click()
  check(await seen(agent.getByText('待同事确认').first()), '提出后待同事确认')
  check((await axe(agent)).length === 0, '我的班次无障碍：' + (await axe(agent)).join('；'))

  const wish = lead.locator('.swap').filter({ hasText: mine })
  await lead.goto(base + '/console/roster')
  check(await seen(wish), '班长看到换班申请')
  check((await wish.getByRole('button', { name: '批准' }).count()) === 0, '同事未同意不能批准')

  await mate.goto(base + '/console/shifts')
  await button(mate, '同意接班').click()
  check(await said(mate, '已同意接班，待班长审批'), '同事同意')
  await mate.setViewportSize(laptop)
  await settle(mate)
  await shot(mate, 'shifts-mate-1366')

  await lead.goto(base + '/console/roster')
  await wish.getByRole('button', { name: '批准' }).click()
  check(await said(lead, '已批准，班表已调整'), '班长批准')
  await settle(lead)
  await shot(lead, 'roster-swapped-1600')
  await mate.goto(base + '/console/shifts')
  check(await seen(mate.getByRole('region', { name: '我的班次' }).getByText(shift.slice(0, 5))), '班次到了同事名下：' + shift)
  await agent.goto(base + '/console/shifts')
  check(await seen(agent.getByText('已换班').first()), '申请人看到已换班')
  for (const p of [agent, mate]) check(p.errors.length === 0, '没有脚本错误：' + p.errors.slice(0, 3).join(' | '))
}

// 技能证书：登记后有效，撤销后失效
{
  await button(lead, '登记与查看').click()
  const list = lead.getByRole('dialog', { name: '技能证书', exact: true })
  await list.getByRole('button', { name: '登记证书' }).click()
  const form = lead.getByRole('dialog', { name: '登记技能证书' })
  await form.getByRole('button', { name: /^登记/ }).click()
  check(await seen(form.getByText('请选择技能。')), '空表有提示')
  await form.getByRole('combobox').first().click()
  await lead.getByRole('option', { name: /^12329/ }).click()
  await form.getByLabel('等级').fill('80')
  await form.getByLabel('证书编号').fill('JN-2026-018')
  await form.getByLabel('有效至').fill('2099年12月31日')
  await lead.keyboard.press('Tab')
  await shot(lead, 'certificate-1600')
  await form.getByRole('button', { name: /^登记/ }).click()
  const row = list.getByRole('row').filter({ hasText: 'JN-2026-018' })
  check(await seen(row.getByText('有效', { exact: true })), '证书登记后有效')
  await settle(lead)
  await shot(lead, 'certificates-1600')
  await row.getByRole('button', { name: '撤销' }).click()
  check(await seen(row.getByText('失效')), '撤销后失效')
}
const faults = lead.errors.filter((e) => !/409/.test(e)) // 发布被拒一次
check(faults.length === 0, '班长没有脚本错误：' + faults.slice(0, 3).join(' | '))
await browser.close()
finish()
