package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
)

// exchange is the process that is measured, and the platform that drives it.
type exchange struct {
	o      options
	dir    string
	cmd    *exec.Cmd
	client *media.Client
	stop   context.CancelFunc

	mu    sync.Mutex
	wants map[string]chan media.Event // by kind and leg, or kind and caller
}

func startExchange(o options) (*exchange, error) {
	dir, err := os.MkdirTemp("", "hotline-voice-")
	if err != nil {
		return nil, err
	}
	x := &exchange{o: o, dir: dir, wants: map[string]chan media.Event{}}
	if err := x.start(); err != nil {
		x.close()
		return nil, err
	}
	x.client = media.NewClient(filepath.Join(dir, "voice", "media.sock"), clock.System())
	if err := x.client.Setup(context.Background(), media.Setup{Trunks: []media.Trunk{{Name: "carrier", Address: x.carrierAddr(), Allow: []string{"127.0.0.0/8"}}}}); err != nil {
		x.close()
		return nil, err
	}
	return x, x.follow()
}

// Both have loopback addresses of their own, so that whole ranges of ports are
// free whatever else runs here.
const (
	exchangeIP = "127.0.77.1"
	carrierIP  = "127.0.77.2"
)

func (x *exchange) addr() string        { return fmt.Sprintf("%s:%d", exchangeIP, x.o.port) }
func (x *exchange) carrierAddr() string { return fmt.Sprintf("%s:%d", carrierIP, x.o.port+1) }

func (x *exchange) start() error {
	x.cmd = exec.Command(x.o.binary, "media", "--suite", x.o.suite, "--data", x.dir, "--sip", x.addr(), "--rtp", "20000-29999", "--web", fmt.Sprintf("%s:%d", exchangeIP, x.o.port+2))
	x.cmd.Stderr = os.Stderr
	return x.cmd.Start()
}

func (x *exchange) close() {
	if x.stop != nil {
		x.stop()
	}
	if x.client != nil {
		x.client.Close()
	}
	if x.cmd != nil && x.cmd.Process != nil {
		_ = x.cmd.Process.Kill()
		_ = x.cmd.Wait()
	}
	os.RemoveAll(x.dir)
}

// follow hands events to whoever waits for them.
func (x *exchange) follow() error {
	if x.stop != nil {
		x.stop()
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	s, err := x.client.Snapshot(ctx)
	if err != nil {
		return err
	}
	events, err := x.client.Events(ctx, s.Seq)
	if err != nil {
		return err
	}
	go func() {
		for e := range events {
			for _, key := range []string{string(e.Kind) + " " + string(e.Leg), string(e.Kind) + " " + e.ANI, string(e.Kind) + " " + string(e.Seat)} {
				x.mu.Lock()
				c := x.wants[key]
				delete(x.wants, key)
				x.mu.Unlock()
				if c != nil {
					c <- e
					break
				}
			}
		}
	}()
	return nil
}

func (x *exchange) want(kind media.Kind, who string) chan media.Event {
	c := make(chan media.Event, 1)
	x.mu.Lock()
	x.wants[string(kind)+" "+who] = c
	x.mu.Unlock()
	return c
}

func await(what string, c chan media.Event) (media.Event, error) {
	select {
	case e := <-c:
		return e, nil
	case <-time.After(20 * time.Second):
		return media.Event{}, fmt.Errorf("%s 没有发生", what)
	}
}

// cpu is what the process has used, user and system.
func (x *exchange) cpu() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", x.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	u, _ := strconv.Atoi(f[11])
	s, _ := strconv.Atoi(f[12])
	return time.Duration(u+s) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// memory is the process's resident set, in bytes.
func (x *exchange) memory() int {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", x.cmd.Process.Pid))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10
		}
	}
	return 0
}
