// What people do on a page of the console, in their words: press an act, fill a field, choose, submit.
import { act, api, base, check } from './lib.mjs'

const TOP = '.el-overlay:not([style*="display: none"]) [role=dialog]'
export const dialog = (page) => page.locator(TOP).last()

/** goto opens a console page and waits until its content is there. */
export async function goto(page, path) {
  await page.goto(base + '/console' + path)
  await page.locator('main').waitFor()
  await page.locator('main .state.loading').first().waitFor({ state: 'detached', timeout: 15_000 }).catch(() => {})
}

/** press takes an offered act by its label, also one under 更多. */
export async function press(page, label) {
  const bar = page.getByRole('toolbar', { name: '可以办理的操作' }).last()
  await bar.waitFor()
  const button = bar.getByRole('button', { name: new RegExp('^' + label) }).first()
  if (!(await button.count())) {
    await bar.getByRole('button', { name: /更多操作/ }).click()
    await page.getByRole('menuitem', { name: new RegExp('^' + label) }).first().click()
  } else await button.click()
}

export const fill = (page, label, text) => dialog(page).getByLabel(label, { exact: true }).last().fill(text)

/** choose takes one of a few options, or of a drop-down list. */
export async function choose(page, label, option) {
  const group = dialog(page).getByRole('radiogroup', { name: new RegExp(label) })
  if (await group.count()) return group.locator('label', { hasText: option }).first().click()
  await dialog(page).getByLabel(label, { exact: true }).first().click()
  await page.locator('.el-select-dropdown__item:visible', { hasText: option }).first().click()
}

/** find types into a picker and takes what it then offers: before the answer comes, the list is still the old one. */
export async function find(page, label, text) {
  await dialog(page).getByRole('combobox', { name: new RegExp(label) }).first().fill(text)
  await page.locator('.pick-pop [role=option]', { hasText: text }).first().click()
}

/** submit sends the dialog and waits until it is gone. */
export async function submit(page) {
  const open = dialog(page)
  await open.locator('.el-dialog__footer .el-button--primary, .el-dialog__footer .el-button--danger').last().click()
  await open.waitFor({ state: 'hidden', timeout: 15_000 }).catch(() => {})
  const left = await page.locator(TOP).count()
  return check(left === 0, '弹窗提交成功：' + (left ? (await dialog(page).innerText()).slice(0, 200) : ''))
}

let n = 0
/** request makes a citizen's request and takes it to `state`: received, to_dispatch or handling (signed by a unit of 洪山区). */
export async function request(pages, state, fields = {}) {
  const { citizen, dispatcher, agent } = pages
  const tail = String(100 + ++n).slice(1)
  const phone = fields.phone ?? '1390000' + String(Date.now()).slice(-2) + tail
  const body = { type: '投诉', title: '夜间施工噪声扰民', content: `关山街道工地${tail}连续三晚22时30分后仍在打桩施工，噪声严重影响居民休息，请核查并责令整改。`, region: '420111', address: `关山大道${tail}号`, name: '李小明', ...fields, phone }
  const made = await api(citizen, 'POST', '/api/v1/intake', body)
  if (!check(made.status === 201, '提交诉求：' + JSON.stringify(made.body).slice(0, 200))) throw new Error('提交失败')
  const t = { number: made.body.number, code: made.body.query_code, phone }
  t.id = (await api(dispatcher, 'GET', '/api/v1/tickets/lookup?number=' + t.number)).body?.id
  if (state === 'received') return t
  let seen = (await api(dispatcher, 'GET', '/api/v1/tickets/' + t.id)).body
  if (seen.status === 'received') {
    const r = await act(agent, t.id, 'accept', { category: seen.category?.code || '010402' })
    check(r.status === 200, '受理：' + JSON.stringify(r.body).slice(0, 200))
  }
  if (state === 'to_dispatch') return t
  const unit = fields.unit ?? pages.bureau
  const r = await act(dispatcher, t.id, 'dispatch', { unit: unit.id })
  check(r.status === 200, '派单：' + JSON.stringify(r.body).slice(0, 200))
  if (state === 'handling') check((await act(pages.handler, t.id, 'sign')).status === 200, '签收')
  return t
}

/** reply says what a unit says when it is done: contact first, then the answer, then every level agrees. */
export async function reply(pages, id, text = '经现场核查属实，已责令该工地夜间停工整改，感谢您的反映。') {
  await act(pages.handler, id, 'contact', { way: 'phone', contact_result: 'reached', contact_note: '已电话联系诉求人，说明处理安排。' })
  return act(pages.handler, id, 'reply', { mode: 'solved', solved: 'yes', truth: 'true', reply_text: text })
}

/** upTo lets the system play the other roles until the ticket has this status. */
export async function upTo(page, id, status) {
  for (let i = 0; i < 10; i++) {
    const t = (await api(page, 'GET', '/api/v1/tickets/' + id)).body
    if (t.status === status) return t
    const r = await api(page, 'POST', `/api/v1/tickets/${id}/autoplay/step`)
    if (!check(r.status === 200, '替我演这一步：' + JSON.stringify(r.body).slice(0, 200))) return t
  }
  return null
}
