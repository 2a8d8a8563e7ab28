// 闭环故事：市民网上提交 → 座席受理 → 派单 → 县级承办中心 → 承办单位（主办与协办）→ 审核 → 办结 → 回访 → 市民评价。
import { account, act, api, axe, base, check, enter, finish, open, phone, settle, shot } from './lib.mjs'

const browser = await open()
const citizen = await enter(browser, null, phone)

// 市民在门户提交，不依赖脚本也能用；这里用手机尺寸的浏览器填写
await citizen.goto(base + '/')
await settle(citizen)
check((await citizen.textContent('body')).includes('12345'), '门户写明12345')
await shot(citizen, 'citizen-portal-390')
check((await axe(citizen)).length === 0, '门户无障碍：' + (await axe(citizen)).join('；'))
await citizen.goto(base + '/submit')
await settle(citizen)
await shot(citizen, 'citizen-submit-390')
check((await citizen.locator('input[name=type]').count()) >= 7 && (await citizen.locator('input[name=type]:checked').count()) === 0, '诉求类型不预选')

const made = await api(citizen, 'POST', '/api/v1/intake', {
  type: '投诉', title: '夜间施工噪声扰民', content: '保利时代小区北侧工地连续三晚22时30分后仍在打桩施工，噪声严重影响居民休息，请核查夜间施工许可并责令整改。',
  region: '420111', address: '关山街道保利时代小区3栋', name: '李小明', phone: '13800002671',
})
check(made.status === 201 && /^\d{15}$/.test(made.body.number) && made.body.query_code.length === 8, '公众提交得到15位单号和8位查询码：' + JSON.stringify(made.body))
const twice = await api(citizen, 'GET', `/api/v1/public/tickets/${made.body.number}?code=WRONGCOD`)
check(twice.status === 404 && twice.body.code === 'progress_not_found', '错误查询码只得到“不正确”')

const agent = await enter(browser, account('agent'))
const dispatcher = await enter(browser, account('dispatcher'))
const found = await api(dispatcher, 'GET', '/api/v1/tickets/lookup?number=' + made.body.number)
check(found.status === 200, '派单员按单号找到工单')
const id = found.body.id
let t = (await api(dispatcher, 'GET', '/api/v1/tickets/' + id)).body
if (t.status === 'received') {
  const r = await act(agent, id, 'accept', { category: t.category.code || undefined })
  check(r.status === 200, '座席受理：' + JSON.stringify(r.body))
  t = (await api(dispatcher, 'GET', '/api/v1/tickets/' + id)).body
}
check(t.status === 'to_dispatch' && t.suggestion, '受理后有派单建议和理由：' + t.suggestion?.why)
const units = (await api(dispatcher, 'GET', '/api/v1/units?q=' + encodeURIComponent('洪山区'))).body.items
const hub = units.find((u) => u.kind === 'county')
check(!!hub, '找到洪山区承办中心')
let r = await act(dispatcher, id, 'dispatch', { unit: hub.id })
check(r.status === 200 && r.body.message.includes('办理时限'), '派发至承办中心：' + JSON.stringify(r.body))

const hubDesk = await enter(browser, null)
check((await api(hubDesk, 'POST', '/api/v1/demo/enter', { unit: hub.id })).status === 200, '进入承办中心岗位')
r = await act(hubDesk, id, 'sign')
check(r.status === 200, '承办中心签收：' + JSON.stringify(r.body))
const below = (await api(hubDesk, 'GET', '/api/v1/units?parent=' + hub.id)).body.items
const bureau = below.find((u) => u.name.includes('城市管理') || u.name.includes('城管')) ?? below[0]
r = await act(hubDesk, id, 'delegate', { unit: bureau.id })
check(r.status === 200, '下派至' + bureau.name + '：' + JSON.stringify(r.body))

const handler = await enter(browser, null, phone)
check((await api(handler, 'POST', '/api/v1/demo/enter', { unit: bureau.id })).status === 200, '进入承办单位经办岗位')
r = await act(handler, id, 'sign')
check(r.status === 200, '承办单位签收：' + JSON.stringify(r.body))
await handler.goto(base + '/console/unit')
await settle(handler)
await shot(handler, 'unit-390')
check(await handler.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), '承办页面在手机上不横向滚动')
r = await act(handler, id, 'reply', { mode: 'solved', solved: 'yes', truth: 'true', reply_text: '经现场核查属实，已责令该工地夜间停工整改，感谢您的反映。' })
check(r.status === 409 && r.body.code === 'contact_needed', '未联系诉求人不能答复')
r = await act(handler, id, 'contact', { way: 'phone', contact_result: 'reached', contact_note: '已电话联系诉求人，说明处理安排。' })
check(r.status === 200, '记录联系')
const reveal = await api(handler, 'POST', `/api/v1/tickets/${id}/reveal`, { field: 'phone', reason_code: 'contact' })
check(reveal.status === 200 && reveal.body.value === '13800002671', '签收后凭目的查看电话')
r = await act(handler, id, 'reply', { mode: 'solved', solved: 'yes', truth: 'true', reply_text: '经现场核查属实，已责令该工地夜间停工整改，感谢您的反映。' })
check(r.status === 200, '经办人答复：' + JSON.stringify(r.body))
let steps = 0
for (;;) {
  const seen = (await api(dispatcher, 'GET', '/api/v1/tickets/' + id)).body
  if (seen.status !== 'handling' || steps++ > 6) break
  const s = await api(dispatcher, 'POST', `/api/v1/tickets/${id}/autoplay/step`)
  check(s.status === 200, '替我演这一步：' + JSON.stringify(s.body))
}
t = (await api(dispatcher, 'GET', '/api/v1/tickets/' + id)).body
check(t.status === 'to_close', '逐级审核后待办结：' + t.status)
r = await act(dispatcher, id, 'close', { close_decision: 'pass' })
check(r.status === 200, '办结：' + JSON.stringify(r.body))
await dispatcher.goto(base + '/console/tickets/' + id)
await settle(dispatcher)
await shot(dispatcher, 'ticket-1600')

// 市民凭查询码评价
const seen = await api(citizen, 'GET', `/api/v1/public/tickets/${made.body.number}?code=${made.body.query_code}`)
check(seen.status === 200 && seen.body.reply.includes('责令'), '诉求人看到答复')
await citizen.goto(base + '/demo/phone?phone=13800002671')
await settle(citizen)
await shot(citizen, 'demo-phone-390')
const link = citizen.locator('a[href*="/s/"]').first()
check((await link.count()) > 0, '模拟手机收到带链接的短信')
if (await link.count()) {
  await link.click()
  await settle(citizen)
  await shot(citizen, 'citizen-progress-390')
  const faults = await axe(citizen)
  check(faults.length === 0, '进度页无障碍：' + faults.join('；'))
  check((await citizen.textContent('body')).includes('查看'), '进度页写明谁看过信息')
}
const caller = await enter(browser, account('callback'))
r = await act(caller, id, 'callback', { outcome: 'reached', contacted: 'yes', citizen_solved: 'yes', satisfaction: '5' })
check(r.status === 200, '回访：' + JSON.stringify(r.body))
t = (await api(dispatcher, 'GET', '/api/v1/tickets/' + id)).body
check(t.status === 'closed' && t.verdicts.unit && t.verdicts.citizen?.satisfaction === 5, '办结归档，单位与诉求人的评价分列')
const lines = (await api(dispatcher, 'GET', `/api/v1/tickets/${id}/timeline`)).body.items
check(lines.length === t.version || lines.length > 10, '办理过程完整：' + lines.length)

// 同一个幂等键只生效一次
const key = { 'Idempotency-Key': 'story-' + Date.now() }
const body = { way: 'answer', type: '咨询', content: '请问医保异地就医如何备案？', answer: { text: '可在国家医保服务平台备案。', miss: true } }
const one = await api(agent, 'POST', '/api/v1/tickets', body, key)
const two = await api(agent, 'POST', '/api/v1/tickets', body, key)
check(one.status === 201 && two.body.number === one.body.number, '同一幂等键只建一单')

for (const p of [citizen, agent, dispatcher, handler, caller]) check(p.errors.length === 0, '控制台错误：' + p.errors.join('；'))
await browser.close()
console.log('闭环故事')
finish()
