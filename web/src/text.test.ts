// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// Every text that people read, wherever it is written: the console, the citizen site, the messages of the server.
// Punctuation is full-width after Chinese, a notion has one word (docs/glossary.md), and no code or machine time shows.

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

function files(dir: string, fits: RegExp): string[] {
  return readdirSync(root + dir, { recursive: true, encoding: 'utf8' }).map((f) => `${dir}/${f}`).filter((f) => fits.test(f) && !/node_modules|[._]test\.(ts|go)$/.test(f))
}

interface Text {
  at: string
  text: string
}
const CHINESE = /[\u4e00-\u9fff]/

/** Blanks out comments but keeps the lines, so that a fault can be found. */
const blank = (s: string) => s.replace(/[^\n]/g, ' ')

function literals(path: string, source: string, quotes: RegExp): Text[] {
  const out: Text[] = []
  const tokens = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g
  for (const m of source.matchAll(tokens)) {
    if (!quotes.test(m[0][0]) || !CHINESE.test(m[0])) continue
    const line = source.slice(0, m.index).split('\n').length
    out.push({ at: `${path}:${line}`, text: m[0].slice(1, -1).replace(/\$\{[^}]*\}/g, '8') })
  }
  return out
}
/** The words between the tags and in the attributes that are read out. */
function markup(path: string, source: string): Text[] {
  const out: Text[] = []
  const plain = source.replace(/<!--[\s\S]*?-->/g, blank).replace(/<(script|style)[\s\S]*?<\/\1>/g, blank).replace(/\{\{[\s\S]*?\}\}/g, (m) => '8' + blank(m.slice(1)))
  for (const m of plain.matchAll(/>([^<>]*)|\s(?:title|alt|placeholder|label|aria-label)="([^"]*)"/g)) {
    const text = (m[1] ?? m[2] ?? '').trim()
    if (CHINESE.test(text)) out.push({ at: `${path}:${plain.slice(0, m.index).split('\n').length}`, text })
  }
  return out
}

function texts(): Text[] {
  const out: Text[] = []
  for (const f of files('web/src', /\.(vue|ts)$/)) {
    const source = read(f)
    if (f.endsWith('.vue')) {
      const script = /<script[^>]*>([\s\S]*?)<\/script>/.exec(source)
      const template = /<template>([\s\S]*)<\/template>/.exec(source)
      if (script) out.push(...literals(f, blank(source.slice(0, script.index)) + script[0].replace(/<\/?script[^>]*>/g, blank), /['"`]/))
      if (template) {
        const html = blank(source.slice(0, template.index)) + template[0]
        out.push(...markup(f, html))
        for (const m of html.matchAll(/\{\{([\s\S]*?)\}\}|\s(?::|@|v-)[\w.:-]+="([^"]*)"/g)) out.push(...literals(`${f}:${html.slice(0, m.index).split('\n').length}`, m[1] ?? m[2] ?? '', /['`]/))
      }
    } else out.push(...literals(f, source, /['"`]/))
  }
  for (const f of files('internal/citizen/page', /\.html$/)) out.push(...markup(f, read(f)))
  for (const f of files('internal', /\.go$/)) if (!/internal\/(demo|zh)\//.test(f)) out.push(...literals(f, read(f), /["`]/))
  for (const f of files('internal', /\.json$/)) if (!/testdata|\/dist\/|media\/play/.test(f)) out.push(...literals(f, read(f), /"/))
  // A list of words is cut by commas; what holds a full-width mark is a sentence.
  for (const f of files('internal', /\.(tsv|txt)$/)) {
    if (/testdata|internal\/demo\/|media\/play/.test(f)) continue
    read(f).split('\n').forEach((line, i) => out.push(...line.split('\t').filter((cell) => /[，。；]/.test(cell) && !/^[\u4e00-\u9fff]{2,5}: /.test(cell)).map((text) => ({ at: `${f}:${i + 1}`, text }))))
  }
  for (const m of read('internal/ticket/rules.json').matchAll(/"(?:label|help|hint)":\s*"([^"]*)"/g)) out.push({ at: 'internal/ticket/rules.json', text: m[1] })
  return out
}
const all = texts()

/** The words not to use, from the glossary's second table. */
function unwanted(): [string, string][] {
  const table = read('docs/glossary.md').split('## 不用的说法')[1]
  return [...table.matchAll(/^\| ([^|-][^|]*) \| ([^|]+) \|$/gm)].slice(1).flatMap(([, bad, good]) => bad.split('、').map((w): [string, string] => [w.trim(), good.trim()]))
}

const show = (list: Text[]) => list.map((t) => `${t.at}  ${t.text.slice(0, 80)}`)

test('文字读到了', () => expect(all.length).toBeGreaterThan(2000))

// A pattern or a list of marks is not a sentence.
const HALF = /[\u4e00-\u9fff）》”](?:[,;:!?](?![=/\w\\])|\.(?=\s|$|[\u4e00-\u9fff]))|[\u4e00-\u9fff]\((?![?:])|\)[\u4e00-\u9fff]/
const PATTERN = /\(\?|\[\^|\\[dsw]|\|.*\||%\(|\bSELECT\b|\bfunc\b/

test('半角标点查得出', () => {
  for (const bad of ['请填写,再提交', '已派单(洪山区)', '没有了.', '确定吗?']) expect(bad).toMatch(HALF)
  for (const good of ['共8件，12:30前', '第3版（试行）', 'PDF、Excel']) expect(good).not.toMatch(HALF)
})

test('中文之后用全角标点', () => {
  expect(show(all.filter((t) => HALF.test(t.text) && !PATTERN.test(t.text)))).toEqual([])
})

/** How agents begin what they type, cut off from a title; and the words of law that only contain one. */
const PREFIX = /^来电人反映：?$|^\^/
const LAW = /被投诉人|日内结案/g

test('一个意思一个词', () => {
  const words = unwanted()
  expect(words.length).toBeGreaterThan(8)
  const found = all.flatMap((t) => words.filter(([w]) => t.text.replace(LAW, '').includes(w) && !PREFIX.test(t.text)).map(([w, good]) => `${t.at}  “${w}”应为“${good}”：${t.text.slice(0, 60)}`))
  expect(found).toEqual([])
})

test('没有代码和机器写法的时间', () => {
  const code = /(?:[\u4e00-\u9fff，。：（]|^)\s*[a-z]{2,}_[a-z_]{2,}\b|\dT\d\d:\d\d|\b(?:undefined|NaN|null)\b/
  expect(show(all.filter((t) => code.test(t.text) && !/\bSELECT\b|=|\n/.test(t.text)))).toEqual([])
})
