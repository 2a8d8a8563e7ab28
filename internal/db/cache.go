package db

import "container/list"

// cacheSize bounds the prepared statements kept by one connection.
const cacheSize = 256

// stmtCache keeps the prepared statements of one connection, the least
// recently used leave first. It is used by one goroutine at a time.
type stmtCache[T any] struct {
	max    int
	byText map[string]*list.Element
	order  list.List // of cached[T], the newest in front
	drop   func(T)
}

type cached[T any] struct {
	text string
	stmt T
}

func newStmtCache[T any](max int, drop func(T)) *stmtCache[T] {
	return &stmtCache[T]{max: max, byText: map[string]*list.Element{}, drop: drop}
}

func (c *stmtCache[T]) get(text string) (stmt T, ok bool) {
	e, ok := c.byText[text]
	if !ok {
		return stmt, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cached[T]).stmt, true
}

func (c *stmtCache[T]) put(text string, stmt T) {
	c.byText[text] = c.order.PushFront(cached[T]{text, stmt})
	for len(c.byText) > c.max {
		c.remove(c.order.Back())
	}
}

func (c *stmtCache[T]) remove(e *list.Element) {
	v := c.order.Remove(e).(cached[T])
	delete(c.byText, v.text)
	c.drop(v.stmt)
}

func (c *stmtCache[T]) clear() {
	for e := c.order.Back(); e != nil; e = c.order.Back() {
		c.remove(e)
	}
}
