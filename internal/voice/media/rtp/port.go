package rtp

import (
	"errors"
	"net/netip"
	"sync"
)

// ErrPorts says that every port of the range is taken.
var ErrPorts = errors.New("rtp: no free port in the range")

// Ports (端口池) hands out pairs of ports, even for RTP and the odd above for
// RTCP. It goes round the range, so a port rests as long as it can before the
// next call hears what was still on its way to the last.
type Ports struct {
	shards *Shards
	ip     netip.Addr
	lo, hi int

	mu   sync.Mutex
	next int
	used map[int]bool
}

// NewPorts makes the pool of lo…hi on the local address.
func NewPorts(s *Shards, ip netip.Addr, lo, hi int) *Ports {
	lo += lo & 1
	return &Ports{shards: s, ip: ip, lo: lo, hi: hi, next: lo, used: map[int]bool{}}
}

// Open makes a stream on the next free pair.
func (p *Ports) Open(sink Sink) (*Stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := (p.hi - p.lo + 1) / 2; n > 0; n-- {
		port := p.next
		if p.next += 2; p.next+1 > p.hi {
			p.next = p.lo
		}
		if p.used[port] {
			continue
		}
		if st, err := p.open(port, sink); err == nil {
			return st, nil
		}
	}
	return nil, ErrPorts
}

// Reopen makes a stream on the pair of a call that is taken up again.
func (p *Ports) Reopen(port int, sink Sink) (*Stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[port] || port < p.lo || port+1 > p.hi {
		return nil, ErrPorts
	}
	return p.open(port, sink)
}

func (p *Ports) open(port int, sink Sink) (*Stream, error) {
	a, err := openSocket(p.ip, port)
	if err != nil {
		return nil, err
	}
	b, err := openSocket(p.ip, port+1)
	if err != nil {
		a.close()
		return nil, err
	}
	st, err := newStream(p.shards, port, a, b, sink, p.release)
	if err != nil {
		a.close()
		b.close()
		return nil, err
	}
	p.used[port] = true
	return st, nil
}

func (p *Ports) release(port int) {
	p.mu.Lock()
	delete(p.used, port)
	p.mu.Unlock()
}

// Used counts the pairs in use.
func (p *Ports) Used() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.used)
}
