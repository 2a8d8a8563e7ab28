package media

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// Serve lets clients on ln drive e until ln closes; then it ends their
// connections and waits for them.
func Serve(ln net.Listener, e Engine) error {
	state, err := e.Snapshot(context.Background())
	if err != nil {
		return err
	}
	s := &server{e: e, born: state.Born, conns: map[net.Conn]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	defer s.wait.Wait()
	defer s.closeAll()
	defer stop()
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("media: %w", err)
		}
		s.add(c)
		s.wait.Go(func() {
			defer s.remove(c)
			s.serve(ctx, newLines(c))
		})
	}
}

// Listen opens the socket for the owner alone, in place of one that a killed
// process left.
func Listen(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("media: %s is in use", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("media: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("media: %w", err)
	}
	return ln, nil
}

type server struct {
	e    Engine
	born int64
	wait sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (s *server) add(c net.Conn) {
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
}

func (s *server) remove(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

func (s *server) serve(ctx context.Context, l *lines) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var h hello
	if l.read(&h) != nil {
		return
	}
	switch h.Open {
	case "commands":
		if l.write(welcome{Born: s.born}) == nil {
			s.commands(ctx, l)
		}
	case "events":
		s.events(ctx, stop, l, h)
	case "tap":
		s.tap(ctx, l, h)
	default:
		_ = l.write(welcome{Error: &Error{Code: CodeState, Text: "未知的连接类型"}})
	}
}

func (s *server) events(ctx context.Context, stop func(), l *lines, h hello) {
	if h.Born != 0 && h.Born != s.born {
		_ = l.write(welcome{Born: s.born, Error: &Error{Code: CodeGap, Text: "交换机已重启"}})
		return
	}
	events, err := s.e.Events(ctx, h.From)
	if l.write(welcome{Born: s.born, Error: asError(err)}) != nil || err != nil {
		return
	}
	go func() { // a client that leaves is seen at once, not at the next event
		_, _ = io.Copy(io.Discard, l.conn)
		stop()
	}()
	w := bufio.NewWriter(l.conn)
	j := json.NewEncoder(w)
	for e := range events {
		err := j.Encode(e)
		if err == nil && len(events) == 0 { // nothing waits: what came together goes together
			err = w.Flush()
		}
		if err != nil {
			break
		}
	}
	stop()
	for range events { // let the follower end
	}
}

func (s *server) tap(ctx context.Context, l *lines, h hello) {
	sound, err := s.e.Tap(ctx, h.Leg)
	if l.write(welcome{Born: s.born, Error: asError(err)}) != nil || err != nil {
		if err == nil {
			sound.Close()
		}
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, l.conn)
		sound.Close()
	}()
	_, _ = io.Copy(l.conn, sound)
	sound.Close()
	l.conn.Close()
}

func (s *server) commands(ctx context.Context, l *lines) {
	w := bufio.NewWriter(l.conn)
	j := json.NewEncoder(w)
	for {
		var q request
		if l.read(&q) != nil {
			return
		}
		r := reply{ID: q.ID}
		out, err := s.do(ctx, q)
		if err == nil && out != nil {
			r.Out, err = json.Marshal(out)
		}
		r.Error = asError(err)
		err = j.Encode(r)
		if err == nil && l.in.Buffered() == 0 { // no command waits: the replies go
			err = w.Flush()
		}
		if err != nil {
			return
		}
	}
}

func (s *server) do(ctx context.Context, q request) (any, error) {
	var a args
	if len(q.Args) > 0 {
		if err := json.Unmarshal(q.Args, &a); err != nil {
			return nil, err
		}
	}
	e := s.e
	switch {
	case q.Do == "snapshot":
		return e.Snapshot(ctx)
	case q.Do == "setup" && a.Setup != nil:
		return nil, e.Setup(ctx, *a.Setup)
	case q.Do == "ring":
		return nil, e.Ring(ctx, a.Leg)
	case q.Do == "answer":
		return nil, e.Answer(ctx, a.Leg)
	case q.Do == "reject":
		return nil, e.Reject(ctx, a.Leg, a.Cause)
	case q.Do == "dial" && a.Spec != nil:
		return nil, e.Dial(ctx, *a.Spec)
	case q.Do == "hangup":
		return nil, e.Hangup(ctx, a.Leg, a.Cause)
	case q.Do == "referred":
		return nil, e.Referred(ctx, a.Leg, a.Cause)
	case q.Do == "play" && a.Play != nil:
		return nil, e.Play(ctx, a.Leg, a.Clips, *a.Play)
	case q.Do == "stop":
		return nil, e.StopPlay(ctx, a.Leg)
	case q.Do == "collect" && a.Digits != nil:
		return nil, e.Collect(ctx, a.Leg, *a.Digits)
	case q.Do == "mix":
		return nil, e.Mix(ctx, a.Room, a.Legs...)
	case q.Do == "join":
		return nil, e.Join(ctx, a.Room, a.Leg)
	case q.Do == "leave":
		return nil, e.Leave(ctx, a.Room, a.Leg)
	case q.Do == "hears":
		return nil, e.Hears(ctx, a.Room, a.Listener, a.Speaker, a.Gain)
	case q.Do == "record" && a.Record != nil:
		return nil, e.Record(ctx, a.Room, *a.Record)
	case q.Do == "pause":
		return nil, e.Pause(ctx, a.Rec, a.Pause)
	case q.Do == "connect":
		return e.Connect(ctx, a.Seat, a.Offer)
	case q.Do == "disconnect":
		return nil, e.Disconnect(ctx, a.Seat)
	}
	return nil, &Error{Code: CodeState, Text: "交换机没有命令 " + q.Do}
}
