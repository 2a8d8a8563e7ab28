package rtp

import (
	"math/rand/v2"
	"sync"
)

// Sender (发送端) makes one continuous RTP stream of whatever a leg is given to
// hear, from whoever speaks. Its methods are called by any shard.
type Sender struct {
	mu     sync.Mutex
	write  func(b []byte) // one packet to the peer; nil once closed
	law    Law
	event  byte // payload type of telephone events, 0 = the peer does not know them
	open   bool
	s      sending
	seq    uint16
	ts     uint32 // of the last packet
	size   uint32 // samples in it
	last   int64  // ns when it left
	source any    // who spoke last
	epoch  uint32
	seqOff uint16
	tsOff  uint32
	tones  []tone
	buf    []byte
	p      Packet
}

// maxSound is 120 ms, more than anybody packs into a datagram.
const maxSound = 960

// Begin has the sender write by law l with write, from random numbers on.
func (o *Sender) Begin(l Law, write func(b []byte)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write, o.law, o.open = write, l, true
	o.s.ssrc, o.seq, o.ts = rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
}

// Stop ends it; no write is under way once it returns.
func (o *Sender) Stop() {
	o.mu.Lock()
	o.write, o.open, o.source = nil, false, nil
	o.mu.Unlock()
}

// Speak sends 20 ms of A-law that we made ourselves: a prompt, a mix, silence.
// source names who speaks; when it changes the stream goes on without a jump,
// with the marker set.
func (o *Sender) Speak(now int64, source any, sound *[FrameSize]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		return
	}
	o.p = Packet{Type: byte(o.law), SSRC: o.s.ssrc, Seq: o.seq + 1}
	if len(o.tones) > 0 {
		o.tone(now)
		return
	}
	if o.source == source {
		o.p.TS = o.ts + o.size
	} else {
		o.p.Mark, o.p.TS = true, o.resume(now)
		o.source = source
	}
	b := o.room(FrameSize)
	Convert(b[headerSize:], sound[:], PCMA, o.law)
	o.send(now, b, FrameSize)
}

// Relay passes a packet of another leg on without decoding it. Numbers and
// stamps keep their distances, so what was lost on the way in shows as lost.
func (o *Sender) Relay(now int64, source any, f *Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open || len(f.Sound) > maxSound || f.Event && o.event == 0 {
		return
	}
	o.p = Packet{Type: byte(o.law), Mark: f.Mark, SSRC: o.s.ssrc}
	if o.source != source || o.epoch != f.Epoch {
		o.source, o.epoch = source, f.Epoch
		o.seqOff, o.tsOff = o.seq+1-f.Seq, o.resume(now)-f.TS
		o.p.Mark = true
	}
	o.p.Seq, o.p.TS = f.Seq+o.seqOff, f.TS+o.tsOff
	b := o.room(len(f.Sound))
	size := uint32(len(f.Sound))
	if f.Event {
		o.p.Type, size = o.event, 0
		copy(b[headerSize:], f.Sound)
	} else {
		Convert(b[headerSize:], f.Sound, f.Law, o.law)
	}
	o.send(now, b, size)
}

// room is a packet for n bytes of sound.
func (o *Sender) room(n int) []byte {
	if cap(o.buf) < headerSize+n {
		o.buf = make([]byte, headerSize+max(n, FrameSize))
	}
	return o.buf[:headerSize+n]
}

// resume is the time stamp of the first packet of a new source: as much after
// the last one as time has passed.
func (o *Sender) resume(now int64) uint32 {
	gap := uint32(0)
	if d := (now - o.last) / 125000; o.last != 0 && d > 0 {
		gap = uint32(d)
	}
	return o.ts + max(o.size, gap, FrameSize)
}

// send writes the packet whose payload stands in b already.
func (o *Sender) send(now int64, b []byte, size uint32) {
	o.p.header(b)
	o.write(b)
	o.s.packets++
	o.s.bytes += uint32(len(b) - headerSize)
	if int16(o.p.Seq-o.seq) > 0 { // a packet that was overtaken does not set us back
		o.seq, o.ts, o.size = o.p.Seq, o.p.TS, size
	}
	o.s.ts, o.last = o.p.TS, now
}

// Press sends a digit as telephone events, ahead of what Speak is given; false
// when the peer does not know them.
func (o *Sender) Press(digit byte) bool {
	e, known := eventOf(digit)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !known || o.event == 0 || len(o.tones) >= 32 {
		return false
	}
	o.tones = append(o.tones, tone{event: e})
	return true
}

// Due tells whether Speak must be called: digits wait, or nothing has left for
// so long that translators would close the way and browsers stretch the sound.
func (o *Sender) Due(now int64) bool {
	const idle = 200e6
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open && (len(o.tones) > 0 || now-o.last > idle)
}

// tone sends the next event packet in place of sound.
func (o *Sender) tone(now int64) {
	t := &o.tones[0]
	if t.step == 0 {
		t.ts = o.resume(now)
		o.source = t
	}
	var payload [4]byte
	mark, more := t.next(&payload)
	o.p.Type, o.p.TS, o.p.Mark = o.event, t.ts, mark
	b := o.room(4)
	copy(b[headerSize:], payload[:])
	o.send(now, b, uint32(t.step)*FrameSize) // all carry the stamp of the beginning
	if !more {
		o.tones, o.source = o.tones[1:], nil
	}
}
