package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pion "github.com/pion/webrtc/v4"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// page is a seat's browser.
type page struct {
	checker
	rtp.Sender
	pc *pion.PeerConnection
	k  *carrier
}

func (k *carrier) openPage(ctx context.Context, x *exchange, seat media.Seat) (*page, error) {
	pc, err := pion.NewPeerConnection(pion.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &page{pc: pc, k: k}
	track, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, "mic", "mic")
	if err != nil {
		return nil, err
	}
	if _, err := pc.AddTrack(track); err != nil {
		return nil, err
	}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		b := make([]byte, 1500)
		for {
			n, _, err := t.Read(b)
			if err != nil {
				return
			}
			var r rtp.Packet
			if r.Parse(b[:n]) == nil {
				p.check(r.Payload, time.Now().UnixNano())
			}
		}
	})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			p.Begin(rtp.PCMA, func(b []byte) { _, _ = track.Write(b) })
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	done := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-done
	up := x.want(media.SeatUp, string(seat))
	answer, err := x.client.Connect(ctx, seat, pc.LocalDescription().SDP)
	if err != nil {
		return nil, err
	}
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer}); err != nil {
		return nil, err
	}
	_, err = await("座席连接", up)
	return p, err
}

// Tick sends the next packet.
func (p *page) Tick(now int64) {
	if !p.k.talk.Load() {
		return
	}
	var f mix.Frame
	p.stamp(&f, time.Now().UnixNano())
	p.Speak(now, p, &f)
}

// browserScene measures calls between a SIP caller and a browser.
func browserScene(ctx context.Context, o options) error {
	x, k, done, err := open(o)
	if err != nil {
		return err
	}
	defer done()
	pages := make([]*page, o.browsers)
	defer func() {
		for _, p := range pages {
			if p != nil {
				k.shards.Detach(0, p)
				p.Stop()
				p.pc.Close()
			}
		}
	}()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	limit := make(chan struct{}, 4)
	for i := range pages {
		wg.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			err := func() error {
				seat := media.Seat(fmt.Sprintf("s%d", i))
				p, err := k.openPage(ctx, x, seat)
				if err != nil {
					return err
				}
				pages[i] = p
				k.shards.Attach(0, p)
				ani := fmt.Sprintf("138%08d", i)
				in := x.want(media.Incoming, ani)
				if _, err := k.call(ani); err != nil {
					return err
				}
				e, err := await("来电", in)
				if err != nil {
					return err
				}
				if err := x.client.Answer(ctx, e.Leg); err != nil {
					return err
				}
				return x.client.Mix(ctx, media.Room(fmt.Sprintf("seat-room-%d", i)), e.Leg, media.Leg("seat-"+string(seat)))
			}()
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	for _, p := range pages {
		p.reset()
	}
	per := x.talk(k, o.browsers, o.seconds)
	var got, lost uint32
	for _, p := range pages {
		g, l := p.missing()
		got, lost = got+g, lost+l
	}
	fmt.Printf("浏览器座席   %d 通                    每通每秒 %.2f CPU-ms（限 8）\n             电话侧 %s；浏览器侧收 %d 包，丢 %d\n", o.browsers, per, k.tally(), got, lost)
	return nil
}
