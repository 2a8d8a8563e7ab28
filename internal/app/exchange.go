package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"hotline/internal/fault"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/record"
)

// Phone is how a deployment runs its exchange; the zero value is no telephone.
type Phone struct {
	SIP  string // host:port to listen on; "" = no exchange
	RTP  string // ports, 20000-29999
	Web  string // host:port of browser seats
	Args []string
}

// voiceDir is where the exchange keeps its socket, journal and recordings.
func (a *App) voiceDir() string { return filepath.Join(a.Data, "voice") }

// exchange makes the client of the exchange that runs, or will run, as a child.
func (a *App) exchange() {
	if a.Config.Engine != nil || a.Config.Phone.SIP == "" || a.Config.ReadOnly {
		return
	}
	client := media.NewClient(filepath.Join(a.voiceDir(), "media.sock"), a.Clock)
	a.Config.Engine = client
	a.childOver = make(chan struct{})
	a.child = &Child{Dir: a.Data, Clock: a.Clock, Command: a.mediaCommand, Alive: func(ctx context.Context) error {
		_, err := client.Snapshot(ctx)
		return err
	}}
}

func (a *App) mediaCommand() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	args := []string{"media", "--data", a.Data, "--sip", a.Phone.SIP}
	for flag, v := range map[string]string{"--rtp": a.Phone.RTP, "--web": a.Phone.Web, "--suite": a.Suite} {
		if v != "" {
			args = append(args, flag, v)
		}
	}
	cmd := exec.Command(self, append(args, a.Phone.Args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// openRecording opens a recording as a WAV.
func (a *App) openRecording(rec string) (io.ReadSeekCloser, error) {
	return record.Open(a.recordings(), rec, a.Ring)
}

// recordings is where the exchange keeps what was said.
func (a *App) recordings() string { return filepath.Join(a.voiceDir(), "rec") }

// Taken tells whether another program holds the SIP address; the exchange of
// this data directory, with which a restart goes on, does not count.
func (p *Phone) Taken(data string) bool {
	if p.SIP == "" || free(p.SIP) {
		return false
	}
	c, err := net.Dial("unix", filepath.Join(data, "voice", "media.sock"))
	if err == nil {
		c.Close()
	}
	return err != nil
}

// FreeSIP finds the port of the demonstration's exchange: 5060, else the next
// that is free on UDP and TCP up to 5099.
func FreeSIP(host string) (string, error) {
	for port := 5060; port <= 5099; port++ {
		if addr := net.JoinHostPort(host, strconv.Itoa(port)); port != webPort && free(addr) {
			return addr, nil
		}
	}
	return "", fault.Unavailable("sip_ports", "%s", fmt.Sprintf("%s 的5060至5099端口都被占用，本次不启用语音平台。", host))
}

// webPort is where browser seats reach an exchange unless told otherwise.
const webPort = 5062

// FreeWeb finds the port of its browser seats: 5062, else the first above the
// range of FreeSIP that is free.
func FreeWeb(host string) string {
	addr := net.JoinHostPort(host, strconv.Itoa(webPort))
	for port := 5100; port <= 5199 && !free(addr); port++ {
		addr = net.JoinHostPort(host, strconv.Itoa(port))
	}
	return addr
}

// free tells whether an address can be listened on by UDP and TCP.
func free(addr string) bool {
	t, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer t.Close()
	u, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	u.Close()
	return true
}
