// Package crash runs the real binary as an operator does, on both engines:
// under load with SIGKILL at random moments, and through the whole loop of a
// request over HTTP. It looks at what is left with the platform's own rooms.
package crash

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hotline/internal/db/dbtest"
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hotline-crash-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "hotline")
		if out, err := exec.Command("go", "build", "-o", binary, "hotline/cmd/hotline").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// each runs fn on both engines, each with a fresh installation.
func each(t *testing.T, fn func(t *testing.T, s *server)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, install(t, "")) })
	t.Run("postgres", func(t *testing.T) { fn(t, install(t, dbtest.PostgresURL(t))) })
}

// server is one installation and the process that serves it.
type server struct {
	t    *testing.T
	data string
	db   string // "" = SQLite
	addr string
	cmd  *exec.Cmd
	gone chan struct{} // closed when cmd has ended
	log  *buffer       // what all its processes said
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func install(t *testing.T, url string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	// The path of the control socket may have 107 bytes only; t.TempDir is longer.
	dir, err := os.MkdirTemp("", "hlc-")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, data: filepath.Join(dir, "data"), db: url, addr: ln.Addr().String(), log: &buffer{}}
	t.Cleanup(func() {
		s.kill()
		os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("the server said:\n%s", s.log)
		}
	})
	return s
}

// where names the installation on a command line.
func (s *server) where() []string {
	args := []string{"--data", s.data}
	if s.db != "" {
		args = append(args, "--db", s.db)
	}
	return args
}

// hotline runs a subcommand to its end.
func (s *server) hotline(args ...string) (string, error) {
	out, err := exec.Command(binary, args...).CombinedOutput()
	return string(out), err
}

// start serves and returns when the platform answers, with how long that took.
func (s *server) start() time.Duration {
	s.t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "--addr", s.addr}, s.where()...)...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // never outlives the test
	began := time.Now()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	s.cmd, s.gone = cmd, gone
	for time.Since(began) < time.Minute {
		if res, err := http.Get("http://" + s.addr + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(began)
			}
		}
		select {
		case <-gone:
			s.t.Fatalf("the server ended at start:\n%s", s.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.t.Fatalf("the server does not answer:\n%s", s.log)
	return 0
}

// kill is the power switch of the process.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.gone
		s.cmd = nil
	}
}

// stop ends the server as an operator does.
func (s *server) stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.gone:
	case <-time.After(30 * time.Second):
		s.t.Fatal("the server does not stop on SIGTERM")
	}
	s.cmd = nil
}

var passwordWord = regexp.MustCompile(`初始密码 (\S+)（`)

// hire makes an account with the command line and gives its first password.
func (s *server) hire(username, role, unit string) string {
	s.t.Helper()
	out, err := s.hotline(append([]string{"user", "create", "--username", username, "--name", "测试" + role, "--role", role, "--unit", unit}, s.where()...)...)
	m := passwordWord.FindStringSubmatch(out)
	if err != nil || m == nil {
		s.t.Fatalf("user create %s: %v\n%s", username, err, out)
	}
	return m[1]
}

// intact demands that both chains verify, from the command line.
func (s *server) intact() {
	s.t.Helper()
	out, err := s.hotline(append([]string{"audit", "verify"}, s.where()...)...)
	if err != nil || strings.Count(out, "完整") != 2 {
		s.t.Errorf("audit verify: %v\n%s", err, out)
	}
	s.t.Logf("%s", strings.TrimSpace(out))
}
