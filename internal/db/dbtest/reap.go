package dbtest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hotline/internal/clock"
)

// reaperScript waits until its input closes, which the end of the test process
// does, then stops the server at once and removes its directory. Process and
// directory are its own: it reads the number from the server's own pid file.
const reaperScript = `read -r _
if [ -f "$1/data/postmaster.pid" ]; then
	pid=$(head -n 1 "$1/data/postmaster.pid")
	kill -QUIT "$pid" 2>/dev/null
	i=0
	while kill -0 "$pid" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
fi
rm -rf "$1" || { sleep 1; rm -rf "$1"; }`

// reap starts the reaper of a run's directory. The result stays open for as
// long as the process lives.
func (a account) reap(dir string) (io.Closer, error) {
	cmd := exec.Command("/bin/sh", "-c", reaperScript, "reaper", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	return in, os.WriteFile(filepath.Join(dir, "reaper.pid"), []byte(pid), 0o600)
}

// sweep removes what a run left behind whose reaper was killed as well.
func sweep(base string) {
	runs, _ := filepath.Glob(filepath.Join(base, "run-*"))
	for _, dir := range runs {
		reaper := pidIn(filepath.Join(dir, "reaper.pid"))
		if isReaper(reaper, dir) || reaper == 0 && young(dir) {
			continue // looked after, or just starting or ending
		}
		if server := pidIn(filepath.Join(dir, "data", "postmaster.pid")); server > 0 && runsIn(server, dir) {
			_ = syscall.Kill(server, syscall.SIGQUIT)
		}
		_ = os.RemoveAll(dir)
	}
}

// young tells whether a directory changed within the hour.
func young(dir string) bool {
	s, err := os.Stat(dir)
	return err != nil || clock.Since(clock.System(), s.ModTime()) < time.Hour
}

func pidIn(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// isReaper tells whether pid is the reaper of dir and not a stranger that was
// given the same number later.
func isReaper(pid int, dir string) bool {
	return strings.HasSuffix(commandLine(pid), "reaper\x00"+dir+"\x00")
}

func runsIn(pid int, dir string) bool { return strings.Contains(commandLine(pid), dir+"/data") }

func commandLine(pid int) string {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return string(text)
}
