package seal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm2"

	"hotline/internal/fault"
)

// KeyProvider holds the keys that protect keys: files by default, a 密码机
// where there is one. Its methods are called from many goroutines.
type KeyProvider interface {
	// KEK is the key-encryption key of that id; the error is kind unavailable.
	KEK(ctx context.Context, id string) ([]byte, error)
	// Current is the id under which new data keys are wrapped. Ids have at most
	// 255 bytes and begin with the suite's name.
	Current() string
	// BlindKey is the key of a blind index; each purpose has its own.
	BlindKey(purpose string) []byte
}

// Signer is a KeyProvider that can sign with SM2. Keys may live outside the
// process, so the private key itself is never asked for.
type Signer interface {
	// Sign signs with SM2 over SM3 and the default user id; ASN.1.
	Sign(msg []byte) ([]byte, error)
	// PublicKey is the uncompressed point, 65 bytes.
	PublicKey() []byte
}

// Rotator is a KeyProvider that can make a new current KEK.
type Rotator interface {
	// Rotate makes a new KEK current and returns its id; older ones stay.
	Rotate() (id string, err error)
}

// blindSuiter is a KeyProvider whose blind index keeps the suite that the
// database was created with, as a change would make every number unfindable.
type blindSuiter interface{ blindSuite() *suite }

// fileProvider keeps keys in DIR/keys: one hexadecimal line a file, mode 0600.
// Whoever backs up DIR must leave DIR/keys out, or the backup protects nothing.
type fileProvider struct {
	dir   string
	suite *suite
	blind *suite
	index []byte
	sign  *sm2.PrivateKey

	mu      sync.Mutex
	keks    map[string][]byte
	current string
}

// OpenFileProvider opens the keys under dir/keys and makes those that are
// missing. The suite, "sm" or "intl" ("" is "sm"), is that of new keys; what
// was sealed under the other still opens.
func OpenFileProvider(dir string, suite string) (KeyProvider, error) {
	if suite == "" {
		suite = SuiteSM
	}
	s, err := suiteNamed(suite)
	if err != nil {
		return nil, fault.Invalid("seal_suite", "加密套件应为“sm”（国密）或“intl”（国际），收到的是“%s”。", suite)
	}
	p := &fileProvider{dir: filepath.Join(dir, "keys"), suite: s, keks: map[string][]byte{}}
	if err := p.load(); err != nil {
		return nil, fault.Unavailable("keys_unavailable", "无法读取密钥目录“%s”：请检查目录是否存在、属主是否为运行账号、密钥文件权限是否为 600。", p.dir).Because(err)
	}
	return p, nil
}

func (p *fileProvider) load() error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	text, err := p.readOrMake("blind.key", func() string { return p.suite.name + ":" + hex.EncodeToString(randomBytes(32)) })
	if err != nil {
		return err
	}
	name, key, _ := strings.Cut(text, ":")
	if p.blind, err = suiteNamed(name); err != nil {
		return fmt.Errorf("blind.key: %w", err)
	}
	if p.index, err = hex.DecodeString(key); err != nil || len(p.index) != 32 {
		return errors.New("blind.key is not 32 bytes in hexadecimal")
	}
	text, err = p.readOrMake("sign.key", func() string {
		priv, err := sm2.GenerateKey(rand.Reader)
		if err != nil {
			return ""
		}
		return hex.EncodeToString(priv.D.FillBytes(make([]byte, 32)))
	})
	if err != nil {
		return err
	}
	scalar, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("sign.key: %w", err)
	}
	if p.sign, err = sm2.NewPrivateKey(scalar); err != nil {
		return fmt.Errorf("sign.key: %w", err)
	}
	n, err := p.newest()
	if err != nil {
		return err
	}
	_, err = p.makeCurrent(max(n, 1))
	return err
}

// newest is the highest number among the KEKs of the suite, 0 when none.
func (p *fileProvider) newest() (int, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return 0, err
	}
	top := 0
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "kek-"+p.suite.name)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(rest, ".key")); err == nil {
			top = max(top, n)
		}
	}
	return top, nil
}

// makeCurrent makes KEK number n of the suite unless it exists, and uses it.
func (p *fileProvider) makeCurrent(n int) (string, error) {
	id := p.suite.name + strconv.Itoa(n)
	text, err := p.readOrMake("kek-"+id+".key", func() string { return hex.EncodeToString(randomBytes(p.suite.keySize)) })
	if err != nil {
		return "", err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != p.suite.keySize {
		return "", fmt.Errorf("kek-%s.key is not %d bytes in hexadecimal", id, p.suite.keySize)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keks[id], p.current = key, id
	return id, nil
}

// Current is the id of the KEK in use.
func (p *fileProvider) Current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// KEK reads the key of that id.
func (p *fileProvider) KEK(_ context.Context, id string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, ok := p.keks[id]; ok {
		return key, nil
	}
	if strings.ContainsAny(id, `/\.`) {
		return nil, keyUnavailable(fmt.Errorf("seal: odd key id %q", id))
	}
	text, err := readKey(filepath.Join(p.dir, "kek-"+id+".key"))
	if err != nil {
		return nil, keyUnavailable(err)
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, keyUnavailable(err)
	}
	p.keks[id] = key
	return key, nil
}

// BlindKey derives the purpose's key from the one in blind.key.
func (p *fileProvider) BlindKey(purpose string) []byte {
	return p.blind.mac(p.index, "blind index\x00", purpose)
}

func (p *fileProvider) blindSuite() *suite { return p.blind }

// Rotate makes the next KEK and uses it.
func (p *fileProvider) Rotate() (string, error) {
	n, err := p.newest()
	if err == nil {
		var id string
		if id, err = p.makeCurrent(n + 1); err == nil {
			return id, nil
		}
	}
	return "", keyUnavailable(err)
}

// Sign signs with the key in sign.key.
func (p *fileProvider) Sign(msg []byte) ([]byte, error) {
	return p.sign.SignWithSM2(rand.Reader, nil, msg)
}

// PublicKey is the uncompressed point of the key in sign.key.
func (p *fileProvider) PublicKey() []byte {
	point := make([]byte, 65)
	point[0] = 4
	p.sign.X.FillBytes(point[1:33])
	p.sign.Y.FillBytes(point[33:])
	return point
}

func keyUnavailable(err error) error {
	return fault.Unavailable("key_unavailable", "密钥服务暂不可用，受保护的信息暂时无法读写，其他功能不受影响；请联系系统管理员。").Because(err)
}

// readOrMake reads a key file or, when there is none, writes one and makes it
// durable. Two processes that start together agree on the first.
func (p *fileProvider) readOrMake(name string, make func() string) (string, error) {
	path := filepath.Join(p.dir, name)
	text, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	text = make()
	if text == "" {
		return "", fmt.Errorf("%s: no key could be made", name)
	}
	f, err := os.CreateTemp(p.dir, ".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails when another process was first
	}
	if errors.Is(err, fs.ErrExist) {
		return readKey(path)
	}
	if err != nil {
		return "", err
	}
	d, err := os.Open(p.dir)
	if err != nil {
		return "", err
	}
	return text, errors.Join(d.Sync(), d.Close())
}

// readKey reads one line and refuses a file that others may read.
func readKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s has mode %o, want 600", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	return strings.TrimSpace(string(b)), err
}
