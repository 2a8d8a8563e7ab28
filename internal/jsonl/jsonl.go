// Package jsonl reads and writes streams of JSON lines, the form in which
// commands take corpora and queries and answer them. It never holds a stream in
// memory. Rooms that answer files without a database use it.
package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"hotline/internal/fault"
)

// maxLine bounds a line, in bytes.
const maxLine = 16 << 20

// Each hands fn the rows of a stream that are not blank; valid says whether a
// row has what it needs, such as an id. name is what messages call the stream.
//
// Errors: invalid jsonl_invalid (not an object, or not valid) and
// jsonl_too_long, both naming the line; unavailable jsonl_unreadable; and
// whatever fn returns, which ends the reading.
func Each[T any](r io.Reader, name string, valid func(T) bool, fn func(T) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for sc.Scan() {
		n++
		line := bytes.TrimSpace(bytes.TrimPrefix(sc.Bytes(), []byte("\xef\xbb\xbf")))
		if len(line) == 0 {
			continue
		}
		var row T
		if err := json.Unmarshal(line, &row); err != nil || !valid(row) {
			return fault.Invalid("jsonl_invalid", "%s第%d行不是有效的 JSON 对象，或缺少 id。", name, n).Because(err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	switch err := sc.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fault.Invalid("jsonl_too_long", "%s第%d行超过%d兆字节。", name, n+1, maxLine>>20).Because(err)
	case err != nil:
		return fault.Unavailable("jsonl_unreadable", "%s读取失败，请检查文件是否完整。", name).Because(err)
	}
	return nil
}

// Writer encodes one answer a line, with <, > and & as they are; flush at the end.
func Writer(out io.Writer) (enc *json.Encoder, flush func() error) {
	w := bufio.NewWriter(out)
	enc = json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc, w.Flush
}
