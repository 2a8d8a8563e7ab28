package eventlog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"hotline/internal/db"
	"hotline/internal/fault"

	"github.com/emmansun/gmsm/sm3"
)

// The hash algorithms a chain may use. The choice is recorded with the log
// before its first event is sealed and holds for good.
const (
	SHA256 = "sha256"
	SM3    = "sm3" // GB/T 32905
)

// Checkpoint is the head of a chain at some moment, to be kept elsewhere: a log
// that no longer has it was cut or rewritten.
type Checkpoint struct {
	Seq  int64
	Hash []byte
}

type head struct {
	Checkpoint
	algorithm string
	known     bool // the row exists
}

func newHash(algorithm string) (hash.Hash, error) {
	switch algorithm {
	case SHA256:
		return sha256.New(), nil
	case SM3:
		return sm3.New(), nil
	}
	return nil, fmt.Errorf("eventlog: unknown hash algorithm %q", algorithm)
}

// chain computes the hashes of one log.
type chain struct {
	h   hash.Hash
	buf []byte
}

func newChain(algorithm string) (*chain, error) {
	h, err := newHash(algorithm)
	return &chain{h: h}, err
}

// genesis is what the first event is chained to: the log and its algorithm.
func (c *chain) genesis(name, algorithm string) []byte {
	c.h.Reset()
	c.h.Write([]byte("hotline eventlog 1\x00" + name + "\x00" + algorithm))
	return c.h.Sum(nil)
}

// next is the hash of an event behind prev. Every field goes in with its
// length, so that no two events share an image.
func (c *chain) next(prev []byte, e *Event) []byte {
	b := append(c.buf[:0], prev...)
	for _, n := range [...]int64{e.Seq, e.ID, e.SubjectID, e.Version, e.Actor, e.Unit, e.At} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range [...]string{e.Kind, e.SubjectKind, e.Data} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	c.buf = b
	c.h.Reset()
	c.h.Write(b)
	return c.h.Sum(nil)
}

func (l *Log) readHead(tx *db.Tx) (head, error) {
	h, err := db.One(tx, func(s db.Scanner) (h head, err error) {
		return h, s.Scan(&h.algorithm, &h.Seq, &h.Hash)
	}, l.sql(`SELECT algorithm, seq, hash FROM LOG_seal WHERE id = 1`))
	if errors.Is(err, sql.ErrNoRows) {
		return head{algorithm: SHA256}, nil
	}
	h.known = err == nil
	return h, err
}

// createSeal records the algorithm, the first time.
func (l *Log) createSeal(tx *db.Tx, algorithm string) error {
	c, err := newChain(algorithm)
	if err != nil {
		return err
	}
	_, err = tx.Exec(l.sql(`INSERT INTO LOG_seal (id, algorithm, seq, hash, holder, lease_until)
		VALUES (1, $1, 0, $2, '', 0) ON CONFLICT (id) DO NOTHING`), algorithm, c.genesis(l.name, algorithm))
	return err
}

// UseAlgorithm chooses the hash of the chain when the database is created;
// SHA-256 is the default. Once it is recorded, another choice is refused with
// code "log_algorithm".
func (l *Log) UseAlgorithm(ctx context.Context, algorithm string) error {
	return l.d.Update(ctx, func(tx *db.Tx) error {
		if err := l.createSeal(tx, algorithm); err != nil {
			return err
		}
		h, err := l.readHead(tx)
		if err == nil && h.algorithm != algorithm {
			return fault.Conflict("log_algorithm", "日志 %s 已按 %s 建链，不能改为 %s；新算法只能在新建数据库时选择。", l.name, h.algorithm, algorithm)
		}
		return err
	})
}

// Checkpoint gives the head of the chain, to be signed and kept elsewhere.
func (l *Log) Checkpoint(ctx context.Context) (c Checkpoint, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) error {
		h, err := l.readHead(tx)
		c = h.Checkpoint
		return err
	})
	return c, err
}
