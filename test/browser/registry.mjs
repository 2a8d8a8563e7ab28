// 号码与名单故事：归并清单有错行不提交、改好后预览并提交、省级批准后生效、再导入没有变更；恢复已取消的号码要两人；特殊名单一人提出另一人批准，来电仍接得通。
import { readFileSync } from 'node:fs'
import { account, accounts, api, axe, base, check, desktop, enter, finish, laptop, settle, shot } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const lead = await enter(browser, account('shift_lead'), desktop)
const province = await enter(browser, account('province', '4200'), desktop)
const said = (page, text) => seen(page.getByRole('status').filter({ hasText: text }).first())
const HEAD = '热线号码,热线名称,主管部门,归并方式,区划,月均话务量,过渡提示音截止日,依据文号'
const ROW = '12350,安全生产举报投诉热线,应急管理部门,双号并行-并座席,武汉市,320,,武政办〔2026〕8号'
const sheet = (name, ...rows) => ({ name, mimeType: 'text/csv', buffer: Buffer.from('\ufeff' + [HEAD, ...rows].join('\r\n')) })
async function imports(page) {
  await page.goto(base + '/console/lines')
  await page.getByRole('button', { name: '导入归并清单' }).click()
  const d = page.getByRole('dialog', { name: '导入归并清单' })
  return { d, give: (f) => d.locator('input[type=file]').setInputFiles(f), commit: d.getByRole('button', { name: /提交审批/ }) }
}

// 错行：写明第几行错在哪里，不能提交；缺列、格式不对也说明
{
  const { d, give, commit } = await imports(lead)
  await give(sheet('清单.csv', ROW, '96511,供水服务热线,水务部门,并一并,武汉市,,,'))
  check(await seen(d.getByText(/第3行.*96511.*归并方式：“并一并”不在规定的四种之内/)), '写明第几行错在哪里')
  check(await commit.isDisabled(), '有错行不能提交')
  await settle(lead)
  await shot(lead, 'lines-import-bad-1600')
  await give({ name: '清单.csv', mimeType: 'text/csv', buffer: Buffer.from('热线号码,热线名称\r\n12350,安全生产') })
  check(await seen(d.getByText(/缺少“主管部门”一列/)), '缺列有提示')
  await give({ name: '清单.txt', mimeType: 'text/plain', buffer: Buffer.from('x') })
  check(await seen(d.getByText(/请上传 xlsx、csv 或 json/)), '格式不对有提示')

  // 改好：预览差异，写明理由后提交
  await give(sheet('清单.csv', ROW))
  check(await seen(d.getByText('核对后提交审批', { exact: false })), '预览与现行台账的差异')
  await settle(lead)
  await shot(lead, 'lines-import-diff-1600')
  await commit.click()
  check(await seen(d.getByText('请填写变更理由，至少5个字。')), '理由必填')
  await d.getByLabel('变更理由').fill('按2026年归并清单更新武汉市座席安排')
  await commit.click()
  check(await said(lead, '已提交审批'), '提交审批')
  await settle(lead)
  await shot(lead, 'lines-changes-1600')
  check((await lead.getByRole('button', { name: '批准', exact: true }).count()) === 0, '市州不能批准')
}

// 省级批准后生效；再导入没有变更
const change = (page, text) => page.getByRole('row').filter({ hasText: text }).first()
async function pending(text) {
  await province.goto(base + '/console/lines')
  await province.locator('label').filter({ hasText: /^变更申请$/ }).click()
  const row = change(province, text)
  check(await seen(row), '省级看到申请：' + text)
  return row
}
{
  const row = await pending('按2026年归并清单')
  await row.getByRole('button', { name: '批准', exact: true }).click()
  check(await said(province, '已批准'), '省级批准')
  const { d, give, commit } = await imports(lead)
  await give(sheet('清单.csv', ROW))
  check(await seen(d.getByText('与现行台账相同，没有变更。', { exact: false })), '再导入没有变更')
  check(await commit.isDisabled(), '没有变更不能提交')

  // 同一行写成 JSON，也没有变更；下载的模板（xlsx）就是现行台账，原样传回没有变更
  const json = (...rows) => ({ name: '清单.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(rows.map((r) => Object.fromEntries(r.split(',').map((v, i) => [HEAD.split(',')[i], v]))))) })
  await give(json(ROW))
  check(await seen(d.getByText('与现行台账相同，没有变更。', { exact: false })), 'JSON 再导入没有变更')
  await give(json(ROW, '96511,供水服务热线,水务部门,并一并,武汉市,,,'))
  check(await seen(d.getByText(/第2项.*96511.*归并方式：“并一并”/)), 'JSON 写明第几行错在哪里')
  const [file] = await Promise.all([lead.waitForEvent('download'), d.getByRole('button', { name: '下载模板' }).click()])
  const book = readFileSync(await file.path())
  check(book.subarray(0, 2).toString() === 'PK', '模板是 xlsx')
  await give({ name: '归并清单.xlsx', mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', buffer: book })
  check(await seen(d.getByText(/读到 \d+行。与现行台账相同，没有变更/)), 'xlsx 模板原样传回没有变更')
  await settle(lead)
  await shot(lead, 'lines-import-xlsx-1600')
  await give({ name: '坏.xlsx', mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', buffer: Buffer.from('PK坏') })
  check(await seen(d.getByText(/归并清单无法读取/)), '坏文件有提示')
  await lead.keyboard.press('Escape')

  // JSON 从预览到提交、批准、再导入
  const next = ROW.replace(',320,', ',360,')
  const again = await imports(lead)
  await again.give(json(next))
  check(await seen(again.d.getByText(/月均话务量：320 → 360/)), 'JSON 预览差异')
  await again.d.getByLabel('变更理由').fill('按十一月话务量更新')
  await again.commit.click()
  check(await said(lead, '已提交审批'), 'JSON 提交审批')
  const asked = await pending('按十一月话务量更新')
  await asked.getByRole('button', { name: '批准', exact: true }).click()
  check(await said(province, '已批准'), 'JSON 的变更批准')
  const third = await imports(lead)
  await third.give(json(next))
  check(await seen(third.d.getByText('与现行台账相同，没有变更。', { exact: false })), 'JSON 第二次没有变更')
}

// 新号码要省级批准；注销后恢复要两人批准，同一人不能批两次
async function propose(line, reason) {
  const r = await api(lead, 'POST', '/api/v1/lines/changes', { lines: [line], reason })
  check(r.status < 300, reason + JSON.stringify(r.body).slice(0, 120))
}
const line = { number: '12399', name: '园林绿化服务热线', department: '园林和林业部门', region: '420100', mode: 'A', state: '过渡期', until: '2099-12-31', confidence: '高' }
{
  await lead.goto(base + '/console/lines')
  await lead.getByRole('button', { name: '申请新号码' }).click()
  const d = lead.getByRole('dialog', { name: '申请新号码' })
  await d.getByRole('button', { name: /^提交申请/ }).click()
  check(await seen(d.getByText(/请填写号码/)), '空表有提示')
  await shot(lead, 'lines-new-1600')
  await lead.keyboard.press('Escape')
  await propose(line, '新设园林绿化服务热线')
  let row = await pending('新设园林绿化服务热线')
  check(/新增号码/.test(await row.innerText()) && /0\/1/.test(await row.innerText()), '新增号码须省级批准')
  await row.getByRole('button', { name: '批准', exact: true }).click()
  check(await said(province, '已批准'), '批准新号码')
  await propose({ ...line, state: '已取消', until: '' }, '园林绿化服务热线注销')
  row = await pending('园林绿化服务热线注销')
  await row.getByRole('button', { name: '批准', exact: true }).click()
  await said(province, '已批准')
  await propose(line, '恢复园林绿化服务热线')
  row = await pending('恢复园林绿化服务热线')
  check(/恢复已取消号码/.test(await row.innerText()) && /0\/2/.test(await row.innerText()), '恢复已取消号码须两人')
  await row.getByRole('button', { name: '批准', exact: true }).click()
  check(await said(province, '还须1人批准'), '一人批准后还差一人')
  check(await seen(row.getByText('1/2')), '列出已批准的人数')
  check((await row.getByRole('button', { name: '批准', exact: true }).count()) === 0, '同一人不能批两次')
  await settle(province)
  await shot(province, 'lines-reopen-1600')
  check((await axe(province)).length === 0, '变更申请无障碍：' + (await axe(province)).join('；'))
  const now = (await api(lead, 'GET', '/api/v1/lines')).body.items.find((l) => l.number === '12399')
  check(now?.state === '已取消', '批满之前仍是已取消：' + now?.state)

  // 第二人：演示的省级管理有两个账号
  const second = await enter(browser, accounts.filter((a) => a.role === 'province')[1], desktop)
  await second.goto(base + '/console/lines')
  await second.locator('label').filter({ hasText: /^变更申请$/ }).click()
  const theirs = change(second, '恢复园林绿化服务热线')
  await theirs.getByRole('button', { name: '批准', exact: true }).click()
  check(await said(second, '已批准'), '第二人批准')
  const back = (await api(lead, 'GET', '/api/v1/lines')).body.items.find((l) => l.number === '12399')
  check(back?.state === '过渡期', '两人批准后恢复：' + back?.state)
}

// 特殊名单：一人提出，另一人批准；自己不能批自己；来电标明，接得通
{
  const number = '13500009001' // 演示“噪声投诉”等场景在武汉的来电号码之一
  const agent = await sit(browser, 'agent', '/console/desk')
  const scenarios = (await api(agent, 'GET', '/api/v1/demo/scenarios')).body.items
  const gas = scenarios.find((s) => s.title === '煤气泄漏')
  await lead.goto(base + '/console/calls/special')
  await lead.getByRole('button', { name: '提出列入' }).click()
  const d = lead.getByRole('dialog', { name: '提出列入特殊名单' })
  await d.getByLabel('号码').fill('12')
  await d.getByText('骚扰', { exact: true }).click()
  await d.getByLabel('理由').fill('11月20日起每日来电无实质诉求')
  await d.getByLabel('有效至').fill('2099年12月31日')
  await lead.keyboard.press('Tab')
  await d.getByRole('button', { name: /^提出/ }).click()
  check(await seen(d.getByText(/电话号码格式不正确/)), '号码不对有提示')
  await d.getByLabel('号码').fill(gas?.number ?? number)
  await d.getByRole('button', { name: /^提出/ }).click()
  check(await seen(d.getByText(/有效期应在180天以内/)), '超过180天有提示')
  const end = new Date(Date.now() + 30 * 86_400_000)
  await d.getByLabel('有效至').fill(`${end.getFullYear()}年${end.getMonth() + 1}月${end.getDate()}日`)
  await lead.keyboard.press('Tab')
  await d.getByRole('button', { name: /^提出/ }).click()
  const row = lead.getByRole('row').filter({ hasText: '每日来电无实质诉求' }).first()
  check(await seen(row.getByText('待审批')), '提出后待审批')
  check(/\*{4}/.test(await row.innerText()) && !(await row.innerText()).includes(gas?.number ?? number), '名单里的号码已掩码')
  await settle(lead)
  await shot(lead, 'special-pending-1600')
  check((await row.getByRole('button', { name: '批准', exact: true }).count()) === 0, '提出人自己没有批准')

  const other = await enter(browser, account('supervisor'), desktop)
  await other.goto(base + '/console/calls/special')
  const theirs = other.getByRole('row').filter({ hasText: '每日来电无实质诉求' }).first()
  await theirs.getByRole('button', { name: '批准', exact: true }).click()
  check(await seen(theirs.getByText('生效中')), '另一人批准后生效')

  await ring(agent, '煤气泄漏')
  check(await seen(agent.bar.getByText('特殊名单').or(agent.pop.getByText('特殊名单')).first()), '来电标明特殊名单')
  await shot(agent, 'special-pop-1600')
  await agent.keyboard.press('F2')
  check(await seen(agent.key(/^挂机/)), '照常接得通')
  await agent.keyboard.press('F8')
  await agent.getByRole('dialog', { name: /转接/ }).getByRole('button', { name: /119/ }).click()
  check(await seen(agent.bar.getByText('三方通话'), 10_000), '紧急情形照样一键三方')
  await agent.keyboard.press('F4')
  await rest(agent)

  // 到期：自己失效，页面写明，不再有解除
  const soon = new Date(Date.now() + 4000).toISOString()
  const brief = await api(lead, 'POST', '/api/v1/voice/special', { number: '13500009077', kind: 'repeat', reason: '同一问题已答复五次仍来电', expires: soon })
  check((await api(other, 'POST', `/api/v1/voice/special/${brief.body.id}/approve`)).status === 200, '批准只剩几秒的一条')
  await other.waitForTimeout(5000)
  await other.locator('label').filter({ hasText: /^已到期$/ }).click()
  const over = other.getByRole('row').filter({ hasText: '同一问题已答复五次' }).first()
  check(await seen(over.getByText('已到期', { exact: true })), '到期后写明已到期')
  check((await over.getByRole('button').count()) === 0, '到期的没有操作')
  await settle(other)
  await shot(other, 'special-expired-1600')
  await other.locator('label').filter({ hasText: /^生效中$/ }).click()
  await settle(other)
  check((await other.getByRole('row').filter({ hasText: '同一问题已答复五次' }).count()) === 0, '到期的不在生效中')
  await other.locator('label').filter({ hasText: /^全部$/ }).click()

  await theirs.getByRole('button', { name: '解除' }).click()
  check(await seen(theirs.getByText('已解除')), '可以解除')
  await other.setViewportSize(laptop)
  await settle(other)
  await shot(other, 'special-1366')
  check((await axe(other)).length === 0, '特殊名单无障碍：' + (await axe(other)).join('；'))
  for (const p of [agent, other]) check(p.errors.length === 0, '没有脚本错误：' + p.errors.slice(0, 3).join(' | '))
}
for (const p of [lead, province]) {
  const bad = p.errors.filter((e) => !/422/.test(e))
  check(bad.length === 0, '没有脚本错误：' + bad.slice(0, 3).join(' | '))
}
await browser.close()
finish()
