// 操作手册的插图：对着一个就绪的演示平台重拍 docs/images。界面改了才需要运行，测试不运行它。
//   BASE=http://127.0.0.1:12345 DATA=data/demo node test/browser/manual.mjs [名称…]
import { account, base, enter, laptop, open, phone, settle } from './lib.mjs'
import { fileURLToPath } from 'node:url'

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url))

// 名称、岗位（空为诉求人）、地址、打开后要点的东西、尺寸
const pictures = [
  ['home', 'province', '/console/home'],
  ['desk', 'agent', '/console/desk'],
  ['dispatch', 'dispatcher', '/console/dispatch', 'tbody tr'],
  ['unit', 'handler', '/console/unit', 'tbody tr'],
  ['review', 'unit_lead', '/console/review', 'tbody tr'],
  ['callback', 'callback', '/console/callback', 'tbody tr'],
  ['supervise', 'supervisor', '/console/supervise', 'text=逾期未办结'],
  ['knowledge', 'kb_admin', '/console/knowledge', 'text=/武汉市.*流程|武汉市.*说明|武汉市.*口径/'],
  ['stats', 'leader', '/console/stats'],
  ['admin', 'sysadmin', '/console/admin/catalogue'],
  ['audit', 'auditor', '/console/audit'],
  ['screen', 'leader', '/console/screen'],
  ['tour', '', '/console/demo/tour'],
  ['unit-phone', 'handler', '/console/unit', '', phone],
  ['citizen', '', '/submit', '', phone],
]
const wanted = process.argv.slice(2)

/** drawn waits until nothing is being read and the charts and maps look the same twice in a row; the wall screen's ripple never rests. */
const drawn = (page) => page.waitForFunction(() => {
  const now = [...document.querySelectorAll('canvas')].map((c) => c.toDataURL()).join() + !document.body.innerText.includes('正在读取')
  const same = now.endsWith('true') && now === window.lastDrawn
  window.lastDrawn = now
  return same
}, null, { polling: 600, timeout: 6000 }).catch(() => {})

const browser = await open()
for (const [name, role, path, click, size] of pictures) {
  if (wanted.length && !wanted.includes(name)) continue
  const page = await enter(browser, role ? account(role) : null, size ?? laptop)
  await page.goto(base + path)
  await settle(page)
  await drawn(page)
  const target = click ? page.locator(click).first() : null
  if (target && (await target.count())) {
    await target.click()
    await settle(page)
  }
  // JPEG：文字清楚，每张不到150 kB
  await page.screenshot({ path: images + name + '.jpg', type: 'jpeg', quality: 64 })
  console.log(name, page.errors.join('；'))
  await page.context().close()
}
await browser.close()
