package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Local is our side of a leg.
type Local struct {
	Addr    netip.Addr
	Port    int
	Session uint64 // the same for the life of a leg
	Version uint64 // rises by one with every change
	Dir     Dir    // "" = sendrecv
	RTCPMux bool
	Crypto  *Crypto // set = RTP/SAVP
}

// TelephonePT is the payload type under which we offer telephone-events.
const TelephonePT = 101

// ErrCodec is an offer without G.711.
var ErrCodec = errors.New("sdp: no codec in common")

// Build writes an offer: A-law first, because the network behind every trunk in
// China is A-law, then µ-law, then telephone-events.
func Build(l Local) []byte {
	return l.write([]stream{{kind: "audio"}}, 0, []Codec{{8, PCMA}, {0, PCMU}, {TelephonePT, TelephoneEvent}})
}

// Answer writes the answer to o: one G.711 codec, the peer's number of
// telephone-events, every other stream refused. l.Dir "" answers the mirror of
// the offer's direction.
func (o Offer) Answer(l Local) ([]byte, error) {
	voice, ok := o.Voice()
	if !ok {
		return nil, ErrCodec
	}
	codecs := []Codec{voice}
	if pt, ok := o.Events(); ok {
		codecs = append(codecs, Codec{pt, TelephoneEvent})
	}
	if l.Dir == "" || l.Dir == SendRecv {
		l.Dir = o.Dir.Mirror()
	} else {
		l.Dir = narrow(l.Dir, o.Dir.Mirror())
	}
	l.RTCPMux = l.RTCPMux && o.RTCPMux
	return l.write(o.streams, o.chosen(), codecs), nil
}

// narrow is the direction that both a and b allow.
func narrow(a, b Dir) Dir {
	send, receive := a.Sends() && b.Sends(), a.Receives() && b.Receives()
	switch {
	case send && receive:
		return SendRecv
	case send:
		return SendOnly
	case receive:
		return RecvOnly
	}
	return Inactive
}

// chosen is the index of the stream that Parse took.
func (o Offer) chosen() int {
	for i, s := range o.streams {
		if s.kind == "audio" && s.taken {
			return i
		}
	}
	return 0
}

func (l Local) write(streams []stream, chosen int, codecs []Codec) []byte {
	var b strings.Builder
	ip := "IP4"
	if l.Addr.Is6() {
		ip = "IP6"
	}
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", l.Session, l.Version, ip, l.Addr, ip, l.Addr)
	for i, s := range streams {
		if i != chosen {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", s.kind, s.proto, s.formats)
			continue
		}
		l.audio(&b, s, codecs)
	}
	return []byte(b.String())
}

func (l Local) audio(b *strings.Builder, s stream, codecs []Codec) {
	proto := s.proto // an answer repeats the offer's
	if proto == "" {
		proto = "RTP/AVP"
		if l.Crypto != nil {
			proto = "RTP/SAVP"
		}
	}
	fmt.Fprintf(b, "m=audio %d %s", l.Port, proto)
	for _, c := range codecs {
		fmt.Fprintf(b, " %d", c.PT)
	}
	b.WriteString("\r\n")
	for _, c := range codecs {
		fmt.Fprintf(b, "a=rtpmap:%d %s/8000\r\n", c.PT, c.Name)
		if c.Name == TelephoneEvent {
			fmt.Fprintf(b, "a=fmtp:%d 0-15\r\n", c.PT)
		}
	}
	b.WriteString("a=ptime:20\r\n")
	if l.RTCPMux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if l.Crypto != nil {
		fmt.Fprintf(b, "a=crypto:%d %s inline:%s\r\n", l.Crypto.Tag, l.Crypto.Suite, l.Crypto.Key)
	}
	dir := l.Dir
	if dir == "" {
		dir = SendRecv
	}
	fmt.Fprintf(b, "a=%s\r\n", dir)
}
