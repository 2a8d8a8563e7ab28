// @vitest-environment node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

test('首页的每个入口都写明做什么', () => {
  const keys = [...read('internal/access/menu.go').matchAll(/\{Menu\{"(\w+)"|\{Menu: Menu\{"(\w+)"/g)].map((m) => m[1] ?? m[2]).filter((k) => k !== 'home')
  const told = read('web/src/views/home/Doors.vue')
  expect(keys.length).toBeGreaterThan(20)
  expect(keys.filter((k) => !new RegExp(`\\b${k}: '`).test(told))).toEqual([])
})
