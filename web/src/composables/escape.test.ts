import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passEscape } from './escape'

describe('passEscape', () => {
  let heard: string[]
  const hear = (e: Event) => heard.push((e.target as HTMLElement).id)
  beforeEach(() => {
    heard = []
    document.body.innerHTML = '<div id="dialog" role="dialog"><p id="row"><span class="el-select"><input id="shut" aria-expanded="false"></span></p><span class="el-select"><input id="open" aria-expanded="true"></span><input id="plain"></div>'
    document.addEventListener('keydown', passEscape, true)
    document.getElementById('dialog')!.addEventListener('keydown', hear)
    for (const s of document.querySelectorAll('.el-select')) s.addEventListener('keydown', (e) => e.stopPropagation())
  })
  afterEach(() => document.removeEventListener('keydown', passEscape, true))
  const press = (id: string) => document.getElementById(id)!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))

  it('hands Escape of a shut select to the dialog, once', () => {
    press('shut')
    expect(heard).toEqual(['row'])
  })
  it('leaves Escape of an open list to the select', () => {
    press('open')
    expect(heard).toEqual([])
  })
  it('does not touch other fields', () => {
    press('plain')
    expect(heard).toEqual(['plain'])
  })
})
