package voice_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// here is the address of everything in a test's own network: baresip does not
// use loopback, so it is given to lo beside it.
const here = "10.99.0.1"

// inside tells that the test runs in a network of its own; outside it runs
// itself there once more, and fails as that fails.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv("HOTLINE_NETNS") == "" {
		cmd := exec.Command("unshare", "-rn", os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "HOTLINE_NETNS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("in its own network: %v\n%s", err, out)
		}
		return false
	}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", here + "/32", "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
		}
	}
	return true
}

// phone is a baresip: it speaks a tone and keeps what it hears.
type phone struct {
	t    *testing.T
	dir  string
	cmd  *exec.Cmd
	ctrl net.Conn
}

var phonePort = 5080

// startPhone runs baresip with one account; hz is its voice.
func startPhone(t *testing.T, account string, hz float64) *phone {
	t.Helper()
	path, err := exec.LookPath("baresip")
	if err != nil {
		t.Fatal("baresip is missing (Debian: apt-get install baresip-core)")
	}
	phonePort += 10
	p := &phone{t: t, dir: t.TempDir()}
	ctrl := net.JoinHostPort(here, strconv.Itoa(phonePort+5))
	p.write("tone.wav", tone(hz))
	p.write("accounts", []byte(account+"\n"))
	p.write("contacts", nil)
	p.write("config", []byte(strings.Join([]string{"poll_method epoll", fmt.Sprintf("sip_listen %s:%d", here, phonePort), "call_max_calls 4",
		"audio_source aufile," + p.dir + "/tone.wav", "audio_player aubridge,nobody", "audio_alert aubridge,nobody", "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1",
		"rtp_ports 16000-17000", "snd_path " + p.dir, "ctrl_tcp_listen " + ctrl, "module_path /usr/lib/baresip/modules", "module g711.so", "module aufile.so", "module aubridge.so", "module sndfile.so",
		"module srtp.so", "module_tmp account.so", "module_app menu.so", "module ctrl_tcp.so", ""}, "\n")))
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(path, "-v", "-f", p.dir)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(os.Interrupt)
		_ = p.cmd.Wait()
		log.Close()
		if t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			t.Logf("%s\n%s", account, raw)
		}
	})
	eventually(t, "baresip takes commands", func() bool {
		p.ctrl, err = net.Dial("tcp", ctrl)
		return err == nil
	})
	t.Cleanup(func() { p.ctrl.Close() })
	return p
}

func (p *phone) write(name string, b []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), b, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// do gives baresip a command over its control connection (a netstring of JSON).
func (p *phone) do(command, params string) {
	p.t.Helper()
	b, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.ctrl, "%d:%s,", len(b), b); err != nil {
		p.t.Fatal(err)
	}
}

// heard is all that the phone decoded in its last call, A-law; baresip closes
// its file when the call ends.
func (p *phone) heard() []byte {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if err != nil || len(files) == 0 {
		p.t.Fatal("the phone heard nothing", err)
	}
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		p.t.Fatal(err)
	}
	return samples(p.t, raw)[0]
}

// samples gives the channels of a WAV of 16 bits or of A-law, as A-law.
func samples(t *testing.T, wav []byte) [2][]byte {
	t.Helper()
	if len(wav) < 44 || string(wav[:4]) != "RIFF" {
		t.Fatalf("no WAV of %d bytes", len(wav))
	}
	var out [2][]byte
	kind, channels := 0, 1
	for at := 12; at+8 <= len(wav); {
		size := int(binary.LittleEndian.Uint32(wav[at+4:]))
		body := wav[at+8:]
		switch string(wav[at : at+4]) {
		case "fmt ":
			kind, channels = int(binary.LittleEndian.Uint16(body)), int(binary.LittleEndian.Uint16(body[2:]))
		case "data":
			body = body[:min(size, len(body))]
			for i := 0; ; i++ {
				if kind == 6 {
					if i >= len(body) {
						return out
					}
					out[i%channels] = append(out[i%channels], body[i])
					continue
				}
				if 2*i+1 >= len(body) {
					return out
				}
				out[i%channels] = append(out[i%channels], rtp.ALaw(int16(binary.LittleEndian.Uint16(body[2*i:]))))
			}
		}
		at += 8 + size + size&1
	}
	t.Fatal("a WAV without sound")
	return out
}

// tone is 30 s of a pitch as a WAV of 8 kHz.
func tone(hz float64) []byte {
	const n = 30 * 8000
	b := make([]byte, 44, 44+2*n)
	copy(b, "RIFF")
	binary.LittleEndian.PutUint32(b[4:], 36+2*n)
	copy(b[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(b[16:], 16)
	binary.LittleEndian.PutUint16(b[20:], 1)
	binary.LittleEndian.PutUint16(b[22:], 1)
	binary.LittleEndian.PutUint32(b[24:], 8000)
	binary.LittleEndian.PutUint32(b[28:], 16000)
	binary.LittleEndian.PutUint16(b[32:], 2)
	binary.LittleEndian.PutUint16(b[34:], 16)
	copy(b[36:], "data")
	binary.LittleEndian.PutUint32(b[40:], 2*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/8000))))
	}
	return b
}

// hears fails unless sound has want in it, loud, for half a second on end, and not other.
func hears(t *testing.T, who string, sound []byte, want, other float64) {
	t.Helper()
	const half = 4000
	loud, wrong := 0.0, 0.0
	for at := 0; at+half <= len(sound); at += half / 2 {
		loud, wrong = max(loud, mix.Power(sound[at:at+half], want)), max(wrong, mix.Power(sound[at:at+half], other))
	}
	if loud < 0.05 || wrong > loud/4 {
		t.Errorf("%s: %.0f Hz at %.3f, %.0f Hz at %.3f in %.1f s", who, want, loud, other, wrong, float64(len(sound))/8000)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("it did not come to pass: %s", what)
}
