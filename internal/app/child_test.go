package app

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
)

// exchange is a process that says that it is there by a file.
func exchange(dir string) (*Child, func() int) {
	up := filepath.Join(dir, "up")
	c := &Child{Dir: dir, Clock: clock.System(),
		Command: func() *exec.Cmd {
			return exec.Command("sh", "-c", `echo $$ > "$0"; trap 'rm -f "$0"; exit 0' TERM; while :; do sleep 0.05; done # media`, up)
		},
		Alive: func(context.Context) error {
			_, err := os.Stat(up)
			return err
		}}
	return c, func() int {
		raw, _ := os.ReadFile(up)
		n, _ := strconv.Atoi(strings.TrimSpace(string(raw)))
		return n
	}
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come to pass: " + what)
}

func alive(pid int) bool {
	return pid > 0 && exec.Command("kill", "-0", strconv.Itoa(pid)).Run() == nil
}

func TestChildIsStartedAgainAndEnds(t *testing.T) {
	c, pid := exchange(t.TempDir())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	soon(t, "it runs", func() bool { return alive(pid()) })
	first := pid()
	_ = os.Remove(filepath.Join(c.Dir, "up"))
	_ = exec.Command("kill", "-9", strconv.Itoa(first)).Run()
	soon(t, "it runs again", func() bool { return pid() != first && alive(pid()) })
	second := pid()
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if alive(second) {
		t.Error("it outlived serve")
	}
}

func TestChildIsAdopted(t *testing.T) {
	c, pid := exchange(t.TempDir())
	cmd := c.Command()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
	soon(t, "it runs", func() bool { return alive(pid()) })
	first := pid()
	if err := os.WriteFile(c.pidFile(), []byte(strconv.Itoa(first)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	time.Sleep(300 * time.Millisecond)
	if pid() != first {
		t.Error("a second exchange was started beside the one that runs")
	}
	stop()
	<-done
	soon(t, "it ends with serve", func() bool { return !alive(first) })
}
