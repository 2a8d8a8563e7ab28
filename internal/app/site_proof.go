package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"hotline/internal/access"
	"hotline/internal/citizen"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// phoneCodes holds the log-in codes that were sent, hashed, for ten minutes.
type phoneCodes struct {
	mu sync.Mutex
	by map[string]sentCode
}

type sentCode struct {
	hash  [32]byte
	until time.Time
	tries int
	day   string
	sent  int // today
}

const (
	codeLife    = 10 * time.Minute
	codesPerDay = 5
)

// SendCode sends a code whether or not the phone is known: five a day and phone,
// and a bounded number an hour and address. What is refused leaves the code sent before good.
func (s *site) SendCode(ctx context.Context, phone, ip string) error {
	p, ok := zh.NormalizePhone(phone)
	if !ok {
		return fault.Invalid("phone_invalid", "电话号码格式不正确。").At(fault.Field{Name: "phone", Detail: "请输入11位手机号。"})
	}
	if err := s.a.Gate.Text(ip); err != nil {
		return err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	code := fmt.Sprintf("%06d", n)
	c := &s.a.codes
	c.mu.Lock()
	if c.by == nil {
		c.by = map[string]sentCode{}
	}
	if len(c.by) > 100_000 {
		for k, v := range c.by {
			if s.Now().After(v.until.Add(24 * time.Hour)) {
				delete(c.by, k)
			}
		}
	}
	e := c.by[p]
	if today := s.Now().Format("0102"); e.day != today {
		e.day, e.sent = today, 0
	}
	over := e.sent >= codesPerDay
	if !over {
		e.sent++
		e.hash, e.until, e.tries = sha256.Sum256([]byte(p+code)), s.Now().Add(codeLife), 0
		c.by[p] = e
	}
	c.mu.Unlock()
	if over {
		return fault.TooMany("code_limit", "今天获取验证码次数过多，请明天再试，或拨打12345查询。")
	}
	return s.a.Notify.SendCode(ctx, p, code)
}

// checkCode spends a try; five wrong ones end the code.
func (s *site) checkCode(phone, code string) bool {
	c := &s.a.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.by[phone]
	if !ok || e.tries >= 5 || s.Now().After(e.until) {
		return false
	}
	e.tries++
	sum := sha256.Sum256([]byte(phone + strings.TrimSpace(code)))
	if subtle.ConstantTimeCompare(sum[:], e.hash[:]) == 1 {
		e.tries = 5
		c.by[phone] = e
		return true
	}
	c.by[phone] = e
	return false
}

func (s *site) ByPhone(_ context.Context, phone, code, _ string) (string, error) {
	p, ok := zh.NormalizePhone(phone)
	if !ok || !s.checkCode(p, code) {
		return "", wrongCode("smscode")
	}
	return s.token("p", hex.EncodeToString(s.a.Ticket.PhoneIndex(access.Normal, p)), 30*time.Minute), nil
}

// wrongCode tells beside an input of the page that its code does not open anything.
func wrongCode(input string) error {
	e := fault.Invalid("code_invalid", "验证码不正确或已过期，请核对后再填，或者重新获取。")
	return e.At(fault.Field{Name: input, Detail: e.Detail})
}

func (s *site) Challenge(ip string) (*citizen.Challenge, bool) {
	if !s.a.Gate.Over(ip) {
		return nil, false
	}
	c := s.a.Gate.Challenge(ip)
	return &citizen.Challenge{Token: c.Token, Bits: c.Bits}, true
}

func (s *site) VerifyChallenge(_ context.Context, ip string, a citizen.Answer) error {
	err := s.a.Gate.Allow(ip)
	if err == nil || s.a.Gate.Proved(ip, a.Solution) {
		return nil
	}
	if a.Code == "" {
		return err
	}
	if p, ok := zh.NormalizePhone(a.Phone); ok && s.checkCode(p, a.Code) {
		return nil
	}
	return wrongCode("proofcode")
}
