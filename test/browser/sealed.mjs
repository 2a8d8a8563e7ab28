// 举报人信息：举报专办员申请查看并写明理由，个人信息保护负责人审批，申请人只看一次，每一步都留痕。
import { account, act, api, axe, base, check, desktop, enter, finish, laptop, open, settle, shot } from './lib.mjs'
import { choose, dialog, fill, goto, submit } from './steps.mjs'

const browser = await open()
const citizen = await enter(browser, null)
const made = (await api(citizen, 'POST', '/api/v1/intake', { type: '举报', title: '工地无证夜间施工', content: '该工地未取得夜间施工许可仍在施工，请予查处并为举报人保密。', secret: true, region: '420111', address: '关山大道8号', name: '王知情', phone: '13900008888' })).body
const cell = await enter(browser, account('cell'), desktop)
const id = (await api(cell, 'GET', '/api/v1/tickets/lookup?number=' + made.number)).body.id

await goto(cell, '/tickets/' + id)
const box = cell.getByRole('region', { name: '举报人信息' })
await box.waitFor()
await box.getByRole('button', { name: '申请查看' }).click()
await dialog(cell).locator('.el-dialog__footer .el-button--primary').click()
check((await dialog(cell).locator('.bad').count()) >= 3, '申请空着提交：逐项说明缺什么')
await choose(cell, '查看内容', '联系电话')
await choose(cell, '查看目的', '核对身份')
await fill(cell, '理由', '须当面核实举报线索的时间和地点，书面答复不足以核查。')
await shot(cell, 'sealed-ask-1600')
await submit(cell)
check(await box.getByText('待批').waitFor({ timeout: 8000 }).then(() => true, () => false), '申请已提交待批')
check((await api(cell, 'POST', `/api/v1/tickets/${id}/reveal`, { field: 'phone', reason_code: 'identity' })).body?.code === 'second_person_needed', '批准前不能查看')

const officer = await enter(browser, account('privacy'), desktop)
await goto(officer, '/privacy')
await settle(officer)
await shot(officer, 'sealed-decide-1600')
await officer.getByRole('button', { name: '审批', exact: true }).first().click()
await dialog(officer).getByText('批准，查看一次').click()
await fill(officer, '审批意见', '理由成立，同意查看一次。')
await submit(officer)
for (const tab of ['quota', 'wait', 'shown']) {
  await goto(officer, '/privacy?tab=' + tab)
  await settle(officer)
  await shot(officer, `privacy-${tab}-1600`)
  const faults = await axe(officer)
  check(faults.length === 0, `${tab} 无障碍：${faults.join('；')}`)
}

await goto(cell, '/tickets/' + id)
await box.getByRole('button', { name: '查看一次' }).click()
check(await box.getByText('13900008888').waitFor({ timeout: 8000 }).then(() => true, () => false), '批准后申请人看到一次')
await cell.setViewportSize(laptop)
await shot(cell, 'sealed-seen-1366')
check((await axe(cell)).length === 0, '举报件页面无障碍')
await cell.reload()
await box.waitFor()
check(!(await cell.textContent('main')).includes('13900008888') && (await box.getByRole('button', { name: '查看一次' }).count()) === 0, '看过以后不能再看')

for (const p of [cell, officer]) check(p.errors.filter((e) => !/status of (403|409|422)/.test(e)).length === 0, '控制台错误：' + p.errors.join('；'))
await browser.close()
console.log('举报人信息故事')
finish()
