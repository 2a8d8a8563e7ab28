package sdp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Dir is who sends, as the writer of the description sees it.
type Dir string

// The directions of RFC 8866 section 6.7.
const (
	SendRecv Dir = "sendrecv"
	SendOnly Dir = "sendonly"
	RecvOnly Dir = "recvonly"
	Inactive Dir = "inactive"
)

// Mirror is the answer's direction to an offer of d by one who wants everything.
func (d Dir) Mirror() Dir {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	case Inactive:
		return Inactive
	}
	return SendRecv
}

// Sends tells whether the writer of d sends.
func (d Dir) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives tells whether the writer of d wants to hear.
func (d Dir) Receives() bool { return d == SendRecv || d == RecvOnly }

// The encodings the exchange speaks.
const (
	PCMA           = "PCMA"
	PCMU           = "PCMU"
	TelephoneEvent = "telephone-event"
)

// Codec is one payload type of a stream.
type Codec struct {
	PT   uint8
	Name string // PCMA, PCMU or telephone-event, all at 8 kHz
}

// Crypto is one SDES offer (RFC 4568).
type Crypto struct {
	Tag   int
	Suite string // AES_CM_128_HMAC_SHA1_80 …
	Key   string // what stands after "inline:" without lifetime and MKI, base64
}

// Offer is a description of the peer, whether it offered or answered.
type Offer struct {
	Media    []Codec // what we can speak of it, in the peer's order
	Addr     netip.Addr
	Port     int // 0 = the stream is refused
	RTCPPort int // a=rtcp, else Port+1, or Port when RTCPMux
	RTCPMux  bool
	Dir      Dir
	Crypto   []Crypto
	Secure   bool // RTP/SAVP
	Ptime    int  // ms, 0 = not said
	Session  string
	streams  []stream
}

// stream is what an answer must repeat of each m= line.
type stream struct {
	kind, proto, formats string
	taken                bool
}

// Voice is the first G.711 codec that the peer listed.
func (o Offer) Voice() (Codec, bool) {
	for _, c := range o.Media {
		if c.Name != TelephoneEvent {
			return c, true
		}
	}
	return Codec{}, false
}

// Events is the peer's payload type of telephone-events.
func (o Offer) Events() (uint8, bool) {
	for _, c := range o.Media {
		if c.Name == TelephoneEvent {
			return c.PT, true
		}
	}
	return 0, false
}

// Protection is the peer's crypto line of a suite.
func (o Offer) Protection(suite string) (Crypto, bool) {
	for _, c := range o.Crypto {
		if c.Suite == suite {
			return c, true
		}
	}
	return Crypto{}, false
}

// Held tells whether the peer has put us on hold: it does not want to hear us,
// by direction or by the old address 0.0.0.0.
func (o Offer) Held() bool {
	return o.Port != 0 && (!o.Dir.Receives() || o.Addr.IsUnspecified())
}

const (
	maxBody    = 16 << 10
	maxLines   = 512
	maxStreams = 16
)

// What a description can lack.
var (
	ErrSize  = errors.New("sdp: description too large")
	ErrLine  = errors.New("sdp: malformed line")
	ErrAudio = errors.New("sdp: no audio stream")
	ErrAddr  = errors.New("sdp: no usable address")
)

// Parse reads a description. Lines may end in CRLF or LF; the first audio stream
// with a port counts, else the first audio stream.
func Parse(body []byte) (Offer, error) {
	var o Offer
	if len(body) > maxBody {
		return o, ErrSize
	}
	lines := strings.FieldsFunc(string(body), func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) > maxLines {
		return o, ErrSize
	}
	if len(lines) == 0 || lines[0] != "v=0" {
		return o, ErrLine
	}
	session := section{dir: SendRecv}
	var found []section
	cur := &session
	for _, line := range lines {
		if len(line) < 2 || line[1] != '=' {
			return o, ErrLine
		}
		value := line[2:]
		switch line[0] {
		case 'o':
			o.Session = value
		case 'm':
			if len(found) == maxStreams {
				return o, ErrSize
			}
			m, err := media(value)
			if err != nil {
				return o, err
			}
			m.dir, m.addr, m.crypto = session.dir, session.addr, session.crypto
			found = append(found, m)
			cur = &found[len(found)-1]
		case 'c':
			if err := cur.connection(value); err != nil {
				return o, err
			}
		case 'a':
			cur.attribute(value)
		}
	}
	a := audio(found)
	if a == nil {
		return o, ErrAudio
	}
	if a.port != 0 && !a.addr.IsValid() {
		return o, ErrAddr
	}
	a.taken = true
	for _, m := range found {
		o.streams = append(o.streams, m.stream)
	}
	o.Addr, o.Port, o.Dir, o.Crypto, o.RTCPMux, o.Ptime = a.addr, a.port, a.dir, a.crypto, a.mux, a.ptime
	o.Secure = strings.Contains(a.proto, "SAVP")
	o.Media = a.codecs()
	switch {
	case a.mux:
		o.RTCPPort = a.port
	case a.rtcp != 0:
		o.RTCPPort = a.rtcp
	case a.port != 0 && a.port < 65535:
		o.RTCPPort = a.port + 1
	}
	return o, nil
}

// section is the session's part or one stream's.
type section struct {
	stream
	port   int
	addr   netip.Addr
	dir    Dir
	crypto []Crypto
	mux    bool
	rtcp   int
	ptime  int
	names  map[uint8]string
}

func media(value string) (section, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return section{}, ErrLine
	}
	port, _, _ := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return section{}, ErrLine
	}
	return section{stream: stream{kind: f[0], proto: f[2], formats: strings.Join(f[3:], " ")}, port: int(n)}, nil
}

func (s *section) connection(value string) error {
	f := strings.Fields(value)
	if len(f) < 3 || f[0] != "IN" {
		return ErrLine
	}
	host, _, _ := strings.Cut(f[2], "/")
	if a, err := netip.ParseAddr(host); err == nil {
		s.addr = a.Unmap()
	}
	return nil // a host name is no usable address; that matters only if the stream is used
}

func (s *section) attribute(value string) {
	name, rest, _ := strings.Cut(value, ":")
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		s.dir = Dir(name)
	case "rtcp-mux":
		s.mux = true
	case "rtcp":
		port, _, _ := strings.Cut(rest, " ")
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			s.rtcp = int(n)
		}
	case "ptime":
		if n, err := strconv.Atoi(strings.TrimSpace(rest)); err == nil && n > 0 && n <= 200 {
			s.ptime = n
		}
	case "rtpmap":
		pt, enc, ok := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(pt, 10, 7)
		if !ok || err != nil {
			return
		}
		if s.names == nil {
			s.names = map[uint8]string{}
		}
		s.names[uint8(n)] = encoding(strings.TrimSpace(enc))
	case "crypto":
		if c, ok := crypto(rest); ok && len(s.crypto) < 8 {
			s.crypto = append(s.crypto[:len(s.crypto):len(s.crypto)], c)
		}
	}
}

// encoding is our name of "PCMA/8000", "" for what we do not speak.
func encoding(s string) string {
	name, clock, _ := strings.Cut(s, "/")
	clock, channels, _ := strings.Cut(clock, "/")
	if clock != "8000" || channels != "" && channels != "1" {
		return ""
	}
	for _, known := range []string{PCMA, PCMU, TelephoneEvent} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return ""
}

func crypto(s string) (Crypto, bool) {
	f := strings.Fields(s)
	if len(f) < 3 {
		return Crypto{}, false
	}
	tag, err := strconv.Atoi(f[0])
	key, ok := strings.CutPrefix(f[2], "inline:")
	if err != nil || !ok || tag < 0 {
		return Crypto{}, false
	}
	key, rest, _ := strings.Cut(key, "|")
	if strings.Contains(rest, ":") || strings.Contains(key, ";") { // an MKI, several keys
		return Crypto{}, false
	}
	for _, p := range f[3:] { // UNENCRYPTED_SRTP, KDR …: what changes the protection is not ours
		if !strings.HasPrefix(p, "WSH=") {
			return Crypto{}, false
		}
	}
	return Crypto{Tag: tag, Suite: f[1], Key: key}, true
}

// codecs lists what we speak in the order of the m= line; types 0 and 8 need no rtpmap.
func (s *section) codecs() []Codec {
	var out []Codec
	for _, f := range strings.Fields(s.formats) {
		n, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		pt := uint8(n)
		name, said := s.names[pt]
		if !said {
			name = map[uint8]string{0: PCMU, 8: PCMA}[pt]
		}
		if name != "" && len(out) < 8 {
			out = append(out, Codec{pt, name})
		}
	}
	return out
}

func audio(found []section) *section {
	var first *section
	for i := range found {
		if found[i].kind != "audio" {
			continue
		}
		if found[i].port != 0 {
			return &found[i]
		}
		if first == nil {
			first = &found[i]
		}
	}
	return first
}
