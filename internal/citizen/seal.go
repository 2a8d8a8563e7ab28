package citizen

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// box seals what the visitor's browser keeps for us, so that it can neither be
// read on a shared machine nor be altered.
type box struct {
	aead cipher.AEAD
	mac  []byte
}

func newBox(key []byte) box {
	sub := func(purpose string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte("citizen/" + purpose))
		return m.Sum(nil)
	}
	block, err := aes.NewCipher(sub("seal"))
	if err != nil {
		panic(err) // a 32-byte key is always accepted
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return box{aead, sub("alias")}
}

// seal gives v as text that only open of the same purpose understands.
func (b box) seal(purpose string, v any) string {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(plain)+b.aead.Overhead())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(b.aead.Seal(nonce, nonce, plain, []byte(purpose)))
}

// open reads text of seal into v and tells whether it was ours.
func (b box) open(purpose, text string, v any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	n := b.aead.NonceSize()
	if err != nil || len(raw) < n {
		return false
	}
	plain, err := b.aead.Open(nil, raw[:n], raw[n:], []byte(purpose))
	return err == nil && json.Unmarshal(plain, v) == nil
}

// alias is how an address names a ticket: it says nothing without our key.
func (b box) alias(number string) string {
	m := hmac.New(sha256.New, b.mac)
	m.Write([]byte(number))
	return base32.HexEncoding.EncodeToString(m.Sum(nil)[:10])
}

// randomKey makes one write recognisable when it arrives twice.
func randomKey() string { return rand.Text() }

const (
	passLife  = 30 * time.Minute // of a look-up without a click
	passLimit = 20               // tickets one browser may have open; keeps the cookie under 4 kB
)

// pass is what a visitor has proved: which tickets may be opened, and by what.
type pass struct {
	Until int64   `json:"u"`           // Unix seconds
	Phone string  `json:"p,omitempty"` // token of the phone look-up
	Refs  []entry `json:"r,omitempty"` // newest first
}

type entry struct {
	N string `json:"n"`
	C string `json:"c,omitempty"`
	T string `json:"t,omitempty"` // token of a link in a notice; both empty: the phone's token
}

func (h *site) cookieName(name string) string {
	if h.opt.Secure {
		return "__Host-" + name
	}
	return name
}

// passOf reads the visitor's pass; a missing or old one is empty.
func (h *site) passOf(r *http.Request) pass {
	var p pass
	if c, err := r.Cookie(h.cookieName("pass")); err != nil || !h.box.open("pass", c.Value, &p) || h.s.Now().Unix() > p.Until {
		return pass{}
	}
	return p
}

// keep stores the pass for another passLife. Lax, not Strict: a link in an SMS
// arrives from outside and goes on to the ticket in the same navigation.
func (h *site) keep(w http.ResponseWriter, p pass) {
	p.Until = h.s.Now().Add(passLife).Unix()
	http.SetCookie(w, &http.Cookie{
		Name: h.cookieName("pass"), Value: h.box.seal("pass", p), Path: "/",
		HttpOnly: true, Secure: h.opt.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// with puts a ticket in front of the pass.
func (p pass) with(e entry) pass {
	refs := []entry{e}
	for _, old := range p.Refs {
		if old.N != e.N && len(refs) < passLimit {
			refs = append(refs, old)
		}
	}
	p.Refs = refs
	return p
}

// ref finds the ticket that an address names in the visitor's pass.
func (h *site) ref(r *http.Request, p pass) (Ref, bool) {
	k := r.PathValue("k")
	for _, e := range p.Refs {
		if hmac.Equal([]byte(h.box.alias(e.N)), []byte(k)) {
			ref := Ref{Number: e.N, Code: e.C, Token: e.T, IP: h.ip(r)}
			if ref.Code == "" && ref.Token == "" {
				ref.Token = p.Phone
			}
			return ref, true
		}
	}
	return Ref{}, false
}

// remember sets one taste of the visitor (关怀版, 高对比) for a year.
func (h *site) remember(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: h.opt.Secure, SameSite: http.SameSiteLaxMode,
	})
}
