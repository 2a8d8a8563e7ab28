// What the stories of the telephone share: a browser with a microphone, and a seat on duty.
import { account, base, check, desktop, enter, onDuty, open } from './lib.mjs'

/** openPhone starts a browser that has a microphone and plays sound unasked. */
export const openPhone = () => open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'])

/** seen waits for something and tells whether it came. */
export const seen = (locator, timeout = 15_000) => locator.waitFor({ timeout }).then(() => true, () => false)

/** sit opens a page with the telephone and makes the seat ready; page.key finds a button of the bar. */
export async function sit(browser, role, path, { region, viewport = desktop, login } = {}) {
  const page = await enter(browser, login ?? account(role, region), viewport)
  await page.context().grantPermissions(['microphone'], { origin: new URL(base).origin }).catch(() => {})
  await page.goto(base + path)
  page.bar = page.getByRole('region', { name: '电话' })
  page.key = (name) => page.bar.getByRole('button', { name })
  page.pop = page.getByRole('alert', { name: '来电' })
  check(await seen(page.bar), path + ' 有话务条')
  await onDuty(page.bar)
  return page
}

/** ring has a citizen of the demonstration call the seat. */
export async function ring(page, title) {
  await page.key(/来一个电话/).click()
  await page.getByRole('menuitem', { name: title }).click()
  check(await seen(page.pop, 30_000), `${title}：在本席响铃`)
}

/** rest ends the notes of a call. */
export async function rest(page) {
  const notes = page.key(/^结束话后/)
  check(await seen(notes), '话后')
  await notes.click()
}
