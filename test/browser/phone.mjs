// 电话故事：座席签入，SIP 来电弹屏，接听、显号、通话、保持、挂机，话单与录音；班长墙与电话各页。
// 需要演示平台启动时打印的“SIP 127.0.0.1:端口”（环境变量 SIP，或 DATA/out.log）和 sipp。
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { account, api, axe, base, check, desktop, enter, finish, laptop, open, settle, shot, until } from './lib.mjs'

const printed = () => { try { return /^SIP (\S+)/m.exec(readFileSync(process.env.DATA + '/out.log', 'utf8'))?.[1] } catch { return undefined } }
const sip = process.env.SIP ?? printed()
if (!sip) {
  console.log('没有语音平台，电话故事不走')
  process.exit(0)
}

/** call places one call of a citizen with sipp: it rings until answered and hangs up when the platform does, or after 60 s. */
function call(dnis, ani, port) {
  const scenario = `${process.env.DATA}/uac.xml`
  writeFileSync(scenario, `<?xml version="1.0"?><scenario name="citizen">
<send retrans="500"><![CDATA[
INVITE sip:${dnis}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:${ani}@[local_ip]>;tag=[call_number]
To: <sip:${dnis}@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:${ani}@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
]]></send>
<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:${ani}@[local_ip]>;tag=[call_number]
To: <sip:${dnis}@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<nop><action><exec rtp_stream="${process.env.DATA}/voice.al,-1,8"/></action></nop>
<recv request="BYE" timeout="60000"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>`)
  // A-law of a 400 Hz tone, 1 s long, repeated by sipp.
  writeFileSync(`${process.env.DATA}/voice.al`, Buffer.from(Array.from({ length: 8000 }, (_, i) => alaw(Math.round(8000 * Math.sin((2 * Math.PI * 400 * i) / 8000))))))
  const p = spawn('sipp', [sip, '-sf', scenario, '-m', '1', '-i', '127.0.0.1', '-p', String(port), '-mp', String(port + 20), '-timeout', '90s', '-nostdin'], { stdio: 'ignore' })
  return { ended: new Promise((done) => p.on('exit', done)), kill: () => p.kill() }
}
function alaw(s) {
  const sign = s < 0 ? 0 : 0x80
  let v = Math.min(32635, Math.abs(s))
  let exp = 7
  for (let mask = 0x4000; exp > 0 && !(v & mask); mask >>= 1) exp--
  const mant = exp === 0 ? v >> 4 : v >> (exp + 3)
  return (sign | (exp << 4) | (mant & 0x0f)) ^ 0x55
}

const browser = await open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'])
const agent = await enter(browser, account('agent'), desktop)
await agent.context().grantPermissions(['microphone'], { origin: new URL(base).origin }).catch(() => {})
// The page's own connections, to read what was lost on the way.
await agent.addInitScript(() => {
  window.pcs = []
  const Own = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Own {
    constructor(...a) {
      super(...a)
      window.pcs.push(this)
    }
  }
})
const bar = agent.getByRole('region', { name: '电话' })
const lead = await enter(browser, account('shift_lead'), desktop)
/** inDialog writes into the one field of the open dialog, unless it is filled, and submits it. */
async function inDialog(title, text, button) {
  const dialog = agent.getByRole('dialog', { name: title })
  await dialog.waitFor({ timeout: 5000 })
  if (text) await dialog.getByRole('textbox').fill(text)
  await shot(agent, `phone-ask-${button === '催办' ? 'urge' : 'add'}-1600`)
  await dialog.getByRole('button', { name: new RegExp('^' + button) }).click()
  await dialog.waitFor({ state: 'hidden', timeout: 5000 }).catch(() => {})
}
const port = Number(process.env.SIPP_PORT ?? 15910)

// 签入：语音通道接通，就绪
{
  await agent.goto(base + '/console/desk')
  await bar.waitFor({ timeout: 15_000 })
  const up = await agent.waitForFunction(() => window.pcs.some((p) => p.connectionState === 'connected'), null, { timeout: 15_000 }).then(() => true, () => false)
  check(up, '语音通道接通')
  await settle(agent)
  await bar.getByRole('button', { name: '就绪', exact: true }).click()
  check(await bar.getByText('就绪', { exact: false }).first().waitFor({ timeout: 5000 }).then(() => true, () => false), '就绪')
  await shot(agent, 'phone-ready-1600')
}

// 来电：弹屏写明线路、归属和派给您的理由；接听后草稿打开、号码填好
{
  // 诉求人还有一件在办工单，由别的座席受理
  const theirs = (await api(lead, 'POST', '/api/v1/tickets', {
    type: '投诉', title: '珞喻路夜间施工噪声扰民', content: '珞喻路一处工地连续几晚施工到凌晨，请核查处理。', region: '420111', phone: '13871234567', points: [{ text: '停止夜间施工' }],
  })).body
  const citizen = call('12345', '13871234567', port)
  const pop = agent.getByRole('alert', { name: '来电' })
  check(await pop.waitFor({ timeout: 20_000 }).then(() => true, () => false), '来电弹屏')
  const said = await pop.innerText().catch(() => '')
  check(/138\*+4567/.test(said) && /派给您/.test(said), '弹屏有掩码号码和理由：' + said.replace(/\s+/g, ' ').slice(0, 120))
  await shot(agent, 'phone-ringing-1600')
  check((await axe(agent)).length === 0, '弹屏无障碍：' + (await axe(agent)).join('；'))

  // 别的座席受理的只列标题；诉求人要求催办，就能催办
  const line = pop.getByRole('listitem').filter({ hasText: '珞喻路夜间施工噪声扰民' })
  if (check(await line.waitFor({ timeout: 5000 }).then(() => true, () => false), '弹屏列出在办工单')) {
    check(await line.getByRole('button', { name: /珞喻路/ }).isDisabled(), '别的座席受理的打不开')
    await line.getByRole('button', { name: '催办' }).click()
    await inDialog(/^催办：/, '诉求人说昨晚又施工到两点。', '催办')
    check(await agent.getByText('已催办，这是第1次。').waitFor({ timeout: 5000 }).then(() => true, () => false), '替诉求人催办')
  }
  await agent.keyboard.press('F2')
  await bar.getByRole('button', { name: /^挂机/ }).waitFor({ timeout: 10_000 })
  const filled = await agent.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === '13871234567'), null, { timeout: 10_000 }).then(() => true, () => false)
  check(filled, '接听后号码填入表单')
  await agent.getByLabel('诉求内容').first().fill('来电反映关山大道路灯不亮，夜间出行不便，请尽快维修。')
  const panel = agent.getByRole('region', { name: '诉求人' })
  await shot(agent, 'phone-caller-1600')
  await panel.getByRole('listitem').filter({ hasText: '珞喻路' }).getByRole('button', { name: '合并到该件' }).click()
  await inDialog(/^补充：/, '', '补充')
  check(await agent.getByText('通话和录音已并入该工单').waitFor({ timeout: 5000 }).then(() => true, () => false), '替诉求人补充，通话并入')
  const kept = (await api(lead, 'GET', `/api/v1/tickets/${theirs.id}`)).body
  check(kept.flags?.includes('催办1'), '原工单催办一次：' + kept.flags)
  check((await api(agent, 'POST', `/api/v1/tickets/${theirs.id}/actions/urge`, { note: '再催。' })).status === 404, '不经来电，别人的工单碰不到')
  const stats = await until(() => agent.evaluate(async () => {
    for (const p of window.pcs) if (p.connectionState === 'connected') for (const s of (await p.getStats()).values()) if (s.type === 'inbound-rtp' && s.kind === 'audio' && s.packetsReceived > 100) return { got: s.packetsReceived, lost: s.packetsLost }
    return null
  }))
  check(stats && stats.got > 100 && stats.lost === 0, '听到诉求人，没有丢包：' + JSON.stringify(stats))
  await shot(agent, 'phone-talking-1600')
  await agent.setViewportSize(laptop)
  await shot(agent, 'phone-talking-1366')
  check((await agent.evaluate(() => document.documentElement.scrollWidth <= innerWidth)), '1366 宽没有横向滚动')
  check((await axe(agent)).length === 0, '通话中无障碍')
  await agent.setViewportSize(desktop)

  // 打字时功能键照样管电话
  await agent.getByLabel('诉求内容').first().focus()
  await agent.keyboard.press('F6')
  check(await bar.getByRole('button', { name: /^恢复/ }).waitFor({ timeout: 5000 }).then(() => true, () => false), '保持')
  await agent.keyboard.press('F6')
  await bar.getByRole('button', { name: /^保持/ }).waitFor({ timeout: 5000 })
  await agent.keyboard.press('F8')
  const transfer = agent.getByRole('dialog', { name: /转接/ })
  check(await transfer.getByRole('heading', { name: /^紧急电话/ }).waitFor({ timeout: 5000 }).then(() => true, () => false), '转接目标分类列出')
  await shot(agent, 'phone-transfer-1600')
  await agent.keyboard.press('Escape')
  await transfer.waitFor({ state: 'hidden' })

  // 班长墙：通话中的座席在墙上，能监听
  await lead.goto(base + '/console/wall')
  check(await lead.getByText('通话中').first().waitFor({ timeout: 15_000 }).then(() => true, () => false), '班长墙看到通话')
  await settle(lead)
  await shot(lead, 'wall-1600')
  check((await axe(lead)).length === 0, '班长墙无障碍：' + (await axe(lead)).join('；'))
  for (const path of ['calls/records', 'calls/callbacks', 'calls/transfers', 'calls/figures', 'calls/special', 'calls/leader', 'lines', 'roster']) {
    await lead.goto(`${base}/console/${path}`)
    await settle(lead)
    await shot(lead, path.replace('/', '-') + '-1600')
    const faults = await axe(lead)
    check(faults.length === 0, `${path} 无障碍：${faults.join('；')}`)
    check(!(await lead.getByText('没有读到').count()), `${path} 读到了`)
  }
  check(lead.errors.length === 0, '班长的页面没有脚本错误：' + lead.errors.slice(0, 3).join(' | '))

  await agent.keyboard.press('F4')
  check(await bar.getByRole('button', { name: '结束话后' }).waitFor({ timeout: 15_000 }).then(() => true, () => false), '挂机后话后计时')
  await shot(agent, 'phone-acw-1600')
  await bar.getByRole('button', { name: '结束话后' }).click()

  // 话单与录音：话单在通话结束后写定
  await Promise.race([citizen.ended, new Promise((r) => setTimeout(r, 60_000))]) // the survey waits for keys
  await lead.goto(base + '/console/calls/records')
  await until(async () => {
    const talked = (await api(lead, 'GET', '/api/v1/calls?direction=in&limit=20')).body.items.find((c) => c.talk_ms > 0 && /^138\*+4567$/.test(c.number))
    return talked && (await api(lead, 'GET', '/api/v1/calls/' + talked.id)).body.recordings?.[0]?.ready
  }, 30_000, 1000)
  await lead.getByRole('row').filter({ hasText: '已接听' }).getByRole('button', { name: /138\*+4567/ }).first().click()
  const listen = lead.getByRole('button', { name: /收听/ }).first()
  if (check(await listen.waitFor({ timeout: 10_000 }).then(() => true, () => false), '录音归档后可以收听')) {
    await listen.click()
    const plays = await lead.waitForFunction(() => [...document.querySelectorAll('audio')].some((a) => a.duration > 3 && a.currentTime > 0.2), null, { timeout: 10_000 }).then(() => true, () => false)
    check(plays, '录音能放出来')
    await shot(lead, 'call-detail-1600')
  }
  citizen.kill()
  const row = (await api(lead, 'GET', '/api/v1/calls?direction=in&limit=1')).body.items[0]
  check(row.result === 'answered' && row.seat !== '0', '话单：已接听，座席在案')
}
check(agent.errors.length === 0, '座席的页面没有脚本错误：' + agent.errors.slice(0, 3).join(' | '))
await browser.close()
finish()
