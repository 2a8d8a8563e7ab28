// 市民故事：关怀版提交和查询，不满意写明原因，复核后重办，两次办理分开记录。
import { account, act, api, axe, base, check, enter, finish, open, phone, settle, shot } from './lib.mjs'
import { goto, reply, request, upTo } from './steps.mjs'

const browser = await open()
const citizen = await enter(browser, null, phone)
const agent = await enter(browser, account('agent'))
const dispatcher = await enter(browser, account('dispatcher'))
const units = (await api(dispatcher, 'GET', '/api/v1/units?q=' + encodeURIComponent('洪山区') + '&assignable=1')).body.items
const bureau = units.find((u) => /城市管理|城管/.test(u.name))
const handler = await enter(browser, null)
await api(handler, 'POST', '/api/v1/demo/enter', { unit: bureau.id })
const pages = { citizen, agent, dispatcher, handler, bureau }
/** choose clicks the words beside a hidden radio or checkbox, as people do, and sees that it is chosen. */
async function choose(input) {
  await citizen.locator(`label[for="${await input.getAttribute('id')}"]`).click()
  check(await input.isChecked(), '点文字就选中 ' + (await input.getAttribute('name')))
}
const get = async (page, id) => (await api(page, 'GET', '/api/v1/tickets/' + id)).body

// 关怀版：字不小于22像素，按钮不小于60像素，一页一问，拨打12345固定在底部
await citizen.goto(base + '/')
await citizen.getByRole('link', { name: /长辈版|关怀版/ }).first().click()
await settle(citizen)
const size = await citizen.evaluate(() => ({ text: Math.min(...[...document.querySelectorAll('main p, main a, main li')].filter((e) => e.getClientRects().length && e.innerText.trim()).map((e) => parseFloat(getComputedStyle(e).fontSize))), tel: Boolean(document.querySelector('a[href="tel:12345"]')), care: document.documentElement.classList.contains('care') }))
check(size.care && size.text >= 22, '关怀版字号不小于22像素：' + size.text)
check(size.tel, '关怀版可以直接拨打12345')
const small = await citizen.evaluate(() => [...document.querySelectorAll('main .btn, main button')].filter((e) => e.getClientRects().length).map((e) => Math.round(e.getBoundingClientRect().height)).filter((h) => h < 60))
check(small.length === 0, '关怀版按钮不小于60像素：' + small)
await shot(citizen, 'care-home-390')
check((await axe(citizen)).length === 0, '关怀版首页无障碍：' + (await axe(citizen)).join('；'))
await citizen.goto(base + '/submit')
await settle(citizen)
await shot(citizen, 'care-submit-390')
check((await axe(citizen)).length === 0, '关怀版提交页无障碍：' + (await axe(citizen)).join('；'))
check((await citizen.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, '关怀版不横向滚动')
// 改好一处后第一次点“下一步”就走：页面不能在手指下移开
await choose(citizen.locator('input[name=type]').first())
const step = async () => (await citizen.getByRole('button', { name: '下一步', exact: true }).last().click(), settle(citizen))
await step()
await citizen.selectOption('#city', '420000')
await step()
await step()
await citizen.fill('#content', '太短')
await step()
check(/至少5个字/.test(await citizen.locator('#sum').innerText()), '关怀版内容太短写明原因')
await citizen.fill('#content', '请问公租房怎样申请。')
await step()
check((await citizen.locator('#content').count()) === 0, '改好后第一次点就到下一题：' + (await citizen.locator('h1').innerText()))
// 用键盘走过长辈版：得到焦点的不会被底部的拨打按钮遮住
await citizen.goto(base + '/numbers')
await citizen.emulateMedia({ reducedMotion: 'reduce' })
const hidden = []
for (let i = 0; i < 20; i++) {
  await citizen.keyboard.press('Tab')
  const behind = await citizen.evaluate(() => {
    const e = document.activeElement
    return e.closest('.call') ? '' : e.getBoundingClientRect().bottom > document.querySelector('.call').getBoundingClientRect().top ? e.innerText || e.id : ''
  })
  if (behind) hidden.push(behind)
}
check(hidden.length === 0, '拨打12345遮住了：' + hidden)
const back = citizen.getByRole('link', { name: '标准版' }).first()
if (await back.count()) await back.click()

// 评价：不满意必须说明原因；复核发回重办；第二次办结后可再评价
const t = await request(pages, 'handling')
check((await reply(pages, t.id)).status === 200, '承办单位答复')
await upTo(dispatcher, t.id, 'to_close')
check((await act(dispatcher, t.id, 'close', { close_decision: 'pass' })).status === 200, '办结')
await citizen.goto(base + '/progress')
await citizen.fill('#number', t.number)
await citizen.fill('#code', t.code)
await citizen.getByRole('button', { name: '查进度' }).click()
await citizen.waitForURL(/\/progress\/t\//)
const at = citizen.url()
await citizen.goto(at + '/supplement')
await citizen.setInputFiles('#files', [{ name: '平面图.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') }, { name: '记录.html', mimeType: 'text/html', buffer: Buffer.from('<p>记录</p>') }])
await citizen.locator('form button.big').click()
await citizen.locator('#sum').getByText('有2处需要修改').waitFor({ timeout: 8000 })
check(/平面图\.svg/.test(await citizen.locator('#sum').innerText()) && /记录\.html/.test(await citizen.locator('#sum').innerText()), '每个不能收的文件都写明')
await citizen.goto(at)
check(!/何时到期/.test(await citizen.locator('main').innerText()), '已经答复的不再写何时到期')
await citizen.getByRole('link', { name: '去评价' }).first().click()
await settle(citizen)
await choose(citizen.locator('input[name=score][value="2"]'))
await citizen.locator('form button.big').click()
await citizen.waitForLoadState()
check(/原因/.test(await citizen.locator('main').innerText()) && /evaluate/.test(citizen.url()), '不满意不写原因不能提交')
await shot(citizen, 'evaluate-missing-390')
await choose(citizen.locator('input[name=score][value="2"]'))
await choose(citizen.locator('input[name=reasons]').first())
await choose(citizen.locator('input[name=solved]').last())
await citizen.fill('#text', '晚上仍在施工，没有整改。')
await shot(citizen, 'evaluate-390')
await citizen.locator('form button.big').click()
await citizen.waitForURL((u) => !/evaluate/.test(u.pathname), { timeout: 8000 }).catch(() => {})
await shot(citizen, 'evaluated-390')
const told = await citizen.locator('main').innerText()
check(/您的评价：不满意（网上评价）/.test(told) && /热线正在核实您的评价。/.test(told), '评价后写明评价和正在核实，不再请他评价')
check(/您已评价：不满意/.test(told), '办理过程写明当时的评价：' + told)
let seen = await get(dispatcher, t.id)
check(seen.status === 'to_recheck' && seen.verdicts.citizen?.satisfaction === 2, '不满意转复核：' + seen.status_label)
const supervisor = await enter(browser, account('supervisor'))
const offers = seen.actions.some((a) => a.name === 'reopen') ? dispatcher : supervisor
const again = await act(offers, t.id, 'reopen', { recheck_decision: 'reopen', verdict_text: '诉求人反映属实，问题未解决，发回重办。' })
check(again.status === 200, '复核发回重办：' + JSON.stringify(again.body).slice(0, 160))
seen = await get(dispatcher, t.id)
check(seen.leg === 2 || seen.status === 'handling', '重办是新的一轮：' + seen.leg)
await goto(dispatcher, '/tickets/' + t.id)
await settle(dispatcher)
check(/重办/.test(await dispatcher.locator('main').innerText()), '工单页写明重办')
await shot(dispatcher, 'reopened-1600')

for (const p of [citizen, agent, dispatcher, handler]) check(p.errors.filter((e) => !/status of (409|422)/.test(e)).length === 0, '控制台错误：' + p.errors.join('；'))
await browser.close()
console.log('市民故事')
finish()
