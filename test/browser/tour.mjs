// 走一遍闭环：从提交到诉求人自己评价，一步不少；中途刷新、离开再回来接着走；三分钟以内，页面不超出屏幕。
import { base, check, enter, finish, laptop, open, settle, shot, until } from './lib.mjs'

const browser = await open()
const page = await enter(browser, null, laptop)
const step = page.locator('.step')
const place = async () => (await page.locator('.dots .now').innerText()).replace(/[\d\s]/g, '')
/** come opens the tour, or comes back to it, and waits for the step it stands at. */
async function come(how, at) {
  await how()
  await settle(page)
  check(await until(async () => (await place()) === at, 10_000), '回来后仍在“' + at + '”：' + (await place()))
}
const begun = Date.now()
await come(() => page.goto(base + '/console/demo/tour'), '提交')
const seen = []
for (let n = 0; n < 14 && !(await page.locator('.over').count()); n++) {
  const at = await place()
  seen.push(at)
  if (at === '答复') await come(() => page.reload(), at)
  if (at === '办结') await come(async () => (await page.goto(base + '/'), await page.goto(base + '/console/demo/tour')), at)
  check((await page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight))) <= 0, at + '：不超出屏幕')
  const before = await step.innerText()
  await page.getByRole('button', { name: '替我演这一步' }).click()
  check(await until(async () => (await step.innerText()) !== before && !(await page.locator('.is-loading').count()), 15_000), at + '：演完这一步')
}
check(seen.join() === '提交,派单,签收,先行联系,答复,审核,办结,回访,评价', '要素齐全自动受理，其余步步都走：' + seen)
check(/非常满意，网上评价/.test(await step.innerText()), '最后是诉求人自己的评价：' + (await step.innerText()))
check(Date.now() - begun < 180_000, '三分钟以内')
await shot(page, 'tour-end-1366')
check(page.errors.length === 0, '控制台错误：' + page.errors.join('；'))
await browser.close()
console.log('走一遍闭环')
finish()
