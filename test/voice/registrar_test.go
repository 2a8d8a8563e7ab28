package voice_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hotline/internal/voice/media"
)

const (
	registrarIP = "127.0.78.5"
	enrolledIP  = "127.0.78.6"
)

// registrarConfig is a carrier that wants to be registered with, by digest, for
// a minute at a time.
const registrarConfig = `
log_stderror=yes
fork=no
children=1
listen=udp:` + registrarIP + `:5060
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("registrar", "min_expires", 60)
modparam("registrar", "max_expires", 60)
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
request_route {
	if (is_method("REGISTER")) {
		if ($au != "hubei12345" || !pv_www_authenticate("carrier.example", "s3cret", "0")) {
			www_challenge("carrier.example", "1");
			exit;
		}
		save("location");
		exit;
	}
	sl_send_reply("403", "Forbidden");
}
`

// A trunk registers with Kamailio as its carrier; with a wrong password it is down.
func TestRegisterWithKamailio(t *testing.T) {
	path, err := exec.LookPath("kamailio")
	if err != nil {
		path = "/usr/sbin/kamailio"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("kamailio is missing (Debian: apt-get install kamailio)")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(conf, []byte(registrarConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-DD", "-E", "-f", conf, "-Y", dir, "-m", "64", "-M", "8")
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
	trunk := media.Trunk{Name: "carrier", Address: registrarIP + ":5060", Domain: "carrier.example", User: "hubei12345", Register: true, Expires: 600}
	p := newProcess(t, enrolledIP, media.Setup{})
	events, err := p.c.Events(bg, 0)
	if err != nil {
		t.Fatal(err)
	}
	state := func(want string) {
		t.Helper()
		for limit := time.After(20 * time.Second); ; {
			select {
			case e := <-events:
				if e.Kind == media.TrunkState && e.Trunk == "carrier" && e.Why == want {
					return
				}
			case <-limit:
				t.Fatalf("the trunk is not %s", want)
			}
		}
	}
	password := func(s string) {
		t.Helper()
		at := filepath.Join(p.dir, "voice", "trunks")
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, "carrier"), []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := p.c.Setup(bg, media.Setup{Trunks: []media.Trunk{trunk}}); err != nil {
			t.Fatal(err)
		}
	}
	password("wrong")
	state("down")
	password("s3cret")
	state("up")
}
