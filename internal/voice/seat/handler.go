package seat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/flow"
)

// Exchange is what carries a centre's calls: our own, or a foreign one (cti).
type Exchange interface {
	// Open brings a person to a seat; push is called in order and must not block.
	// It fails with seat_role for who has none.
	Open(ctx context.Context, a access.Actor, push func(flow.Message)) (Desk, error)
	// Watched gives a signal for each change, until cancel.
	Watched() (ch <-chan struct{}, cancel func())
	Queueing(a access.Actor) (waiting int, since int64)
	Wall(ctx context.Context, a access.Actor) (flow.Wall, error)
	// Seats are the seats on duty of the person's centre.
	Seats(a access.Actor) []flow.WallSeat
}

// Desk is one page at its seat.
type Desk interface {
	// Do carries out a command; sdp answers an offer. It fails with
	// command_unknown for what the exchange cannot do.
	Do(ctx context.Context, c *Command) (sdp string, err error)
	Close(ctx context.Context)
}

// Handler serves /seat/ws.
type Handler struct {
	Exchange func(a access.Actor) Exchange // of a person's centre; nil while none is configured
	// Login finds who makes the request, from the session's cookie or token; used
	// says that the session is in use by it.
	Login func(ctx context.Context, r *http.Request, used bool) (access.Actor, error)
	Clock clock.Clock
}

// Protocol is the subprotocol of the seat's wire.
const Protocol = "hotline"

// Why a connection was closed; 4000 and above are ours.
const (
	closeLogin    websocket.StatusCode = 4401 // the session has ended
	closeRole     websocket.StatusCode = 4403 // no seat for this role
	closeSlow     websocket.StatusCode = 4408 // the page does not read
	closeNoVoice  websocket.StatusCode = 4503 // no exchange
	maxMessage                         = 64 << 10
	backlog                            = 512
	pingEvery                          = 10 * time.Second
	sessionEvery                       = 30 * time.Second
	wallEvery                          = time.Second
	commandWithin                      = 10 * time.Second
)

// Command is what a page asks. Cmd says which fields count.
type Command struct {
	ID     int64  `json:"id"`
	Cmd    string `json:"cmd"`
	Call   int64  `json:"call,omitempty,string"`
	Ticket int64  `json:"ticket,omitempty,string"`
	On     bool   `json:"on,omitempty"`
	Target string `json:"target,omitempty"`
	Reason string `json:"reason,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Flag   string `json:"flag,omitempty"`
	SDP    string `json:"sdp,omitempty"`
	User   string `json:"user,omitempty"`
}

// Reply answers one command.
type Reply struct {
	Type string `json:"type"` // reply
	ID   int64  `json:"id"`
	OK   bool   `json:"ok"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
	SDP  string `json:"sdp,omitempty"`
}

// queueMessage tells every seat how long callers wait at its centre.
type queueMessage struct {
	Type    string `json:"type"` // queue
	Waiting int    `json:"waiting"`
	Since   int64  `json:"since"` // when the longest of them began to wait, ms UTC, 0 = nobody waits
}

// wallMessage carries the wall to those who watch it.
type wallMessage struct {
	Type string    `json:"type"` // wall
	Wall flow.Wall `json:"wall"`
}

// conn is one page.
type conn struct {
	h     *Handler
	ws    *websocket.Conn
	out   chan any
	slow  context.CancelCauseFunc
	actor access.Actor
	x     Exchange
	desk  Desk
	wall  chan bool
	state atomic.Value // acd.SeatState of the seat, as the page was told
}

var errSlow = errors.New("seat: the page does not read")

// ServeHTTP upgrades a logged-in request and serves it until either side leaves.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	actor, err := h.Login(r.Context(), r, true)
	// Refuses pages of other sites. A browser's socket carries no header: a tab
	// with a session of its own names its token as a second subprotocol.
	ws, uerr := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{Protocol}})
	if uerr != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxMessage)
	if err != nil {
		ws.Close(closeLogin, fault.As(err).Code)
		return
	}
	x := h.Exchange(actor)
	if x == nil {
		ws.Close(closeNoVoice, "voice_absent")
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	c := &conn{h: h, ws: ws, out: make(chan any, backlog), slow: cancel, actor: actor, x: x, wall: make(chan bool, 1)}
	if c.desk, err = x.Open(ctx, actor, c.tell); err != nil {
		if !c.seesWall() {
			ws.Close(closeRole, fault.As(err).Code)
			return
		}
	} else {
		defer c.desk.Close(context.WithoutCancel(ctx))
	}
	go c.write(ctx)
	go c.watch(ctx, r)
	c.read(ctx)
	if errors.Is(context.Cause(ctx), errSlow) {
		ws.Close(closeSlow, "slow")
	}
}

// seesWall tells whether the person may watch a centre; 省级 and 领导 do so
// without a seat.
func (c *conn) seesWall() bool { return c.actor.May(access.Listen) || c.actor.May(access.Stats) }

// tell passes a message of the exchange to the page.
func (c *conn) tell(m flow.Message) {
	if m.Type == "hello" || m.Type == "state" {
		c.state.Store(m.State)
	}
	c.send(m)
}

// on tells whether the seat is in one of the states.
func (c *conn) on(states ...acd.SeatState) bool {
	now, _ := c.state.Load().(acd.SeatState)
	return slices.Contains(states, now)
}

// send queues a message; a page that does not read is cut off and comes back.
func (c *conn) send(m any) {
	select {
	case c.out <- m:
	default:
		c.slow(errSlow)
	}
}

// write sends what is queued and pings, so that a dead line is noticed.
func (c *conn) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.out:
			b, err := json.Marshal(m)
			if err != nil || c.timely(ctx, func(ctx context.Context) error { return c.ws.Write(ctx, websocket.MessageText, b) }) != nil {
				c.slow(errSlow)
				return
			}
		case <-c.h.Clock.After(pingEvery):
			if c.timely(ctx, c.ws.Ping) != nil {
				c.slow(errSlow)
				return
			}
		}
	}
}

func (c *conn) timely(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	return fn(ctx)
}

// watch ends the connection with its session, and draws the wall at most once
// a second for those who asked for it.
func (c *conn) watch(ctx context.Context, r *http.Request) {
	changed, cancel := c.x.Watched()
	defer cancel()
	on, dirty := false, true
	var told queueMessage
	session := c.h.Clock.After(sessionEvery)
	draw := c.h.Clock.After(wallEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case on = <-c.wall:
			dirty = true
		case <-changed:
			dirty = true
		case <-draw:
			draw = c.h.Clock.After(wallEvery)
			if !dirty {
				continue
			}
			dirty = false
			if c.desk != nil {
				n, since := c.x.Queueing(c.actor)
				if q := (queueMessage{"queue", n, since}); q != told {
					told = q
					c.send(q)
				}
			}
			if !on {
				continue
			}
			if w, err := c.x.Wall(ctx, c.actor); err == nil {
				c.send(wallMessage{"wall", w})
			}
		case <-session:
			session = c.h.Clock.After(sessionEvery)
			// A seat that waits for calls or has one is at work, whatever its hands do;
			// a call is not cut because the day's session is over.
			_, err := c.h.Login(ctx, r, c.on(acd.Ready, acd.Ringing, acd.Talking, acd.Wrap))
			if err != nil && !(fault.Is(err, "session_expired") && c.on(acd.Talking)) {
				c.ws.Close(closeLogin, fault.As(err).Code)
				c.slow(err)
				return
			}
		}
	}
}

// read does commands one after the other until the page leaves.
func (c *conn) read(ctx context.Context) {
	for {
		_, b, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		var in Command
		if err := json.Unmarshal(b, &in); err != nil {
			c.send(Reply{Type: "reply", ID: in.ID, Code: "command_invalid", Text: "指令格式不对。"})
			continue
		}
		out := Reply{Type: "reply", ID: in.ID, OK: true}
		err = c.timely(ctx, func(ctx context.Context) (err error) {
			out.SDP, err = c.do(context.WithoutCancel(ctx), &in)
			return err
		})
		if err != nil {
			f := fault.As(err)
			out.OK, out.Code, out.Text = false, f.Code, f.Detail
		}
		c.send(out)
	}
}

// do carries a command to the desk.
func (c *conn) do(ctx context.Context, in *Command) (sdp string, err error) {
	switch in.Cmd {
	case "ping":
		return "", nil
	case "wall":
		if in.On && !c.seesWall() {
			return "", fault.Forbidden("role_forbidden", "您的岗位没有班长墙。")
		}
		select {
		case c.wall <- in.On:
		default:
		}
		return "", nil
	}
	if c.desk == nil {
		return "", fault.Forbidden("seat_role", "您的岗位没有话务席位。")
	}
	return c.desk.Do(ctx, in)
}
