package webrtc

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/media/rtp"
)

const (
	// pace is how often the browsers' socket is read while anybody speaks: every
	// packet by itself would wake the process 2,500 times a second for 50 seats.
	pace = 5 * time.Millisecond
	// quiet is how many readings may find nothing before it waits for a packet.
	quiet = 20
)

// paced is the socket all browsers share, read in heaps.
type paced struct {
	*net.UDPConn
	raw   syscall.RawConn
	clk   clock.Clock
	empty int

	// Of the reading under way; there is one reader.
	b    []byte
	n    int
	from netip.AddrPort
	take func(fd uintptr) bool
}

func newPaced(c *net.UDPConn, clk clock.Clock) (*paced, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &paced{UDPConn: c, raw: raw, clk: clk, empty: quiet}
	p.take = func(fd uintptr) bool {
		p.n, p.from = rtp.Receive(fd, p.b)
		return true
	}
	return p, nil
}

// ReadFromAddrPort is ice.AddrPortReaderWriter.
func (p *paced) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for p.empty < quiet {
		p.b = b
		if err := p.raw.Read(p.take); err != nil {
			return 0, netip.AddrPort{}, err
		}
		if p.n >= 0 {
			p.empty = 0
			return p.n, p.from, nil
		}
		p.empty++
		_ = p.clk.Sleep(context.Background(), pace) // never ends early
	}
	p.empty = 0
	return p.ReadFromUDPAddrPort(b)
}

// WriteToAddrPort is ice.AddrPortReaderWriter.
func (p *paced) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return p.WriteToUDPAddrPort(b, to)
}
