package media

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
)

// The socket speaks lines of JSON. A connection says with its first line what it
// is: commands (requests with an id, replies with the same), events (one a line,
// without end) or tap (one line, then A-law).
type hello struct {
	Open string `json:"open"` // commands, events, tap
	From uint64 `json:"from,omitempty"`
	Born int64  `json:"born,omitempty"` // of the exchange that From counts in, 0 = whichever
	Leg  Leg    `json:"leg,omitempty"`
}

type welcome struct {
	Born  int64  `json:"born,omitempty"`
	Error *Error `json:"error,omitempty"`
}

type request struct {
	ID   uint64          `json:"id"`
	Do   string          `json:"do"`
	Args json.RawMessage `json:"args,omitempty"`
}

type reply struct {
	ID    uint64          `json:"id"`
	Out   json.RawMessage `json:"out,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// args are those of every command; each uses its own.
type args struct {
	Leg      Leg           `json:"leg,omitempty"`
	Legs     []Leg         `json:"legs,omitempty"`
	Room     Room          `json:"room,omitempty"`
	Listener Leg           `json:"listener,omitempty"`
	Speaker  Leg           `json:"speaker,omitempty"`
	Gain     float64       `json:"gain,omitempty"`
	Cause    int           `json:"cause,omitempty"`
	Clips    []Clip        `json:"clips,omitempty"`
	Play     *PlayOpts     `json:"play,omitempty"`
	Digits   *Digits       `json:"digits,omitempty"`
	Spec     *Spec         `json:"spec,omitempty"`
	Setup    *Setup        `json:"setup,omitempty"`
	Record   *RecordPolicy `json:"record,omitempty"`
	Rec      string        `json:"rec,omitempty"`
	Pause    bool          `json:"pause,omitempty"`
	Seat     Seat          `json:"seat,omitempty"`
	Offer    string        `json:"offer,omitempty"`
}

// maxLine bounds a line: a set-up of thousands of phones fits.
const maxLine = 8 << 20

// lines reads and writes JSON lines.
type lines struct {
	conn net.Conn
	in   *bufio.Reader
}

func newLines(c net.Conn) *lines { return &lines{c, bufio.NewReaderSize(c, 4096)} }

func (l *lines) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.conn.Write(append(b, '\n'))
	return err
}

var errLine = errors.New("media: line too long")

func (l *lines) read(v any) error {
	var long []byte
	for {
		part, err := l.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if long = append(long, part...); len(long) > maxLine {
				return errLine
			}
			continue
		}
		if err != nil {
			if err == io.EOF && len(long)+len(part) > 0 {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		if long != nil {
			part = append(long, part...)
		}
		return json.Unmarshal(part, v)
	}
}

// asError gives any error the form that crosses the socket.
func asError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return &Error{Code: CodeState, Text: err.Error()}
}
