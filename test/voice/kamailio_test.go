package voice_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/engine"
)

// TestMain lets the test binary be an exchange of its own process, to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EXCHANGE_DIR"); dir != "" {
		if err := serveExchange(dir, os.Getenv("EXCHANGE_SIP")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveExchange(dir, sip string) error {
	keys, err := seal.OpenFileProvider(dir, "")
	if err != nil {
		return err
	}
	e, err := engine.Open(engine.Config{Data: dir, SIP: sip, Ring: seal.NewRing(keys)})
	if err != nil {
		return err
	}
	ln, err := media.Listen(filepath.Join(dir, "voice", "media.sock"))
	if err != nil {
		return err
	}
	return media.Serve(ln, e)
}

// The addresses of this test: each party has all ports of one to itself.
const (
	proxyIP   = "127.0.78.1"
	firstIP   = "127.0.78.2"
	secondIP  = "127.0.78.3"
	carrierIP = "127.0.78.4"
)

// process is an exchange that can be killed and started again on its directory.
type process struct {
	t   *testing.T
	dir string
	ip  string
	cmd *exec.Cmd
	c   *media.Client
}

func (p *process) start(set media.Setup) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "EXCHANGE_DIR="+p.dir, "EXCHANGE_SIP="+p.ip+":5060")
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the exchange is there", func() bool { return p.c.Setup(bg, set) == nil })
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func newProcess(t *testing.T, ip string, set media.Setup) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), ip: ip}
	if err := os.MkdirAll(filepath.Join(p.dir, "voice"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.c = media.NewClient(filepath.Join(p.dir, "voice", "media.sock"), clock.System())
	t.Cleanup(p.c.Close)
	t.Cleanup(func() { p.kill() })
	p.start(set)
	return p
}

// node is an exchange behind the proxy, without a platform: it answers by itself
// and plays the notice of the number.
func node(t *testing.T, ip string) *process {
	return newProcess(t, ip, media.Setup{Trunks: []media.Trunk{{Name: "proxy", Address: proxyIP + ":5060", Allow: []string{proxyIP}}},
		Treatments: []media.Treatment{{DNIS: "12345", Notice: []media.Clip{{Name: "welcome"}}}}})
}

// startProxy runs Kamailio with the operator's own example, its addresses put in.
func startProxy(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("kamailio")
	if err != nil {
		path = "/usr/sbin/kamailio"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("kamailio is missing (Debian: apt-get install kamailio)")
	}
	dir := t.TempDir()
	put := strings.NewReplacer("192.0.2.10:", proxyIP+":", "192.0.2.11:", firstIP+":", "192.0.2.12:", secondIP+":", "192.0.2.20:", carrierIP+":", "/etc/kamailio/dispatcher.list", dir+"/dispatcher.list")
	for _, name := range []string{"kamailio.cfg", "dispatcher.list"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(put.Replace(string(raw))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-DD", "-E", "-f", dir+"/kamailio.cfg", "-Y", dir, "-m", "64", "-M", "8")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		log.Close()
		if t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			t.Logf("kamailio:\n%s", raw)
		}
	})
}

// callers places n calls through the proxy and gives sipp's verdict.
func callers(t *testing.T, n, rate int) error {
	t.Helper()
	scenario, err := filepath.Abs(filepath.Join("scenarios", "caller.xml"))
	if err != nil {
		return err
	}
	cmd := exec.Command("sipp", "-sf", scenario, "-i", carrierIP, "-p", "5060", "-s", "12345", "-r", fmt.Sprint(rate), "-m", fmt.Sprint(n), "-nostdin", "-timeout", "20", "-timeout_error", "-recv_timeout", "8000", proxyIP+":5060")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) > 3000 {
		out = out[len(out)-3000:]
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// Kamailio in front of two exchanges, one killed: every new call is answered.
func TestProxyAndKilledExchange(t *testing.T) {
	if _, err := exec.LookPath("sipp"); err != nil {
		t.Fatal("sipp is missing (Debian: apt-get install sip-tester)")
	}
	first := node(t, firstIP)
	node(t, secondIP)
	startProxy(t)
	for range 5 { // Kamailio takes a moment to begin
		if callers(t, 1, 1) == nil {
			break
		}
	}
	if err := callers(t, 40, 20); err != nil {
		t.Fatalf("both alive: %v", err)
	}
	first.kill()
	began := time.Now()
	if err := callers(t, 60, 20); err != nil {
		t.Fatalf("one killed: %v", err)
	}
	t.Logf("60 new calls answered in %v after the kill", time.Since(began))
}
