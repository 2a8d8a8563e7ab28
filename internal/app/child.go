package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hotline/internal/clock"
)

// Child keeps the exchange running as a process of its own (语音子进程). It is
// started when none answers, adopted when one does, because calls outlive a
// restart of serve, started again when it dies, and ended with serve.
type Child struct {
	Dir     string                      // where the pid is kept
	Command func() *exec.Cmd            // makes a new process, not started
	Alive   func(context.Context) error // nil while an exchange answers
	Clock   clock.Clock
}

const (
	childLook  = time.Second      // between looks at an adopted exchange
	childGrace = 10 * time.Second // from SIGTERM to SIGKILL
)

func (c *Child) pidFile() string { return filepath.Join(c.Dir, "media.pid") }

// Run keeps the process until ctx ends, and then ends it.
func (c *Child) Run(ctx context.Context) error {
	for wait := 200 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 10*time.Second) {
		if c.answers(ctx) {
			slog.Info("voice: adopted the exchange that is running")
			c.watch(ctx)
			wait = 200 * time.Millisecond
			continue
		}
		began := c.Clock.Now()
		err := c.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		slog.Error("voice: the exchange ended", "err", err)
		if clock.Since(c.Clock, began) > time.Minute {
			wait = 200 * time.Millisecond
		}
		if c.Clock.Sleep(ctx, wait) != nil {
			break
		}
	}
	return nil
}

func (c *Child) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return c.Alive(ctx) == nil
}

// watch looks after an exchange that another serve started.
func (c *Child) watch(ctx context.Context) {
	missed := 0
	for missed < 3 {
		if c.Clock.Sleep(ctx, childLook) != nil {
			c.endAdopted()
			return
		}
		if c.answers(ctx) {
			missed = 0
		} else if ctx.Err() == nil {
			missed++
		}
	}
}

// endAdopted ends the exchange whose pid is on file, if that still is one.
func (c *Child) endAdopted() {
	raw, err := os.ReadFile(c.pidFile())
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || pid <= 1 {
		return
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(line), "media") {
		return // the number belongs to another program by now
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	_ = os.Remove(c.pidFile())
}

// run starts the process and waits until it ends.
func (c *Child) run(ctx context.Context) error {
	cmd := c.Command()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true // a key press in the terminal ends serve, which ends it in order
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(c.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		slog.Warn("voice: pid file", "err", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		_ = os.Remove(c.pidFile())
		if err == nil {
			err = errors.New("exit 0")
		}
		return err
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-c.Clock.After(childGrace):
		_ = cmd.Process.Kill()
		<-ended
	}
	_ = os.Remove(c.pidFile())
	return ctx.Err()
}
