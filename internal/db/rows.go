package db

import (
	"strconv"
	"strings"
	"sync"
)

// maxTogether is how many rows one statement of SendRows carries.
const maxTogether = 16

// SendRows inserts rows with as few statements as it can: head is the statement
// up to VALUES, tail what follows the rows (ON CONFLICT …), args the values of
// all rows one after the other, width of them a row.
func (tx *Tx) SendRows(head, tail string, width int, args []any) error {
	for len(args) > 0 {
		n := min(len(args)/width, maxTogether)
		if err := tx.Send(manyRows(head, tail, n, width), args[:n*width]...); err != nil {
			return err
		}
		args = args[n*width:]
	}
	return nil
}

type rowsKey struct {
	head, tail string
	rows       int
}

var rowTexts sync.Map // rowsKey → statement

func manyRows(head, tail string, rows, width int) string {
	key := rowsKey{head, tail, rows}
	if text, ok := rowTexts.Load(key); ok {
		return text.(string)
	}
	var b strings.Builder
	b.WriteString(head + " VALUES ")
	for i := range rows * width {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%width == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(") " + tail)
	text := b.String()
	rowTexts.Store(key, text)
	return text
}
