import { describe, expect, it } from 'vitest'
import { diffLines, linesOf, splitHits, treeOf } from './model'

describe('知识条目', () => {
  it('正文按小标题、列项、依据分段', () => {
    expect(linesOf('一、条件\n1. 本省户籍\n- 身份证\n\n> 条例\n普通一段').map((l) => l.kind)).toEqual(['head', 'item', 'item', 'quote', 'text'])
  })
  it('版本差异只标出变的行', () => {
    expect(diffLines('甲\n7个工作日\n乙', '甲\n5个工作日\n乙').map((d) => `${d.kind}:${d.text}`)).toEqual(['same:甲', 'del:7个工作日', 'add:5个工作日', 'same:乙'])
    expect(diffLines('甲', '甲').every((d) => d.kind === 'same')).toBe(true)
  })
  it('目录可以是树，也可以是带斜线的路径', () => {
    const t = treeOf([{ path: '公安/户政', count: 3 }, { path: '公安/出入境', count: 2 }, { path: '教育', count: 4 }])
    expect(t.map((n) => [n.name, n.count, n.children.length])).toEqual([['公安', 5, 2], ['教育', 4, 0]])
    expect(treeOf([{ path: 'a', name: 'a', count: 1, children: [{ path: 'a/b', name: 'b', count: 1, children: [] }] }])[0].children[0].path).toBe('a/b')
  })
  it('搜索词标出，特殊字符不出错', () => {
    expect(splitHits('窗口（综合）办理', '（综合').filter((s) => s.hit).map((s) => s.text)).toEqual(['（综合'])
  })
})
