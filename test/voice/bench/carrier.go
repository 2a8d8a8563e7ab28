package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// carrier plays all outside parties.
type carrier struct {
	stack  *sip.Stack
	shards *rtp.Shards
	ports  *rtp.Ports
	talk   atomic.Bool
	over   atomic.Int64
	lines  sync.Map // *party
	naming sync.Mutex
}

// party is one leg outside: it sends numbered packets and checks those it gets.
type party struct {
	checker
	k     *carrier
	c     *sip.Call
	st    *rtp.Stream
	shard int
	up    chan struct{}
	once  sync.Once
}

// checker finds loss, gaps and delay in numbered packets.
type checker struct {
	sent     uint32
	mu       sync.Mutex
	first    uint32
	next     uint32
	got, bad uint32
	gap      time.Duration
	last     int64
	delays   []int32 // µs, a sample
}

const mark = 0x7e12345e

func (c *checker) stamp(f *mix.Frame, now int64) {
	c.sent++
	binary.BigEndian.PutUint32(f[0:], mark)
	binary.BigEndian.PutUint32(f[4:], c.sent)
	binary.BigEndian.PutUint64(f[8:], uint64(now))
}

func (c *checker) check(sound []byte, now int64) {
	if len(sound) < 16 || binary.BigEndian.Uint32(sound) != mark {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := binary.BigEndian.Uint32(sound[4:])
	if c.got == 0 {
		c.first = n
	} else if n != c.next {
		c.bad++
	}
	c.next = n + 1
	if c.last != 0 {
		c.gap = max(c.gap, time.Duration(now-c.last))
	}
	c.last = now
	if c.got++; c.got%8 == 0 {
		c.delays = append(c.delays, int32((now-int64(binary.BigEndian.Uint64(sound[8:])))/1000))
	}
}

// reset begins a new measurement.
func (c *checker) reset() {
	c.mu.Lock()
	c.got, c.bad, c.gap, c.last, c.delays = 0, 0, 0, 0, c.delays[:0]
	c.mu.Unlock()
}

// missing is how many packets between the first and the last did not come.
func (c *checker) missing() (got, lost uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got == 0 {
		return 0, 0
	}
	return c.got, c.next - c.first - c.got
}

func openCarrier(x *exchange) (*carrier, error) {
	k := &carrier{}
	var err error
	if k.shards, err = rtp.NewShards(clock.System(), 2, false); err != nil {
		return nil, err
	}
	k.ports = rtp.NewPorts(k.shards, netip.MustParseAddr(carrierIP), 20000, 29999)
	if k.stack, err = sip.New(sip.Config{Listen: x.carrierAddr(), Ping: -1}, k); err != nil {
		return nil, err
	}
	return k, k.stack.Configure([]media.Trunk{{Name: "exchange", Address: x.addr(), Allow: []string{"127.0.0.0/8"}}}, nil)
}

func (k *carrier) close() {
	k.lines.Range(func(p, _ any) bool { p.(*party).end(); return true })
	k.stack.Close()
	k.shards.Close()
}

func (k *carrier) party() (*party, error) {
	p := &party{k: k, shard: k.shards.Pick(), up: make(chan struct{}, 2)}
	st, err := k.ports.Open(p)
	if err != nil {
		return nil, err
	}
	p.st = st
	k.lines.Store(p, true)
	return p, nil
}

func (p *party) end() {
	p.once.Do(func() {
		p.k.shards.Detach(p.shard, p)
		p.st.Close()
		p.k.lines.Delete(p)
	})
}

func (p *party) local() sdp.Local {
	return sdp.Local{Addr: netip.MustParseAddr(carrierIP), Port: p.st.Port, Session: 1, Version: 1}
}

func (p *party) agree(body []byte) {
	o, err := sdp.Parse(body)
	if err != nil {
		return
	}
	p.st.Set(rtp.Terms{Remote: netip.AddrPortFrom(o.Addr, uint16(o.Port)), Law: rtp.PCMA, Send: true, Receive: true})
	p.k.shards.Attach(p.shard, p)
}

// Tick sends the next packet.
func (p *party) Tick(now int64) {
	if !p.k.talk.Load() {
		return
	}
	var f mix.Frame
	for i := range f {
		f[i] = byte(i*7) ^ 0x55
	}
	p.stamp(&f, time.Now().UnixNano())
	p.st.Speak(now, p, &f)
}

// Voice checks a packet.
func (p *party) Voice(_ int64, f *rtp.Frame) { p.check(f.Sound, time.Now().UnixNano()) }

// Digit is rtp.Sink.
func (p *party) Digit(byte) {}

// call places a call to the exchange.
func (k *carrier) call(ani string) (*party, error) {
	p, err := k.party()
	if err != nil {
		return nil, err
	}
	k.naming.Lock() // until the call has its party
	defer k.naming.Unlock()
	c, err := k.stack.Dial(media.Target{Kind: media.ToTrunk, Value: "12345"}, sip.DialOpts{ANI: ani, Offer: sdp.Build(p.local())})
	if err != nil {
		return nil, err
	}
	c.User, p.c = p, c
	return p, nil
}

// of is the party of a call, nil when it has none.
func (k *carrier) of(c *sip.Call) *party {
	k.naming.Lock()
	defer k.naming.Unlock()
	p, _ := c.User.(*party)
	return p
}

// Invite answers at once, as an agent who waits does.
func (k *carrier) Invite(c *sip.Call) {
	p, err := k.party()
	o, perr := sdp.Parse(c.Offer())
	if err != nil || perr != nil {
		_ = c.Reject(500, "")
		return
	}
	k.naming.Lock()
	c.User, p.c = p, c
	k.naming.Unlock()
	body, err := o.Answer(p.local())
	if err != nil {
		_ = c.Reject(488, "")
		return
	}
	p.agree(c.Offer())
	_ = c.Answer(body)
}

// Reinvite is sip.Handler.
func (k *carrier) Reinvite(*sip.Call, []byte) ([]byte, int) { return nil, 488 }

// Progress is sip.Handler.
func (k *carrier) Progress(*sip.Call, int, []byte) {}

// Answered begins to talk.
func (k *carrier) Answered(c *sip.Call, body []byte) {
	p := k.of(c)
	if p == nil {
		return
	}
	if !c.Incoming() {
		p.agree(body)
	}
	p.up <- struct{}{}
}

// Digit is sip.Handler.
func (k *carrier) Digit(*sip.Call, byte) {}

// Refer is sip.Handler.
func (k *carrier) Refer(*sip.Call, string) {}

// Ended counts.
func (k *carrier) Ended(c *sip.Call, _ sip.End) {
	if p := k.of(c); p != nil {
		p.end()
	}
	k.over.Add(1)
}

// Phone is sip.Handler.
func (k *carrier) Phone(string, bool) {}

// Trunk is sip.Handler.
func (k *carrier) Trunk(string, bool) {}

// tally sums what the parties measured.
func (k *carrier) tally() string {
	var got, lost uint64
	var delays []int32
	k.lines.Range(func(p, _ any) bool {
		g, l := p.(*party).missing()
		got, lost = got+uint64(g), lost+uint64(l)
		p.(*party).mu.Lock()
		delays = append(delays, p.(*party).delays...)
		p.(*party).mu.Unlock()
		return true
	})
	slices.Sort(delays)
	at := func(q float64) float64 {
		if len(delays) == 0 {
			return 0
		}
		return float64(delays[int(q*float64(len(delays)-1))]) / 1000
	}
	return fmt.Sprintf("收 %d 包，丢 %d，单程 p50 %.1f ms，p99 %.1f ms", got, lost, at(0.5), at(0.99))
}

func (k *carrier) reset() {
	k.lines.Range(func(p, _ any) bool { p.(*party).reset(); return true })
}
