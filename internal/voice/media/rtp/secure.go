package rtp

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"
)

// Suite is the one protection of sound that we offer and accept for SIP legs
// (RFC 4568 section 6.2): AES in counter mode, 80 bits of authentication.
const Suite = "AES_CM_128_HMAC_SHA1_80"

// Keys (媒体密钥) are the master keys of a secured stream, as SDES writes them:
// 16 bytes of key and 14 of salt in base64. The zero value is sound in the clear.
type Keys struct {
	Send    string `json:"s,omitempty"`
	Receive string `json:"r,omitempty"`
}

// NewKey makes a master key for one direction of one leg.
func NewKey() string {
	var b [30]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(b[:])
}

// GoodKey tells whether a peer's key can be used.
func GoodKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 30
}

var errKey = errors.New("rtp: unusable media key")

// protection is SRTP and SRTCP (RFC 3711) of one stream: out is used under
// Sender.mu, in under the receiver's lock.
type protection struct {
	keys Keys
	out  *srtp.Context
	in   *srtp.Context
	buf  []byte // of out
	rtcp []byte
	// After a restart the peer's numbers may have gone round unseen: until its
	// first packet opens, the next turn is tried as well.
	peer struct {
		unsure bool
		ssrc   uint32
		roc    uint32
	}
}

func newProtection(k Keys) (*protection, error) {
	p := &protection{keys: k}
	for _, side := range []struct {
		key string
		ctx **srtp.Context
	}{{k.Send, &p.out}, {k.Receive, &p.in}} {
		b, err := base64.StdEncoding.DecodeString(side.key)
		if err != nil || len(b) != 30 {
			return nil, errKey
		}
		c, err := srtp.CreateContext(b[:16], b[16:], srtp.ProtectionProfileAes128CmHmacSha1_80, srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(64))
		if err != nil {
			return nil, fmt.Errorf("rtp: %w", err)
		}
		*side.ctx = c
	}
	return p, nil
}

// seal protects a packet; nil = it cannot be sent.
func (p *protection) seal(b []byte) []byte {
	out, err := p.out.EncryptRTP(p.buf[:0], b, nil)
	if err != nil {
		return nil
	}
	p.buf = out
	return out
}

func (p *protection) sealReport(b []byte) []byte {
	out, err := p.out.EncryptRTCP(p.rtcp[:0], b, nil)
	if err != nil {
		return nil
	}
	p.rtcp = out
	return out
}

// open gives what a packet says, nil unless the peer wrote it.
func (p *protection) open(dst, b []byte) []byte {
	out, err := p.in.DecryptRTP(dst[:0], b, nil)
	if err != nil && p.peer.unsure {
		p.in.SetROC(p.peer.ssrc, p.peer.roc+1)
		if out, err = p.in.DecryptRTP(dst[:0], b, nil); err != nil {
			p.in.SetROC(p.peer.ssrc, p.peer.roc)
		}
	}
	if err != nil {
		return nil
	}
	p.peer.unsure = false
	return out
}

// resume goes on with the peer's numbers as they were.
func (p *protection) resume(ssrc, roc uint32) {
	p.peer.unsure, p.peer.ssrc, p.peer.roc = true, ssrc, roc
	p.in.SetROC(ssrc, roc)
}

func (p *protection) openReport(dst, b []byte) []byte {
	out, err := p.in.DecryptRTCP(dst[:0], b, nil)
	if err != nil {
		return nil
	}
	return out
}
