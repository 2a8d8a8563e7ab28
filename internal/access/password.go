package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"hotline/internal/fault"
)

// Parameters of argon2id: 19 MiB, 2 passes, 1 lane, some 47 ms of one core.
const (
	argonMemory = 19 << 10
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// hashing lets two hashes run at a time: some 40 logins a second at 38 MiB.
var hashing = make(chan struct{}, 2)

// maxPassword bounds the work that a password can cause.
const maxPassword = 128

// HashPassword makes the stored form of a password. It waits for its turn and
// fails only when ctx ends.
func HashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key, err := stretch(ctx, password, salt)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// verifyPassword compares in constant time. An empty or foreign hash costs the
// same time as a wrong password, so that answers do not tell accounts apart.
func verifyPassword(ctx context.Context, hash, password string) (bool, error) {
	salt, want, ok := splitHash(hash)
	if !ok {
		salt, want = make([]byte, argonSalt), make([]byte, argonKey)
	}
	got, err := stretch(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && ok, nil
}

func splitHash(hash string) (salt, key []byte, ok bool) {
	p := strings.Split(hash, "$")
	if len(p) != 6 || p[1] != "argon2id" || p[2] != fmt.Sprintf("v=%d", argon2.Version) ||
		p[3] != fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonTime, argonLanes) {
		return nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(p[4])
	key, err2 := base64.RawStdEncoding.DecodeString(p[5])
	return salt, key, err1 == nil && err2 == nil && len(key) == argonKey
}

func stretch(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.Unavailable("login_busy", "登录人数较多，请稍后重试。").Because(ctx.Err())
	}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey), nil
}

// judge refuses a password that the rules do not allow. It fails with invalid
// password_weak.
func (r Rules) judge(username, password string) error {
	weak := func(detail string, args ...any) error {
		e := fault.Invalid("password_weak", detail, args...)
		return e.At(fault.Field{Name: "password", Detail: e.Detail})
	}
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || len(password) > maxPassword:
		return weak("密码过长，请不要超过%d个字符。", maxPassword)
	case n < r.MinLength:
		return weak("密码至少%d个字符。", r.MinLength)
	case classes(password) < r.Classes:
		return weak("密码须包含大写字母、小写字母、数字、符号中的至少%d种。", r.Classes)
	}
	if !r.RefuseCommon {
		return nil
	}
	low := strings.ToLower(password)
	if len(username) >= 3 && strings.Contains(low, strings.ToLower(username)) {
		return weak("密码不能包含登录名。")
	}
	if common(low) {
		return weak("这个密码过于常见，容易被猜中，请换一个。")
	}
	return nil
}

func classes(s string) int {
	var upper, lower, digit, other int
	for _, c := range s {
		switch {
		case unicode.IsUpper(c):
			upper = 1
		case unicode.IsLower(c):
			lower = 1
		case unicode.IsDigit(c):
			digit = 1
		default:
			other = 1
		}
	}
	return upper + lower + digit + other
}

//go:embed common.txt
var commonText string

var commonWords = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(commonText) {
		m[w] = true
	}
	return m
})

// common recognises a well-known password behind its usual disguises: digits
// and signs around a known word, letters written as digits, one character
// repeated, a row of the keyboard or the alphabet.
func common(low string) bool {
	known := commonWords()
	plain := strings.NewReplacer("@", "a", "0", "o", "1", "l", "3", "e", "$", "s", "5", "s", "7", "t").Replace(low)
	notLetter := func(c rune) bool { return !unicode.IsLetter(c) }
	for _, w := range []string{low, strings.TrimFunc(low, notLetter), strings.TrimFunc(plain, notLetter), strings.TrimLeftFunc(low, unicode.IsDigit)} {
		if known[w] {
			return true
		}
	}
	distinct := map[rune]bool{}
	for _, c := range low {
		distinct[c] = true
	}
	if len(distinct) <= 3 {
		return true
	}
	const run = 8
	for _, row := range []string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn", "147258369"} {
		for i := 0; i+run <= len(low); i++ {
			if strings.Contains(row, low[i:i+run]) || strings.Contains(row, reversed(low[i:i+run])) {
				return true
			}
		}
	}
	return false
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
