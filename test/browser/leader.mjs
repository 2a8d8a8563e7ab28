// 领导接听故事：班长安排一场，领导到时就绪、接听、转座席登记工单，跟踪办理列出事项并办结；时段未到没有席位。
import { account, api, axe, base, check, desktop, enter, finish, laptop, settle, shot, until } from './lib.mjs'
import { openPhone, rest, ring, seen, sit } from './seat.mjs'

const browser = await openPhone()
const lead = await enter(browser, account('shift_lead'), desktop)
const boss = await enter(browser, account('leader'), desktop)
await boss.context().grantPermissions(['microphone'], { origin: new URL(base).origin }).catch(() => {})
const bar = boss.getByRole('region', { name: '电话' })
const name = (await api(boss, 'GET', '/api/v1/me')).body.account.name
const title = '市长接听日'

// 没有安排：没有话务条
await boss.goto(base + '/console/calls/leader')
await settle(boss)
check((await bar.count()) === 0, '时段未到没有话务条')
await shot(boss, 'leader-none-1600')

// 班长安排：空表有提示，时间错有提示
await lead.goto(base + '/console/calls/leader')
await lead.getByRole('button', { name: '安排一场' }).click()
const form = lead.getByRole('dialog', { name: '安排领导接听' })
await form.getByRole('button', { name: /^安排/ }).click()
check(await seen(form.getByText('请选择接听领导。')), '空表有提示')
await form.getByRole('radio', { name: new RegExp('^' + name) }).check()
await form.getByLabel('主题').fill(title)
const clock = (minutes) => { const d = new Date(Date.now() + (minutes + 480) * 60_000); return `${d.getUTCFullYear()}年${d.getUTCMonth() + 1}月${d.getUTCDate()}日 ${String(d.getUTCHours()).padStart(2, '0')}:${String(d.getUTCMinutes()).padStart(2, '0')}` } // 北京时间
const put = async (label, text) => { await form.getByLabel(label, { exact: true }).fill(text); await lead.keyboard.press('Tab') }
await put('开始', clock(-1))
await put('结束', clock(-30))
await form.getByRole('button', { name: /^安排/ }).click()
check(await seen(form.getByText(/接听时段应在今后/)), '结束早于开始有提示')
await put('结束', clock(60))
await shot(lead, 'leader-plan-1600')
await form.getByRole('button', { name: /^安排/ }).click()
const session = lead.getByRole('button', { name: new RegExp(title) }).last()
check(await seen(session), '列入接听安排')
await session.click()

// 领导：打开本页即有席位，就绪后来电响在他的席上
await boss.goto(base + '/console/calls/leader')
check(await seen(bar), '时段内有话务条')
check(await seen(boss.getByText(/正在进行/)), '写明本场正在进行')
const ready = bar.getByRole('button', { name: '就绪', exact: true })
check(await until(() => ready.isEnabled(), 20_000), '语音通道接通')
await ready.click()
await bar.getByRole('button', { name: '示忙', exact: true }).waitFor()
Object.assign(boss, { bar, key: (n) => bar.getByRole('button', { name: n }), pop: boss.getByRole('alert', { name: '来电' }) })
await settle(boss)
await shot(boss, 'leader-ready-1600')
const agent = await sit(browser, 'agent', '/console/desk')
await ring(boss, '噪声投诉')
await shot(boss, 'leader-ringing-1600')
await boss.keyboard.press('F2')
check(await seen(boss.key(/^挂机/)), '领导接听')
check(await seen(bar.getByText('领导接听')), '话务条标明领导接听')
await settle(boss)
await shot(boss, 'leader-talk-1600')
check((await axe(boss)).length === 0, '领导接听无障碍：' + (await axe(boss)).join('；'))

// 转座席登记
await boss.keyboard.press('F8')
const seatName = (await api(agent, 'GET', '/api/v1/me')).body.account.name
await boss.getByRole('dialog', { name: /转接/ }).getByRole('button', { name: new RegExp(seatName) }).click()
check(await seen(agent.pop), '转到座席')
await agent.keyboard.press('F2')
await agent.key(/^挂机/).waitFor()
await rest(boss)
const call = (await api(lead, 'GET', '/api/v1/calls?direction=in&limit=1')).body.items[0]
const made = await api(agent, 'POST', '/api/v1/tickets', { type: '投诉', title: '工地夜间施工噪声', content: '洪山区关山大道工地夜间施工噪声很大，领导接听，请尽快处理。', region: '420111', channel: 'phone', way: 'dispatch', call: call.id, requester: { kind: '个人', name: '周先生', phone: '13500001111' } }, { 'Idempotency-Key': 'leader-' + call.id })
check(made.status < 300, '座席登记工单：' + made.status + JSON.stringify(made.body).slice(0, 200))
await agent.keyboard.press('F4')
await rest(agent)

// 跟踪办理：事项带工单，办结要写情况
await lead.goto(base + '/console/calls/leader')
const row = lead.getByRole('region', { name: '领导接听事项' }).getByRole('row').filter({ hasText: '办理中' }).first()
check(await seen(row), '事项列入跟踪')
check(await until(async () => /\d{4} \d{4}/.test(await row.innerText())), '事项带工单编号：' + (await row.innerText()).replace(/\s+/g, ' '))
await settle(lead)
await shot(lead, 'leader-board-1600')
await row.getByRole('button', { name: '办结' }).click()
const close = lead.getByRole('dialog', { name: '办结领导接听事项' })
await close.getByRole('button', { name: /^办结/ }).click()
check(await seen(close.getByText(/请填写办理情况/)), '办结要写办理情况')
await close.getByRole('textbox').fill('区城管局当日查处，工地已停止夜间施工。')
await close.getByRole('button', { name: /^办结/ }).click()
check(await seen(lead.getByText('区城管局当日查处，工地已停止夜间施工。')), '办结后写明情况')
await lead.setViewportSize(laptop)
await settle(lead)
await shot(lead, 'leader-board-1366')
check((await axe(lead)).length === 0, '跟踪办理无障碍：' + (await axe(lead)).join('；'))

// 进行中的一场也可以取消，领导的页面写明
const held = lead.getByRole('listitem').filter({ hasText: title })
await held.getByRole('button', { name: '取消', exact: true }).click()
const off = lead.getByRole('dialog', { name: /^取消/ })
await off.getByRole('textbox').fill('值班领导临时参加会议')
await off.getByRole('button', { name: /^取消本场/ }).click()
check(await seen(held.getByText('已取消')), '进行中的可以取消')
check(await seen(boss.getByText(/已由.*取消：值班领导临时参加会议/), 30_000), '领导的页面写明取消')
for (const [p, known] of [[lead, /422/], [boss, /^$/], [agent, /^$/]]) {
  const bad = p.errors.filter((e) => !known.test(e))
  check(bad.length === 0, '没有脚本错误：' + bad.slice(0, 3).join(' | '))
}
await browser.close()
finish()
