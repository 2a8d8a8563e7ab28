package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// The suites by name, as configuration and key files write them.
const (
	SuiteSM   = "sm"   // SM4-GCM, HMAC-SM3 (GB/T 32907, GB/T 32905)
	SuiteIntl = "intl" // AES-256-GCM, HMAC-SHA-256
)

const (
	nonceSize = 12
	tagSize   = 16
	overhead  = 1 + nonceSize + tagSize
)

// suite is a set of algorithms; its id is the first byte of all it seals.
type suite struct {
	id      byte
	name    string
	keySize int
	block   func(key []byte) (cipher.Block, error)
	hash    func() hash.Hash
}

var suites = []*suite{
	{1, SuiteSM, 16, sm4.NewCipher, sm3.New},
	{2, SuiteIntl, 32, aes.NewCipher, sha256.New},
}

func suiteNamed(name string) (*suite, error) {
	for _, s := range suites {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("seal: unknown suite %q", name)
}

func suiteOf(id byte) *suite {
	for _, s := range suites {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (s *suite) aead(key []byte) (cipher.AEAD, error) {
	if len(key) != s.keySize {
		return nil, fmt.Errorf("seal: key of %d bytes for suite %s", len(key), s.name)
	}
	b, err := s.block(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// seal appends suite ‖ nonce ‖ ciphertext ‖ tag to dst.
func (s *suite) seal(dst []byte, a cipher.AEAD, ad string, plain []byte) []byte {
	dst = append(dst, s.id)
	n := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	rand.Read(dst[n:]) // never fails: the runtime stops the program first
	return a.Seal(dst, dst[n:n+nonceSize], plain, []byte(ad))
}

// open reverses seal.
func (s *suite) open(a cipher.AEAD, ad string, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead || sealed[0] != s.id {
		return nil, fmt.Errorf("seal: not sealed under suite %s", s.name)
	}
	return a.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], []byte(ad))
}

func (s *suite) mac(key []byte, parts ...string) []byte {
	m := hmac.New(s.hash, key)
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
