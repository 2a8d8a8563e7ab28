// 承办故事：协办与合并答复、退单改派、延期告知、手机拍照取证、举报隐藏身份与热线中转。
import { account, act, api, axe, base, check, desktop, enter, finish, laptop, open, phone, settle, shot } from './lib.mjs'
import { choose, dialog, fill, find, goto, press, reply, request, submit, upTo } from './steps.mjs'

const browser = await open()
const citizen = await enter(browser, null, phone)
const agent = await enter(browser, account('agent'), desktop)
const dispatcher = await enter(browser, account('dispatcher'), desktop)
const units = (await api(dispatcher, 'GET', '/api/v1/units?q=' + encodeURIComponent('洪山区') + '&assignable=1')).body.items
const bureau = units.find((u) => /城市管理|城管/.test(u.name))
const other = units.find((u) => u.id !== bureau.id && /市场监督|生态环境|住房/.test(u.name)) ?? units.find((u) => u.id !== bureau.id && u.kind !== 'county')
const handler = await enter(browser, null, desktop)
await api(handler, 'POST', '/api/v1/demo/enter', { unit: bureau.id })
const helper = await enter(browser, null, desktop)
await api(helper, 'POST', '/api/v1/demo/enter', { unit: other.id })
const pages = { citizen, agent, dispatcher, handler, bureau }
const get = async (page, id) => (await api(page, 'GET', '/api/v1/tickets/' + id)).body
const progress = async (t) => (await api(citizen, 'GET', `/api/v1/public/tickets/${t.number}?code=${t.code}`)).body

// 退单：经办人在页面上申请，派单员审核并改派到建议的单位；时限不重来
{
  const t = await request(pages, 'handling')
  const due = (await get(dispatcher, t.id)).clocks.find((c) => c.kind === '办理')?.due
  await goto(handler, '/tickets/' + t.id)
  await press(handler, '申请退单')
  await dialog(handler).locator('.el-dialog__footer .el-button--primary, .el-dialog__footer .el-button--danger').last().click()
  check(await dialog(handler).locator('.bad').count() >= 3, '退单空着提交：逐项说明缺什么')
  await dialog(handler).getByRole('radiogroup', { name: /退单原因/ }).locator('label').first().click()
  await fill(handler, '法规或职责依据', '《三定规定》第四条，夜间施工噪声由生态环境部门监管。')
  await find(handler, '建议承办单位', other.name)
  await shot(handler, 'return-1600')
  await submit(handler)
  await goto(dispatcher, '/dispatch?queue=return_review')
  await settle(dispatcher)
  await shot(dispatcher, 'return-review-1600')
  await goto(dispatcher, '/tickets/' + t.id)
  await press(dispatcher, '审核退单')
  await dialog(dispatcher).getByRole('radiogroup', { name: /审核结论/ }).locator('label', { hasText: /同意|属实|成立/ }).first().click()
  await fill(dispatcher, '审核意见', '退单理由成立，改派建议单位。')
  const pick = dialog(dispatcher).getByRole('combobox', { name: /改派至/ })
  if (await pick.count()) await find(dispatcher, '改派至', other.name)
  await shot(dispatcher, 'return-decide-1600')
  await submit(dispatcher)
  const after = await get(dispatcher, t.id)
  check(after.assignments.some((a) => a.unit.id === other.id), '改派到' + other.name)
  check(after.clocks.some((c) => c.kind === '办理' && c.due === due), '退单和改派不重置办理时限')
}

// 协办：主办须等协办答复，再合并成一个答复给诉求人
{
  const t = await request(pages, 'to_dispatch')
  check((await act(dispatcher, t.id, 'dispatch', { unit: bureau.id, assists: [other.id] })).status === 200, '派单给主办和协办')
  check((await act(handler, t.id, 'sign')).status === 200, '主办签收')
  const early = await reply(pages, t.id)
  check(early.status === 409, '协办未答复时主办不能答复：' + early.body?.detail)
  check((await act(helper, t.id, 'sign')).status === 200, '协办签收')
  await goto(helper, '/tickets/' + t.id)
  await press(helper, '答复')
  await choose(helper, '办结方式', '解决')
  await dialog(helper).getByRole('radiogroup', { name: /是否解决/ }).locator('label').first().click()
  await dialog(helper).getByRole('radiogroup', { name: /反映情况/ }).locator('label').first().click()
  await fill(helper, '答复诉求人的内容', '已对工地噪声进行监测，昼夜均有超标，监测结果已送主办单位。')
  await shot(helper, 'assist-reply-1600')
  await submit(helper)
  const helped = async () => (await get(dispatcher, t.id)).assignments.find((a) => a.unit.id === other.id)?.state
  for (let i = 0; i < 4 && (await helped()) !== 'replied'; i++) await api(dispatcher, 'POST', `/api/v1/tickets/${t.id}/autoplay/step`)
  check((await helped()) === 'replied', '协办的答复经本单位审核后反馈')
  const answered = await reply(pages, t.id, '经与协办单位共同核查，已责令该工地夜间停工整改。')
  check(answered.status === 200, '协办答复后主办合并答复：' + JSON.stringify(answered.body).slice(0, 160))
  await goto(dispatcher, '/tickets/' + t.id)
  await settle(dispatcher)
  await shot(dispatcher, 'assist-ticket-1600')
  await upTo(dispatcher, t.id, 'to_close')
  check((await act(dispatcher, t.id, 'close', { close_decision: 'pass' })).status === 200, '办结')
  check((await progress(t)).reply?.includes('共同核查'), '诉求人只收到一个合并的答复')
}

// 延期：申请、批准，诉求人收到理由和新的期限
{
  const t = await request(pages, 'handling')
  await goto(handler, '/tickets/' + t.id)
  await press(handler, '申请延期')
  await fill(handler, '延长天数（工作日）', '3')
  await fill(handler, '理由', '须等待第三方噪声检测报告，预计下一个工作日取得。')
  await dialog(handler).locator('.el-dialog__footer .el-button--primary').last().click()
  check(await dialog(handler).getByText(/原时限（24小时），最多延长1个工作日/).first().waitFor({ timeout: 8000 }).then(() => true, () => false), '延期超过原时限：写明最多几天')
  await fill(handler, '延长天数（工作日）', '1')
  await submit(handler)
  const pending = await get(dispatcher, t.id)
  const decider = pending.actions.some((a) => a.name === 'decide-extension') ? dispatcher : null
  if (decider) {
    await goto(dispatcher, '/tickets/' + t.id)
    await press(dispatcher, '审核延期')
    await dialog(dispatcher).getByRole('radiogroup', { name: /审核结论/ }).locator('label').first().click()
    await fill(dispatcher, '审核意见', '理由成立，同意延期。')
    await submit(dispatcher)
  } else check((await api(dispatcher, 'POST', `/api/v1/tickets/${t.id}/autoplay/step`)).status === 200, '由有权的人审核延期')
  await citizen.goto(base + '/demo/phone?phone=' + t.phone)
  await settle(citizen)
  const sms = await citizen.textContent('body')
  check(/延期|延长/.test(sms), '诉求人收到延期短信')
  await shot(citizen, 'extension-notice-390')
}

// 逐级延期：区县所属单位申请的延期超出区县的时限，区县同意后报市平台，市平台同意后各级时限一并延长，诉求人才收到通知
{
  const hub = units.find((u) => u.kind === 'county')
  const county = await enter(browser, null, desktop)
  await api(county, 'POST', '/api/v1/demo/enter', { unit: hub.id })
  const t = await request(pages, 'to_dispatch')
  for (const [page, name, fields] of [[dispatcher, 'dispatch', { unit: hub.id }], [county, 'sign'], [county, 'delegate', { unit: bureau.id }], [handler, 'sign'], [handler, 'extend', { days: 1, reason: '须等待第三方噪声检测报告，预计下一个工作日取得。' }]]) {
    const step = await act(page, t.id, name, fields)
    check(step.status === 200, name + '：' + JSON.stringify(step.body).slice(0, 160))
  }
  const due = (await get(dispatcher, t.id)).due
  const texted = async () => {
    await citizen.goto(base + '/demo/phone?phone=' + t.phone)
    await settle(citizen)
    return /延期至/.test(await citizen.textContent('body'))
  }
  const agree = async (page) => {
    await goto(page, '/tickets/' + t.id)
    await press(page, '审核延期')
    await dialog(page).getByRole('radiogroup', { name: /审核结论/ }).locator('label').first().click()
    await fill(page, '审核意见', '理由成立，同意延期。')
    await submit(page)
  }
  await agree(county)
  await settle(county)
  check((await get(dispatcher, t.id)).due === due && !(await texted()), '区县同意后时限不变，诉求人未收到通知')
  await shot(county, 'extension-raised-1600')
  const waits = (await api(dispatcher, 'GET', '/api/v1/tickets?queue=extension_review')).body.items
  check(waits.some((r) => r.id === t.id), '报到市平台的延期待审')
  await agree(dispatcher)
  const after = await get(dispatcher, t.id)
  check(after.due > due && after.assignments.every((a) => a.due === after.due), '市平台同意后各级时限一并延长：' + after.assignments.map((a) => a.due))
  check(await texted(), '诉求人收到延期短信')
  check((await progress(t)).steps.some((x) => x.text?.includes('须等待第三方噪声检测报告')), '进度页写明延期理由')
  await citizen.locator('a[href*="/s/"]').first().click()
  await settle(citizen)
  check(/办理期限延长至[\s\S]*须等待第三方噪声检测报告/.test(await citizen.locator('main').innerText()), '短信的链接打开的进度页写明新的期限和理由')
  await shot(citizen, 'extension-progress-390')
  await shot(dispatcher, 'extension-agreed-1600')
  await county.context().close()
}

// 手机取证：拍照按钮打开后置摄像头，照片先预览再随答复上报
{
  const t = await request(pages, 'handling')
  const mobile = await enter(browser, null, phone)
  await api(mobile, 'POST', '/api/v1/demo/enter', { unit: bureau.id })
  await act(mobile, t.id, 'contact', { way: 'phone', contact_result: 'reached', contact_note: '已电话联系诉求人。' })
  await goto(mobile, '/unit')
  await settle(mobile)
  await shot(mobile, 'unit-list-390')
  await goto(mobile, '/tickets/' + t.id)
  await settle(mobile)
  await shot(mobile, 'ticket-390')
  await press(mobile, '答复')
  const camera = dialog(mobile).locator('input[type=file][capture=environment]')
  check((await camera.count()) === 1, '手机上有拍照取证')
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  await camera.setInputFiles({ name: '现场.png', mimeType: 'image/png', buffer: png })
  check(await dialog(mobile).locator('.items li.done').first().waitFor({ timeout: 8000 }).then(() => true, () => false), '照片已上传')
  check((await mobile.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, '手机答复不横向滚动')
  await dialog(mobile).locator('.items').scrollIntoViewIfNeeded()
  await shot(mobile, 'evidence-390')
  await mobile.context().close()
}

// 举报：承办人看不到举报人，联系只经热线中转
{
  const secret = { type: '举报', title: '工地无证夜间施工', content: '该工地未取得夜间施工许可仍在施工，举报人知情，请予查处并保密。', secret: true, unit: bureau }
  const made = (await api(citizen, 'POST', '/api/v1/intake', { ...secret, unit: undefined, region: '420111', address: '关山大道8号', name: '王知情', phone: '13900008888' })).body
  const cell = await enter(browser, account('cell'), desktop)
  await goto(cell, '/cell')
  await settle(cell)
  await shot(cell, 'informant-cell-1600')
  const id = (await api(cell, 'GET', '/api/v1/tickets/lookup?number=' + made.number)).body?.id
  check(Boolean(id), '举报专办员找到举报件')
  const offered = id ? (await get(cell, id)).actions.map((a) => a.name) : []
  if (offered.includes('accept')) await act(cell, id, 'accept', { category: '010402' })
  if (id) for (let i = 0; i < 4 && (await get(cell, id)).status !== 'handling'; i++) await api(cell, 'POST', `/api/v1/tickets/${id}/autoplay/step`)
  const held = id ? await get(cell, id) : null
  const node = held?.assignments?.find((a) => a.state === 'to_sign' || a.state === 'handling')
  check(Boolean(node), '举报件派到承办单位：' + held?.status_label)
  if (node) {
    const unit = await enter(browser, null, laptop)
    await api(unit, 'POST', '/api/v1/demo/enter', { unit: node.unit.id })
    await act(unit, id, 'sign')
    await goto(unit, '/tickets/' + id)
    await settle(unit)
    const text = await unit.evaluate(() => document.body.innerText)
    check(!/王知情|13900008888|8888/.test(text), '承办单位看不到举报人的姓名和电话')
    check((await api(unit, 'POST', `/api/v1/tickets/${id}/reveal`, { field: 'phone', reason_code: 'contact' })).status >= 403, '承办单位不能查看举报人电话')
    await shot(unit, 'informant-unit-1366')
    const r = await act(unit, id, 'contact', { way: 'phone', contact_result: 'reached', contact_note: '想直接打电话。' })
    check(r.status === 409 || r.status === 422, '身份隐藏时只能经热线中转：' + r.body?.detail)
    check((await act(unit, id, 'contact', { way: 'relay', contact_result: 'other', contact_note: '请热线转告：需要补充施工时间。' })).status < 500, '热线中转')
    const faults = await axe(unit)
    check(faults.length === 0, '举报件页面无障碍：' + faults.join('；'))
    await unit.context().close()
  }
  await cell.context().close()
}

for (const p of [citizen, agent, dispatcher, handler, helper]) check(p.errors.filter((e) => !/status of (409|422|403)/.test(e)).length === 0, '控制台错误：' + p.errors.join('；'))
await browser.close()
console.log('承办故事')
finish()
