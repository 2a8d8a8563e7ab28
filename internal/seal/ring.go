package seal

import (
	"container/list"
	"context"
	"crypto/cipher"
	"errors"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm2"

	"hotline/internal/fault"
)

// openKeys bounds the data keys kept open in memory: the subjects that a busy
// centre has in hand.
const openKeys = 4096

// Ring (密钥环) makes, opens and rewraps data keys and computes blind indexes.
// One is made at start and shared by every room.
type Ring struct {
	provider KeyProvider
	blind    *suite

	mu     sync.Mutex
	keks   map[string]cipher.AEAD
	blinds map[string][]byte
	opened map[string]*list.Element // wrapped to *entry
	recent *list.List               // most recently used first
}

type entry struct {
	wrapped string
	key     *Key
}

// NewRing makes the ring of a provider.
func NewRing(p KeyProvider) *Ring {
	r := &Ring{provider: p, keks: map[string]cipher.AEAD{}, blinds: map[string][]byte{}, opened: map[string]*list.Element{}, recent: list.New()}
	r.blind = suites[0]
	if b, ok := p.(blindSuiter); ok {
		r.blind = b.blindSuite()
	}
	return r
}

// Key (数据密钥) is the data key of one subject. It is safe for use by several
// goroutines and holds no reference to the ring.
type Key struct {
	suite *suite
	aead  cipher.AEAD
}

// NewKey makes a data key and the wrapped form that the subject's row stores:
// suite ‖ length of the KEK's id ‖ id ‖ suite ‖ nonce ‖ ciphertext ‖ tag.
func (r *Ring) NewKey() (*Key, []byte, error) {
	id := r.provider.Current()
	s := suiteOfID(id)
	if s == nil {
		return nil, nil, keyUnavailable(errors.New("seal: key id " + id + " names no suite"))
	}
	raw := randomBytes(s.keySize)
	wrapped, err := r.wrap(id, s, raw)
	if err != nil {
		return nil, nil, err
	}
	aead, err := s.aead(raw)
	if err != nil {
		return nil, nil, fault.Internal(err)
	}
	k := &Key{s, aead}
	r.remember(string(wrapped), k)
	return k, wrapped, nil
}

// OpenKey unwraps a data key. The error is code "shredded" when the wrapped
// key was erased, "key_unavailable" when the provider does not answer and
// "seal_broken" when the wrapped key was altered.
func (r *Ring) OpenKey(wrapped []byte) (*Key, error) {
	if k := r.recall(wrapped); k != nil {
		return k, nil
	}
	_, s, raw, err := r.unwrap(wrapped)
	if err != nil {
		return nil, err
	}
	aead, err := s.aead(raw)
	if err != nil {
		return nil, broken(err)
	}
	k := &Key{s, aead}
	r.remember(string(wrapped), k)
	return k, nil
}

// Forget drops an opened data key from memory. Whoever erases a wrapped key
// calls it after the commit, so that nothing of the subject stays readable.
func (r *Ring) Forget(wrapped []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.opened[string(wrapped)]; ok {
		r.recent.Remove(e)
		delete(r.opened, string(wrapped))
	}
}

// Rewrap wraps a data key under the current KEK; changed is false when it is
// already. Sealed fields stay as they are.
func (r *Ring) Rewrap(wrapped []byte) (out []byte, changed bool, err error) {
	current := r.provider.Current()
	id, s, raw, err := r.unwrap(wrapped)
	if err != nil {
		return nil, false, err
	}
	if id == current {
		return wrapped, false, nil
	}
	out, err = r.wrap(current, s, raw)
	return out, err == nil, err
}

// Rotate makes a new KEK current, where the provider can; data keys follow by
// Rewrap. It returns the new id.
func (r *Ring) Rotate() (id string, err error) {
	p, ok := r.provider.(Rotator)
	if !ok {
		return "", fault.Invalid("key_rotate", "当前密钥由外部密码设备管理，请在密码设备上更换主密钥。")
	}
	return p.Rotate()
}

// Blind is the keyed index of a value: 16 bytes that only the holder of the
// blind key can compute. The value is given in its one normal form; purposes
// are apart, so the index of a phone tells nothing of the same one elsewhere.
func (r *Ring) Blind(purpose, value string) []byte {
	r.mu.Lock()
	key, ok := r.blinds[purpose]
	if !ok {
		key = r.provider.BlindKey(purpose)
		r.blinds[purpose] = key
	}
	r.mu.Unlock()
	return r.blind.mac(key, purpose, "\x00", value)[:16]
}

// Sign signs msg with SM2, as for checkpoints and federation envelopes.
func (r *Ring) Sign(msg []byte) ([]byte, error) {
	s, ok := r.provider.(Signer)
	if !ok {
		return nil, keyUnavailable(errors.New("seal: the provider does not sign"))
	}
	sig, err := s.Sign(msg)
	if err != nil {
		return nil, keyUnavailable(err)
	}
	return sig, nil
}

// Verify tells whether Sign made sig over msg with this ring's key.
func (r *Ring) Verify(msg, sig []byte) bool { return VerifyBy(r.PublicKey(), msg, sig) }

// PublicKey is the uncompressed SM2 point with which others verify; nil when
// the provider does not sign.
func (r *Ring) PublicKey() []byte {
	if s, ok := r.provider.(Signer); ok {
		return s.PublicKey()
	}
	return nil
}

// VerifyBy tells whether sig over msg was made by the holder of public.
func VerifyBy(public, msg, sig []byte) bool {
	key, err := sm2.NewPublicKey(public)
	return err == nil && sm2.VerifyASN1WithSM2(key, nil, msg, sig)
}

// Seal seals plain for the place ad names ("table|row|field").
func (k *Key) Seal(ad string, plain string) Field {
	return k.suite.seal(make([]byte, 0, len(plain)+overhead), k.aead, ad, []byte(plain))
}

// AppendSeal is Seal of bytes, appended to dst: for sound, of which there is much.
func (k *Key) AppendSeal(dst []byte, ad string, plain []byte) []byte {
	return k.suite.seal(dst, k.aead, ad, plain)
}

// Open reads what Seal made for the same place; the empty Field opens as "".
// Anything altered, moved or sealed under another key is code "seal_broken".
func (k *Key) Open(ad string, f Field) (string, error) {
	if len(f) == 0 {
		return "", nil
	}
	plain, err := k.suite.open(k.aead, ad, f)
	if err != nil {
		return "", broken(err)
	}
	return string(plain), nil
}

func broken(err error) error {
	return fault.Unavailable("seal_broken", "受保护的信息未通过完整性校验，可能被改动或移位，系统拒绝显示；请联系系统管理员和安全管理员核查。").Because(err)
}

// wrap seals a raw data key of suite s under the KEK of that id.
func (r *Ring) wrap(id string, s *suite, raw []byte) ([]byte, error) {
	kek, ks, err := r.kek(id)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 2+len(id)+overhead+len(raw))
	out = append(out, s.id, byte(len(id)))
	out = append(out, id...)
	return ks.seal(out, kek, string(out), raw), nil
}

func (r *Ring) unwrap(wrapped []byte) (id string, s *suite, raw []byte, err error) {
	if len(wrapped) == 0 {
		return "", nil, nil, fault.NotFound("shredded", "该信息已按规定销毁，无法恢复。")
	}
	if len(wrapped) < 2 || len(wrapped) < 2+int(wrapped[1])+overhead {
		return "", nil, nil, broken(errors.New("seal: wrapped key too short"))
	}
	if s = suiteOf(wrapped[0]); s == nil {
		return "", nil, nil, broken(errors.New("seal: wrapped key of an unknown suite"))
	}
	head := 2 + int(wrapped[1])
	id = string(wrapped[2:head])
	kek, ks, err := r.kek(id)
	if err != nil {
		return "", nil, nil, err
	}
	if raw, err = ks.open(kek, string(wrapped[:head]), wrapped[head:]); err != nil {
		return "", nil, nil, broken(err)
	}
	return id, s, raw, nil
}

// kek is the opened key-encryption key of that id and its suite.
func (r *Ring) kek(id string) (cipher.AEAD, *suite, error) {
	s := suiteOfID(id)
	if s == nil {
		return nil, nil, broken(errors.New("seal: key id names no suite"))
	}
	r.mu.Lock()
	a, ok := r.keks[id]
	r.mu.Unlock()
	if ok {
		return a, s, nil
	}
	raw, err := r.provider.KEK(context.Background(), id)
	if err != nil {
		return nil, nil, keyUnavailable(err)
	}
	if a, err = s.aead(raw); err != nil {
		return nil, nil, keyUnavailable(err)
	}
	r.mu.Lock()
	r.keks[id] = a
	r.mu.Unlock()
	return a, s, nil
}

// suiteOfID tells the suite by the letters that a KEK's id begins with.
func suiteOfID(id string) *suite {
	for _, s := range suites {
		if strings.HasPrefix(id, s.name) && len(id) < 256 {
			return s
		}
	}
	return nil
}

func (r *Ring) recall(wrapped []byte) *Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.opened[string(wrapped)]
	if !ok {
		return nil
	}
	r.recent.MoveToFront(e)
	return e.Value.(*entry).key
}

func (r *Ring) remember(wrapped string, k *Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.opened[wrapped]; ok {
		return
	}
	r.opened[wrapped] = r.recent.PushFront(&entry{wrapped, k})
	if r.recent.Len() > openKeys {
		old := r.recent.Remove(r.recent.Back()).(*entry)
		delete(r.opened, old.wrapped)
	}
}
