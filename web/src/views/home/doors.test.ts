import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (f: string) => readFileSync(new URL(f, import.meta.url), 'utf8')

test('首页的每个入口都写明做什么', () => {
  const keys = [...read('../../../../internal/access/menu.go').matchAll(/\{Menu: Menu\{"(\w+)"/g)].map((m) => m[1]).filter((k) => k !== 'home')
  const told = read('./Doors.vue')
  expect(keys.length).toBeGreaterThan(20)
  expect(keys.filter((k) => !new RegExp(`\\b${k}: '`).test(told))).toEqual([])
})
