package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hotline/internal/voice/media"
)

// bridged is a call with its agent.
type bridged struct {
	caller, agent media.Leg
	p             *party
}

// bridge brings one caller and one agent together, as the platform does.
func (x *exchange) bridge(ctx context.Context, k *carrier, n int, record bool) (bridged, error) {
	ani := fmt.Sprintf("139%08d", n)
	in := x.want(media.Incoming, ani)
	p, err := k.call(ani)
	if err != nil {
		return bridged{}, err
	}
	e, err := await("来电", in)
	if err != nil {
		return bridged{}, err
	}
	b := bridged{e.Leg, media.Leg(fmt.Sprintf("agent-%d", n)), p}
	if err := x.client.Answer(ctx, b.caller); err != nil {
		return b, err
	}
	up := x.want(media.Answered, string(b.agent))
	if err := x.client.Dial(ctx, media.Spec{Leg: b.agent, To: media.Target{Kind: media.ToTrunk, Value: fmt.Sprint(80000 + n)}, ANI: ani}); err != nil {
		return b, err
	}
	if _, err := await("座席应答", up); err != nil {
		return b, err
	}
	room := media.Room(fmt.Sprintf("room-%d", n))
	if err := x.client.Mix(ctx, room, b.caller, b.agent); err != nil {
		return b, err
	}
	if record {
		err = x.client.Record(ctx, room, media.RecordPolicy{Rec: fmt.Sprintf("call-%d", n), Left: b.caller})
	}
	return b, err
}

// bridgeAll sets up n calls, so many a second.
func (x *exchange) bridgeAll(ctx context.Context, k *carrier, from, n, rate int, record bool) ([]bridged, error) {
	out := make([]bridged, n)
	errs := make(chan error, n)
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		wg.Go(func() {
			b, err := x.bridge(ctx, k, from+i, record)
			if err != nil {
				errs <- err
			}
			out[i] = b
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return out, err
	default:
		return out, nil
	}
}

func (x *exchange) hangAll(ctx context.Context, calls []bridged) error {
	for _, b := range calls {
		for _, l := range []media.Leg{b.caller, b.agent} {
			if err := x.client.Hangup(ctx, l, 16); err != nil {
				return err
			}
		}
	}
	return nil
}

func open(o options) (*exchange, *carrier, func(), error) {
	x, err := startExchange(o)
	if err != nil {
		return nil, nil, nil, err
	}
	k, err := openCarrier(x)
	if err != nil {
		x.close()
		return nil, nil, nil, err
	}
	return x, k, func() { k.close(); x.close() }, nil
}

// setupScene measures what it costs to set a call up and take it down: two
// dialogs, answer, bridge, hang up on both sides, no speech.
func setupScene(ctx context.Context, o options) error {
	x, k, done, err := open(o)
	if err != nil {
		return err
	}
	defer done()
	if _, err := x.bridgeAll(ctx, k, 0, 20, 20, false); err != nil { // warm
		return err
	}
	// What the process uses by itself, waking for its ticks, is no call's.
	before := x.cpu()
	time.Sleep(4 * time.Second)
	idle := (x.cpu() - before) / 4
	const n, rate = 1200, 300
	before, began := x.cpu(), time.Now()
	for i := 0; i < n; i += rate {
		calls, err := x.bridgeAll(ctx, k, 1000+i, rate, rate, false)
		if err != nil {
			return err
		}
		if err := x.hangAll(ctx, calls); err != nil {
			return err
		}
	}
	used, took := x.cpu()-before, time.Since(began)
	fmt.Printf("建立通话     %d 通，每秒 %.0f 通        每通 %.2f CPU-ms（限 2.5），空闲时每秒 %.0f CPU-ms 已扣除\n",
		n, n/took.Seconds(), (ms(used)-ms(idle)*took.Seconds())/n, ms(idle))
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// talk measures CPU per call and second of calls that stand and speak.
func (x *exchange) talk(k *carrier, calls, seconds int) (perCall float64) {
	k.talk.Store(true)
	time.Sleep(2 * time.Second)
	k.reset()
	before, began := x.cpu(), time.Now()
	time.Sleep(time.Duration(seconds) * time.Second)
	used, took := x.cpu()-before, time.Since(began)
	return ms(used) / took.Seconds() / float64(calls)
}

func bridgeScene(ctx context.Context, o options) error {
	x, k, done, err := open(o)
	if err != nil {
		return err
	}
	defer done()
	if _, err := x.bridgeAll(ctx, k, 0, 10, 20, false); err != nil { // warm
		return err
	}
	empty := x.memory()
	calls, err := x.bridgeAll(ctx, k, 100, o.calls, 40, false)
	if err != nil {
		return err
	}
	per := x.talk(k, o.calls+10, o.seconds)
	fmt.Printf("两方通话     %d 通                   每通每秒 %.2f CPU-ms（限 1.5），每通 %.0f kB（限 60）\n             %s\n",
		o.calls+10, per, float64(x.memory()-empty)/1024/float64(o.calls), k.tally())
	return x.hangAll(ctx, calls)
}

// recordScene compares the same calls without and with recording, in turns on
// one process, so that the machine's mood meets both alike.
func recordScene(ctx context.Context, o options) error {
	x, k, done, err := open(o)
	if err != nil {
		return err
	}
	defer done()
	if _, err := x.bridgeAll(ctx, k, 5000, 10, 20, false); err != nil { // warm
		return err
	}
	empty := x.memory()
	calls, err := x.bridgeAll(ctx, k, 0, o.calls, 40, false)
	if err != nil {
		return err
	}
	var plain, taped float64
	const turns = 3
	for t := range turns {
		plain += x.talk(k, o.calls, max(3, o.seconds/turns))
		for i, b := range calls {
			if err := x.client.Record(ctx, media.Room(fmt.Sprintf("room-%d", i)), media.RecordPolicy{Rec: fmt.Sprintf("t%d-%d", t, i), Left: b.caller}); err != nil {
				return err
			}
		}
		taped += x.talk(k, o.calls, max(3, o.seconds/turns))
		for i, b := range calls { // out of the room and in again: the recording ends
			room := media.Room(fmt.Sprintf("room-%d", i))
			for _, l := range []media.Leg{b.caller, b.agent} {
				if err := x.client.Leave(ctx, room, l); err != nil {
					return err
				}
			}
			if err := x.client.Mix(ctx, room, b.caller, b.agent); err != nil {
				return err
			}
		}
	}
	fmt.Printf("录音         %d 通                   每通每秒 %.2f → %.2f CPU-ms，增加 %.0f%%（限 10%%），每通 %.0f kB\n",
		o.calls, plain/turns, taped/turns, 100*(taped/plain-1), float64(x.memory()-empty)/1024/float64(o.calls))
	return nil
}

// crashScene kills the exchange in the middle of 50 calls.
func crashScene(ctx context.Context, o options) error {
	x, k, done, err := open(o)
	if err != nil {
		return err
	}
	defer done()
	calls, err := x.bridgeAll(ctx, k, 0, 50, 40, false)
	if err != nil {
		return err
	}
	k.talk.Store(true)
	time.Sleep(2 * time.Second)
	k.reset()
	time.Sleep(500 * time.Millisecond) // every stream has a last packet before the kill
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
	if err := x.start(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	kept := 0
	var gap time.Duration
	k.lines.Range(func(v, _ any) bool {
		p := v.(*party)
		p.mu.Lock()
		if p.last > time.Now().Add(-500*time.Millisecond).UnixNano() {
			kept++
		}
		gap = max(gap, p.gap)
		p.mu.Unlock()
		return true
	})
	if err := x.follow(); err != nil {
		return err
	}
	k.over.Store(0)
	for i, b := range calls { // half by the callers, half by the platform
		if i%2 == 0 {
			_ = b.p.c.Hangup(16)
			err = x.client.Hangup(ctx, b.agent, 16)
		} else {
			err = x.hangAll(ctx, calls[i:i+1])
		}
		if err != nil {
			return err
		}
	}
	for range 100 {
		if k.over.Load() == 100 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	s, err := x.client.Snapshot(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("强行终止重启 50 通                    保住 %d 通（两端都有声），声音中断最长 %d ms（限 1000），之后挂断 %d/100 条，余 %d 条\n",
		kept/2, gap.Milliseconds(), k.over.Load(), len(s.Legs))
	return nil
}
