package ticket

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"hotline/internal/db"
	"hotline/internal/fault"
)

// Digest is the fingerprint of a request for idempotency.
func Digest(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil)
}

// Once runs effect at most once per (actor, key). The row is written in the
// effect's transaction; a repeat gives the first answer, and the same key with
// another request is invalid. The answer is sealed at rest.
func (s *Service) Once(tx *db.Tx, actor int64, key string, digest []byte, effect func() (status int, answer []byte, err error)) (int, []byte, error) {
	if key == "" {
		return effect()
	}
	if len(key) > 128 {
		return 0, nil, fault.Invalid("idempotency_key_long", "Idempotency-Key 不能超过128个字符。")
	}
	type row struct {
		digest, sealed []byte
		status         int
	}
	ad := fmt.Sprintf("idempotency|%d|%s", actor, key)
	prev, err := db.One(tx, func(sc db.Scanner) (r row, err error) { return r, sc.Scan(&r.digest, &r.status, &r.sealed) },
		`SELECT digest, status, answer FROM idempotency WHERE actor = $1 AND idem_key = $2`, actor, key)
	switch {
	case err == nil && !bytes.Equal(prev.digest, digest):
		return 0, nil, fault.Invalid("idempotency_mismatch", "同一个 Idempotency-Key 提交了不同的内容。")
	case err == nil:
		n := int(prev.sealed[0])
		k, err := s.Ring.OpenKey(prev.sealed[1 : 1+n])
		if err != nil {
			return 0, nil, err
		}
		plain, err := k.Open(ad, prev.sealed[1+n:])
		return prev.status, []byte(plain), err
	case !errors.Is(err, sql.ErrNoRows):
		return 0, nil, err
	}
	status, answer, err := effect()
	if err != nil {
		return 0, nil, err
	}
	k, wrapped, err := s.Ring.NewKey()
	if err != nil {
		return 0, nil, err
	}
	sealed := append(append([]byte{byte(len(wrapped))}, wrapped...), k.Seal(ad, string(answer))...)
	// A twin that commits first is invisible here on PostgreSQL: ON CONFLICT makes
	// it a serialisation failure, on which db.Update runs the closure again and
	// finds the twin's answer, where a plain INSERT would only fail.
	n, err := tx.Exec(`INSERT INTO idempotency (actor, idem_key, digest, status, answer, at) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (actor, idem_key) DO NOTHING`,
		actor, key, digest, status, sealed, tx.NowMS())
	if err == nil && n == 0 {
		err = fault.Unavailable("idempotency_busy", "相同的请求正在处理，请稍后重试。")
	}
	return status, answer, err
}

// idempotencyKept is how long an answer is remembered, in ms.
const idempotencyKept = 72 * 3600 * 1000

// Forget removes idempotency rows that have had their time.
func (s *Service) Forget(tx *db.Tx) (int64, error) {
	return tx.Exec(`DELETE FROM idempotency WHERE at < $1`, tx.NowMS()-idempotencyKept)
}
