package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// wire is one kept-alive connection of the load generator, for one worker. It
// writes a request in one piece and reads the answer by its length: net/http's
// client would use a fifth of the two cores that are measured.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

// wires opens a connection for each of the measurement's workers.
func (w *world) wires() (list []*wire, closeAll func(), err error) {
	closeAll = func() {
		for _, x := range list {
			x.conn.Close()
		}
	}
	for range connections {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		list = append(list, &wire{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)})
	}
	return list, closeAll, nil
}

// call makes one request and gives the answer's body, good until the next.
func (x *wire) call(method, path, token string, body []byte) ([]byte, error) {
	b := append(x.out[:0], method...)
	b = append(append(append(b, ' '), path...), " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "...)
	b = append(b, token...)
	if body != nil {
		b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
	}
	x.out = append(append(b, "\r\n\r\n"...), body...)
	if _, err := x.conn.Write(x.out); err != nil {
		return nil, err
	}
	head, err := x.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(head) < 12 {
		return nil, fmt.Errorf("%s %s：不是应答：%q", method, path, head)
	}
	status, err := strconv.Atoi(string(head[9:12]))
	if err != nil {
		return nil, err
	}
	size := -1
	for {
		line, err := x.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return nil, err
			}
		}
	}
	if size < 0 {
		return nil, fmt.Errorf("%s %s：应答没有长度", method, path)
	}
	if cap(x.body) < size {
		x.body = make([]byte, size)
	}
	if _, err := io.ReadFull(x.in, x.body[:size]); err != nil {
		return nil, err
	}
	if status >= 300 {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, status, x.body[:size])
	}
	return x.body[:size], nil
}

// get reads and drops the answer.
func (x *wire) get(path, token string) error {
	_, err := x.call("GET", path, token, nil)
	return err
}

// post sends a value and reads the answer into another.
func (x *wire) post(path, token string, value, into any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	answer, err := x.call("POST", path, token, raw)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}
