package media

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"hotline/internal/clock"
)

// How long a client bears the exchange being away: a killed one is back within
// a second, with its calls.
const (
	commandPatience = 3 * time.Second
	eventPatience   = 10 * time.Second
	retryEvery      = 50 * time.Millisecond
)

// Client is the exchange behind a socket. It connects when it is used and again
// when the connection breaks; commands are idempotent, so one whose reply was
// lost is said again.
type Client struct {
	path string
	clk  clock.Clock

	mu   sync.Mutex
	link *link
	next uint64
}

var _ Engine = (*Client)(nil)

// NewClient makes the client of the socket at path.
func NewClient(path string, clk clock.Clock) *Client { return &Client{path: path, clk: clk} }

// Close ends the command connection.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.conn.Close()
		c.link = nil
	}
}

// link is one command connection.
type link struct {
	*lines
	mu      sync.Mutex
	waiting map[uint64]chan reply
	err     error
}

func away(err error) error {
	return &Error{Code: CodeAway, Text: "交换机没有应答：" + err.Error()}
}

// open makes a connection of one kind.
func (c *Client) open(ctx context.Context, h hello) (*lines, welcome, error) {
	var w welcome
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.path)
	if err != nil {
		return nil, w, away(err)
	}
	l := newLines(conn)
	if err = l.write(h); err == nil {
		err = l.read(&w)
	}
	if err != nil {
		conn.Close()
		return nil, w, away(err)
	}
	if w.Error != nil {
		conn.Close()
		return nil, w, w.Error
	}
	return l, w, nil
}

func isAway(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == CodeAway
}

// connected is the command connection, opened when there is none.
func (c *Client) connected(ctx context.Context) (*link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		return c.link, nil
	}
	l, _, err := c.open(ctx, hello{Open: "commands"})
	if err != nil {
		return nil, err
	}
	k := &link{lines: l, waiting: map[uint64]chan reply{}}
	c.link = k
	go c.listen(k)
	return k, nil
}

// listen hands replies out until the connection breaks.
func (c *Client) listen(k *link) {
	for {
		var r reply
		if err := k.read(&r); err != nil {
			k.mu.Lock()
			k.err = away(err)
			for id, w := range k.waiting {
				delete(k.waiting, id)
				close(w)
			}
			k.mu.Unlock()
			k.conn.Close()
			c.mu.Lock()
			if c.link == k {
				c.link = nil
			}
			c.mu.Unlock()
			return
		}
		k.mu.Lock()
		w := k.waiting[r.ID]
		delete(k.waiting, r.ID)
		k.mu.Unlock()
		if w != nil {
			w <- r
		}
	}
}

// call says a command until it is answered.
func (c *Client) call(ctx context.Context, do string, a args, out any) error {
	until := c.clk.Now().Add(commandPatience)
	for {
		err := c.once(ctx, do, a, out)
		if !isAway(err) || c.clk.Now().After(until) {
			return err
		}
		if e := c.clk.Sleep(ctx, retryEvery); e != nil {
			return err
		}
	}
}

func (c *Client) once(ctx context.Context, do string, a args, out any) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	k, err := c.connected(ctx)
	if err != nil {
		return err
	}
	w := make(chan reply, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	c.mu.Unlock()
	k.mu.Lock()
	if err = k.err; err == nil {
		k.waiting[id] = w
		if err = k.write(request{ID: id, Do: do, Args: raw}); err != nil {
			delete(k.waiting, id)
			err = away(err)
		}
	}
	k.mu.Unlock()
	if err != nil {
		k.conn.Close()
		return err
	}
	select {
	case r, ok := <-w:
		switch {
		case !ok:
			return away(io.ErrUnexpectedEOF)
		case r.Error != nil:
			return r.Error
		case out != nil:
			return json.Unmarshal(r.Out, out)
		}
		return nil
	case <-ctx.Done():
		k.mu.Lock()
		delete(k.waiting, id)
		k.mu.Unlock()
		return ctx.Err()
	}
}

// Events is Engine: it goes on over broken connections while the same exchange
// lives; a restarted one closes the channel.
func (c *Client) Events(ctx context.Context, from uint64) (<-chan Event, error) {
	l, w, err := c.open(ctx, hello{Open: "events", From: from})
	if err != nil {
		return nil, err
	}
	out := make(chan Event, 64)
	go func() {
		defer close(out)
		for l != nil {
			from = c.stream(ctx, l, from, out)
			l = c.again(ctx, w.Born, &from)
		}
	}()
	return out, nil
}

// stream passes events on until the connection breaks or ctx ends; it returns
// the last number.
func (c *Client) stream(ctx context.Context, l *lines, from uint64, out chan<- Event) uint64 {
	defer context.AfterFunc(ctx, func() { l.conn.Close() })()
	defer l.conn.Close()
	for {
		var e Event
		if l.read(&e) != nil {
			return from
		}
		select {
		case out <- e:
			from = e.Seq
		case <-ctx.Done():
			return from
		}
	}
}

// again connects once more, nil when there is no going on.
func (c *Client) again(ctx context.Context, born int64, from *uint64) *lines {
	until := c.clk.Now().Add(eventPatience)
	for ctx.Err() == nil && c.clk.Now().Before(until) {
		l, _, err := c.open(ctx, hello{Open: "events", From: *from, Born: born})
		if err == nil {
			return l
		}
		if !isAway(err) || c.clk.Sleep(ctx, retryEvery) != nil {
			return nil
		}
	}
	return nil
}

// Tap is Engine.
func (c *Client) Tap(ctx context.Context, leg Leg) (io.ReadCloser, error) {
	l, _, err := c.open(ctx, hello{Open: "tap", Leg: leg})
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{l.in, l.conn}, nil
}
