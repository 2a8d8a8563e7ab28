package sip

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strconv"
	"sync"
	"time"

	sg "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"hotline/internal/clock"
)

// door checks digests (RFC 2617 with qop=auth, as RFC 3261 22.4 wants it). A
// nonce carries its own proof, so strangers who only ask for one leave nothing
// behind; the counts of used ones are kept against replay.
type door struct {
	clock  clock.Clock
	secret []byte
	realm  string
	mu     sync.Mutex
	used   map[string]use
	failed map[string]failure
}

type use struct {
	count int
	until time.Time
}

type failure struct {
	tries  int
	since  time.Time
	locked time.Time
}

const (
	nonceLife  = 5 * time.Minute
	maxTries   = 5 // wrong secrets from one address for one user …
	tryWindow  = 10 * time.Minute
	lockedOut  = 15 * time.Minute
	maxEntries = 20000
)

func newDoor(c clock.Clock, secret []byte, realm string) *door {
	return &door{clock: c, secret: secret, realm: realm, used: map[string]use{}, failed: map[string]failure{}}
}

// nonce is when it was made, chance, and a MAC over both.
func (d *door) nonce() string {
	var b [32]byte
	binary.BigEndian.PutUint64(b[:], uint64(d.clock.Now().UnixMilli()))
	rand.Read(b[8:16])
	copy(b[16:], d.mac(b[:16]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (d *door) mac(b []byte) []byte {
	m := hmac.New(sha256.New, d.secret)
	m.Write(b)
	return m.Sum(nil)[:16]
}

// fresh tells whether a nonce is ours and whether it is still young.
func (d *door) fresh(nonce string) (ours, young bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], d.mac(b[:16])) {
		return false, false
	}
	age := d.clock.Now().UnixMilli() - int64(binary.BigEndian.Uint64(b))
	return true, age >= 0 && age < nonceLife.Milliseconds()
}

func (d *door) challenge(stale bool) []sg.Header {
	v := `Digest realm="` + d.realm + `", nonce="` + d.nonce() + `", algorithm=MD5, qop="auth"`
	if stale {
		v += ", stale=true"
	}
	return []sg.Header{sg.NewHeader("WWW-Authenticate", v)}
}

// check judges credentials for user, whose HA1 may be "" (no such user, which
// looks the same from outside). Code 0 = proven.
func (d *door) check(method, authorization, user, ha1 string, from netip.Addr) (code int, extra []sg.Header) {
	if authorization == "" {
		return 401, d.challenge(false)
	}
	key := from.String() + ";" + user
	if wait := d.locked(key); wait > 0 {
		return 403, []sg.Header{sg.NewHeader("Retry-After", strconv.Itoa(int(wait/time.Second)+1))}
	}
	cred, err := digest.ParseCredentials(authorization)
	if err != nil || len(cred.Cnonce) > 256 {
		return 400, nil
	}
	ours, young := d.fresh(cred.Nonce)
	if !ours || cred.QOP != "auth" || cred.Nc < 1 || cred.Realm != d.realm {
		return 401, d.challenge(false)
	}
	want, err := digest.Digest(&digest.Challenge{Realm: d.realm, Nonce: cred.Nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: method, URI: cred.URI, Username: user, Cnonce: cred.Cnonce, Count: cred.Nc, A1: or(ha1, "none")})
	right := err == nil && subtle.ConstantTimeCompare([]byte(want.Response), []byte(cred.Response)) == 1
	if !right || ha1 == "" || cred.Username != user {
		d.fail(key)
		return 401, d.challenge(false)
	}
	if !young || !d.count(cred.Nonce, cred.Nc) {
		return 401, d.challenge(true)
	}
	d.mu.Lock()
	delete(d.failed, key)
	d.mu.Unlock()
	return 0, nil
}

// count takes a nonce's count; false = it has been used.
func (d *door) count(nonce string, nc int) bool {
	now := d.clock.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.used) > maxEntries {
		for k, u := range d.used {
			if now.After(u.until) {
				delete(d.used, k)
			}
		}
	}
	if nc <= d.used[nonce].count {
		return false
	}
	d.used[nonce] = use{nc, now.Add(nonceLife)}
	return true
}

func (d *door) locked(key string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed[key].locked.Sub(d.clock.Now())
}

func (d *door) fail(key string) {
	now := d.clock.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.failed) > maxEntries {
		for k, f := range d.failed {
			if now.After(f.locked) && now.Sub(f.since) > tryWindow {
				delete(d.failed, k)
			}
		}
	}
	f := d.failed[key]
	if now.Sub(f.since) > tryWindow {
		f = failure{since: now}
	}
	if f.tries++; f.tries >= maxTries {
		f = failure{since: now, locked: now.Add(lockedOut)}
	}
	d.failed[key] = f
}
