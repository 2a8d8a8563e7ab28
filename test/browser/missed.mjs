// 漏接故事：诉求人响铃中挂断，平台欠一次回拨，先请原席位拨；回拨页从待回拨到已回拨。
import { account, api, axe, base, check, desktop, enter, finish, laptop, settle, shot } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const agent = await sit(browser, 'agent', '/console/desk')
const lead = await enter(browser, account('shift_lead'), desktop)
await lead.goto(base + '/console/calls/callbacks')

// 响铃7秒无人接，诉求人挂断；就绪的席位随即收到回拨
await ring(agent, '漏接来电')
const back = agent.pop.filter({ hasText: '回拨' })
check(await seen(back, 20_000), '挂断后请本席回拨')
await shot(agent, 'missed-offer-1600')
check(/武汉市/.test(await back.innerText()), '弹屏有归属')
const owed = lead.getByRole('row').filter({ hasText: '漏接' }).first()
check(await seen(owed.getByText('待回拨')), '回拨页列出待回拨')
await settle(lead)
await shot(lead, 'callbacks-open-1600')
const row = (await api(lead, 'GET', '/api/v1/voice/callbacks?state=open')).body.items[0]
const promise = (Date.parse(row.due) - Date.parse(row.made)) / 60_000
check(promise > 0 && promise <= 30 && !row.late, `承诺30分钟内：${promise}分钟`)

await agent.keyboard.press('F2')
check(await seen(agent.bar.getByText('漏接回拨')), '回拨在话务条上标明')
check(await seen(agent.key(/^满意度/), 20_000), '诉求人接起')
await settle(agent)
await shot(agent, 'missed-talk-1600')
check(agent.errors.length === 0, '座席没有脚本错误：' + agent.errors.slice(0, 3).join(' | '))
await agent.keyboard.press('F4')
await rest(agent)

await lead.getByText('已回拨', { exact: true }).first().click()
const done = lead.getByRole('row').filter({ hasText: '漏接' }).first()
check(await seen(done), '回拨后列入已回拨')
await lead.setViewportSize(laptop)
await settle(lead)
await shot(lead, 'callbacks-done-1366')
check((await axe(lead)).length === 0, '漏接回拨无障碍：' + (await axe(lead)).join('；'))
await done.getByRole('link', { name: '原通话' }).click()
check(await seen(lead.getByText('排队放弃').first()), '打得开原通话')
await settle(lead)
await shot(lead, 'missed-call-1366')
const calls = (await api(lead, 'GET', '/api/v1/calls?direction=out&limit=1')).body.items[0]
check(calls.origin === row.call && calls.flag_labels.includes('漏接回拨'), '回拨话单记着原来电')
check(lead.errors.length === 0, '班长没有脚本错误：' + lead.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
