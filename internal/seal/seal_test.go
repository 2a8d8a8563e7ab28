package seal

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emmansun/gmsm/sm4"
	"pgregory.net/rapid"

	"hotline/internal/fault"
)

func open(t testing.TB, dir, suite string) *Ring {
	t.Helper()
	p, err := OpenFileProvider(dir, suite)
	if err != nil {
		t.Fatal(err)
	}
	return NewRing(p)
}

func newKey(t testing.TB, r *Ring) (*Key, []byte) {
	t.Helper()
	k, wrapped, err := r.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k, wrapped
}

func TestSM4MatchesThePublishedVector(t *testing.T) {
	// GB/T 32907-2016, annex A.1.
	key, _ := hex.DecodeString("0123456789abcdeffedcba9876543210")
	c, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 16)
	c.Encrypt(out, key)
	if got := hex.EncodeToString(out); got != "681edf34d206965e86b3e94f536e4246" {
		t.Fatal(got)
	}
}

func TestSealedFieldsOpenOnlyWhereTheyBelong(t *testing.T) {
	for _, suite := range []string{SuiteSM, SuiteIntl} {
		t.Run(suite, func(t *testing.T) {
			dir := t.TempDir()
			r := open(t, dir, suite)
			k, wrapped := newKey(t, r)
			const ad, plain = "contact|42|phone", "13812342671"
			f := k.Seal(ad, plain)
			if bytes.Contains(f, []byte(plain)) || bytes.Contains(wrapped, []byte(plain)) {
				t.Fatal("the plain text is in the stored bytes")
			}
			if g := k.Seal(ad, plain); bytes.Equal(f, g) {
				t.Fatal("two sealings of one value are equal")
			}

			// Another process, with nothing in memory.
			k2, err := open(t, dir, suite).OpenKey(wrapped)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k2.Open(ad, f); err != nil || got != plain {
				t.Fatalf("%q, %v", got, err)
			}
			for _, moved := range []string{"contact|43|phone", "contact|42|name", "", "contact|42|phone "} {
				if _, err := k2.Open(moved, f); !fault.Is(err, "seal_broken") {
					t.Errorf("opened as %q: %v", moved, err)
				}
			}
			other, _ := newKey(t, r)
			if _, err := other.Open(ad, f); !fault.Is(err, "seal_broken") {
				t.Errorf("opened under another subject's key: %v", err)
			}
		})
	}
}

func TestEveryFlippedByteIsDetected(t *testing.T) {
	for _, suite := range []string{SuiteSM, SuiteIntl} {
		dir := t.TempDir()
		r := open(t, dir, suite)
		k, wrapped := newKey(t, r)
		f := k.Seal("t|1|f", "洪山区关山街道3栋2单元501室")
		for i := range f {
			for _, bit := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(f)
				bad[i] ^= bit
				if _, err := k.Open("t|1|f", bad); !fault.Is(err, "seal_broken") {
					t.Fatalf("%s: byte %d: %v", suite, i, err)
				}
			}
		}
		for n := 1; n < len(f); n++ {
			if _, err := k.Open("t|1|f", f[:n]); err == nil {
				t.Fatalf("%s: opened %d of %d bytes", suite, n, len(f))
			}
		}
		fresh := open(t, dir, suite)
		for i := range wrapped {
			bad := bytes.Clone(wrapped)
			bad[i] ^= 1
			if _, err := fresh.OpenKey(bad); err == nil {
				t.Fatalf("%s: wrapped key opened with byte %d flipped", suite, i)
			}
		}
		for n := 1; n < len(wrapped); n++ {
			if _, err := fresh.OpenKey(wrapped[:n]); err == nil {
				t.Fatalf("%s: opened %d bytes of a wrapped key", suite, n)
			}
		}
	}
}

func TestAnyTextComesBack(t *testing.T) {
	k, _ := newKey(t, open(t, t.TempDir(), ""))
	rapid.Check(t, func(t *rapid.T) {
		ad, plain := rapid.String().Draw(t, "ad"), rapid.String().Draw(t, "plain")
		f := k.Seal(ad, plain)
		if got, err := k.Open(ad, f); err != nil || got != plain {
			t.Fatalf("%q, %v", got, err)
		}
		if len(f) != len(plain)+29 {
			t.Fatalf("%d bytes for %d", len(f), len(plain))
		}
	})
}

func TestEmptyFieldMeansThereWasNoValue(t *testing.T) {
	k, _ := newKey(t, open(t, t.TempDir(), ""))
	if got, err := k.Open("x", nil); got != "" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestShreddedSubjectCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, "")
	_, wrapped := newKey(t, r)
	r.Forget(wrapped)
	if r.recall(wrapped) != nil {
		t.Fatal("still open in memory")
	}
	if _, err := r.OpenKey(nil); !fault.Is(err, "shredded") || fault.KindOf(err) != fault.KindNotFound {
		t.Fatal(err)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, "")
	k, old := newKey(t, r)
	f := k.Seal("t|1|f", "张三丰")
	if same, changed, err := r.Rewrap(old); err != nil || changed || !bytes.Equal(same, old) {
		t.Fatalf("rewrapped under the same key: %v %v", changed, err)
	}
	id, err := r.Rotate()
	if err != nil || id != "sm2" {
		t.Fatalf("%q, %v", id, err)
	}
	rewrapped, changed, err := r.Rewrap(old)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	if err := os.Remove(filepath.Join(dir, "keys", "kek-sm1.key")); err != nil {
		t.Fatal(err)
	}
	fresh := open(t, dir, "")
	if fresh.provider.Current() != "sm2" {
		t.Fatalf("current is %s after a restart", fresh.provider.Current())
	}
	if _, err := fresh.OpenKey(old); !fault.Is(err, "key_unavailable") {
		t.Errorf("old wrapping without its key: %v", err)
	}
	k2, err := fresh.OpenKey(rewrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k2.Open("t|1|f", f); err != nil || got != "张三丰" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestChangeOfSuiteKeepsOldDataAndIndexes(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, SuiteSM)
	k, wrapped := newKey(t, r)
	f, blind := k.Seal("a", "x"), r.Blind("phone", "13812342671")

	intl := open(t, dir, SuiteIntl)
	old, err := intl.OpenKey(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := old.Open("a", f); err != nil || got != "x" {
		t.Fatalf("%q, %v", got, err)
	}
	if !bytes.Equal(intl.Blind("phone", "13812342671"), blind) {
		t.Error("a number became unfindable")
	}
	if nk, _ := newKey(t, intl); nk.Seal("a", "x")[0] == f[0] {
		t.Error("new data is sealed under the old suite")
	}
	moved, changed, err := intl.Rewrap(wrapped)
	if err != nil || !changed {
		t.Fatal(err)
	}
	if again, err := intl.OpenKey(moved); err != nil {
		t.Fatal(err)
	} else if got, _ := again.Open("a", f); got != "x" {
		t.Fatal("lost after rewrapping")
	}
}

func TestBlindIndex(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, "")
	a := r.Blind("phone", "13812342671")
	if len(a) != 16 || !bytes.Equal(a, open(t, dir, "").Blind("phone", "13812342671")) {
		t.Error("not stable across restarts")
	}
	for name, b := range map[string][]byte{
		"another value":   r.Blind("phone", "13812342672"),
		"another purpose": r.Blind("phone-report", "13812342671"),
		"another node":    open(t, t.TempDir(), "").Blind("phone", "13812342671"),
		"shifted border":  r.Blind("phon", "e13812342671"),
	} {
		if bytes.Equal(a, b) {
			t.Errorf("%s has the same index", name)
		}
	}
}

func TestSignatures(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, SuiteIntl)
	msg := []byte("checkpoint 1000")
	sig, err := r.Sign(msg)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Verify(msg, sig) || !open(t, dir, "").Verify(msg, sig) || !VerifyBy(r.PublicKey(), msg, sig) {
		t.Error("a true signature was refused")
	}
	if r.Verify([]byte("checkpoint 1001"), sig) || r.Verify(msg, sig[:len(sig)-1]) || r.Verify(msg, nil) || open(t, t.TempDir(), "").Verify(msg, sig) || VerifyBy(nil, msg, sig) {
		t.Error("a false signature was accepted")
	}
}

func TestKeyFilesAreForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, "")
	files, _ := filepath.Glob(filepath.Join(dir, "keys", "*"))
	if len(files) != 3 {
		t.Fatalf("key files %v", files)
	}
	for _, f := range files {
		if info, _ := os.Stat(f); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f, info.Mode().Perm())
		}
	}
	if err := os.Chmod(files[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileProvider(dir, ""); !fault.Is(err, "keys_unavailable") {
		t.Errorf("a key that others may read was accepted: %v", err)
	}
	if _, err := OpenFileProvider(t.TempDir(), "des"); !fault.Is(err, "seal_suite") {
		t.Errorf("unknown suite: %v", err)
	}
}

func TestProcessesThatStartTogetherAgree(t *testing.T) {
	dir := t.TempDir()
	rings := make([]*Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { rings[i] = open(t, dir, "") })
	}
	wg.Wait()
	_, wrapped := newKey(t, rings[0])
	for i, r := range rings {
		if _, err := r.OpenKey(wrapped); err != nil || !bytes.Equal(r.Blind("p", "v"), rings[0].Blind("p", "v")) {
			t.Errorf("ring %d differs: %v", i, err)
		}
	}
}

// hsm is a provider that lives elsewhere and may not answer.
type hsm struct {
	key  []byte
	down bool
}

func (h *hsm) KEK(context.Context, string) ([]byte, error) {
	if h.down {
		return nil, errors.New("connection refused")
	}
	return h.key, nil
}
func (h *hsm) Current() string          { return "sm-2026" }
func (h *hsm) BlindKey(string) []byte   { return h.key }
func newHSM() *hsm                      { return &hsm{key: bytes.Repeat([]byte{7}, 16)} }
func (h *hsm) ring(down bool) (r *Ring) { h.down = down; return NewRing(h) }
func isUnavailable(err error, c string) bool {
	return fault.Is(err, c) && fault.KindOf(err) == fault.KindUnavailable
}

func TestProviderThatDoesNotAnswer(t *testing.T) {
	h := newHSM()
	_, wrapped := newKey(t, h.ring(false))
	down := h.ring(true)
	if _, _, err := down.NewKey(); !isUnavailable(err, "key_unavailable") {
		t.Error(err)
	}
	if _, err := down.OpenKey(wrapped); !isUnavailable(err, "key_unavailable") {
		t.Error(err)
	}
	if _, err := down.Sign(nil); !isUnavailable(err, "key_unavailable") {
		t.Error(err)
	}
	if _, err := down.Rotate(); fault.KindOf(err) != fault.KindInvalid {
		t.Error(err)
	}
	if _, err := h.ring(false).OpenKey(wrapped); err != nil {
		t.Error("not readable after it came back:", err)
	}
}

func TestOpenedKeysAreBounded(t *testing.T) {
	r := open(t, t.TempDir(), "")
	_, first := newKey(t, r)
	for range openKeys {
		newKey(t, r)
	}
	if r.recent.Len() != openKeys || len(r.opened) != openKeys {
		t.Fatalf("%d and %d keys in memory", r.recent.Len(), len(r.opened))
	}
	if r.recall(first) != nil {
		t.Error("the oldest was kept")
	}
	if _, err := r.OpenKey(first); err != nil {
		t.Error(err)
	}
}

func TestNothingPrintsWhatIsSealedOrClear(t *testing.T) {
	k, _ := newKey(t, open(t, t.TempDir(), ""))
	f := k.Seal("a", "x")
	c := Reveal("13812342671")
	type row struct {
		Phone Field
		Clear Clear[string]
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("row", "f", f, "c", c, "row", row{f, c})
	slog.New(slog.NewTextHandler(&log, nil)).Info("row", "f", f, "c", c, "row", row{f, c})
	js, err := json.Marshal(row{f, c})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(js) + f.String() + c.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b"} {
		all += fmt.Sprintf(verb+verb+verb+verb, f, c, row{f, c}, &row{f, c})
	}
	for _, leak := range []string{"13812342671", hex.EncodeToString(f), strings.ToUpper(hex.EncodeToString(f)), string(f[1:]), fmt.Sprint([]byte(f))[1:20], "3133383132"} {
		if strings.Contains(all, leak) {
			t.Errorf("%q leaked in %s", leak, all)
		}
	}
	if !strings.Contains(string(js), `{"Phone":"[sealed]","Clear":"[clear]"}`) {
		t.Error(string(js))
	}
	if c.Value() != "13812342671" {
		t.Error("Value is the way out")
	}
}

func TestFieldGoesToTheDatabaseAsBytes(t *testing.T) {
	f := Field{1, 2, 3}
	v, err := f.Value()
	if b, ok := v.([]byte); err != nil || !ok || !bytes.Equal(b, f) {
		t.Fatalf("%v %v", v, err)
	}
	if v, _ := Field(nil).Value(); v != nil {
		t.Errorf("empty is stored as %v", v)
	}
	var g Field
	buf := []byte{1, 2, 3}
	if err := g.Scan(buf); err != nil {
		t.Fatal(err)
	}
	buf[0] = 9
	if !bytes.Equal(g, f) {
		t.Error("the driver's buffer was kept")
	}
	if err := g.Scan("\x04"); err != nil || g[0] != 4 {
		t.Error(err)
	}
	if err := g.Scan(nil); err != nil || g != nil {
		t.Error(err)
	}
	if err := g.Scan(7); err == nil {
		t.Error("scanned a number")
	}
}

// BenchmarkRecord is bar B22: four fields, a wrapped key and a blind index.
func BenchmarkRecord(b *testing.B) {
	for _, suite := range []string{SuiteSM, SuiteIntl} {
		b.Run(suite, func(b *testing.B) {
			r := open(b, b.TempDir(), suite)
			for b.Loop() {
				k, _, err := r.NewKey()
				if err != nil {
					b.Fatal(err)
				}
				k.Seal("contact|1|name", "张三丰")
				k.Seal("contact|1|phone", "13812342671")
				k.Seal("contact|1|address", "武汉市洪山区关山街道保利花园3栋2单元501室")
				k.Seal("contact|1|id", "420111199001011234")
				r.Blind("phone", "13812342671")
			}
		})
	}
}

func BenchmarkOpenRecord(b *testing.B) {
	r := open(b, b.TempDir(), "")
	k, wrapped, err := r.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	f := k.Seal("contact|1|phone", "13812342671")
	for b.Loop() {
		r.Forget(wrapped)
		k, err := r.OpenKey(wrapped)
		if err != nil {
			b.Fatal(err)
		}
		for range 4 {
			if _, err := k.Open("contact|1|phone", f); err != nil {
				b.Fatal(err)
			}
		}
	}
}
