package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/seal"
)

// A checkpoint is signed after so many events or so much time, whichever is first.
const (
	checkpointRows  = 1000
	checkpointEvery = 10 * time.Second
	checkpointLook  = time.Second
)

// RunSealer seals the audit log and signs checkpoints of it, and of the logs
// given to Witness, until ctx ends.
func (l *Log) RunSealer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- l.log.RunSealer(ctx) }()
	l.runCheckpoints(ctx)
	cancel()
	return <-done
}

// runCheckpoints uses the machine's clock: how long a log stays unsigned is a
// matter of real time, not of the business's.
func (l *Log) runCheckpoints(ctx context.Context) {
	if l.ring == nil {
		<-ctx.Done()
		return
	}
	wall := clock.System()
	type state struct {
		seq int64
		at  time.Time
	}
	last := map[string]state{}
	for wall.Sleep(ctx, checkpointLook) == nil {
		for name, log := range l.logs {
			head, err := log.Head(ctx)
			was := last[name]
			if err != nil || head == was.seq || head-was.seq < checkpointRows && clock.Since(wall, was.at) < checkpointEvery {
				continue
			}
			if _, err := l.Checkpoint(ctx, name); err == nil { // else at the next look
				last[name] = state{head, wall.Now()}
			}
		}
	}
}

// Checkpoint signs the head of a log now and answers its number; 0 when the log
// is empty. Several processes may do it; the first one's stays.
func (l *Log) Checkpoint(ctx context.Context, name string) (int64, error) {
	log, ok := l.logs[name]
	if !ok {
		return 0, fmt.Errorf("audit: no log %q to sign", name)
	}
	if l.ring == nil {
		return 0, fault.Unavailable("keys_absent", "密钥服务不可用，暂时不能签署日志检查点。")
	}
	c, err := log.Checkpoint(ctx)
	if err != nil || c.Seq == 0 {
		return 0, err
	}
	at := clock.Millis(l.d.Clock().Now())
	sig, err := l.ring.Sign(checkpointText(name, c.Seq, c.Hash, at))
	if err != nil {
		return 0, err
	}
	err = l.d.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO audit_checkpoint (log, seq, hash, at, public_key, signature) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (log, seq) DO NOTHING`, name, c.Seq, c.Hash, at, l.ring.PublicKey(), sig)
		return err
	})
	return c.Seq, err
}

// checkpointText is what is signed.
func checkpointText(name string, seq int64, hash []byte, at int64) []byte {
	b := append([]byte("hotline checkpoint 1\x00"), name...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	return append(b, hash...)
}

// Report is the result of a verification.
type Report struct {
	Log eventlog.Report
	// Checkpoints is how many signatures were checked.
	Checkpoints int
	// Problems names what is wrong beside the chain, in Chinese; empty = intact.
	Problems []string
}

// Intact tells whether nothing at all was found.
func (r Report) Intact() bool { return r.Log.Broken == nil && len(r.Problems) == 0 }

// Verify checks the audit log: its chain, its checkpoints and the stated
// reasons.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	rep, err := l.VerifyLog(ctx, Name)
	if err != nil {
		return rep, err
	}
	err = l.d.View(ctx, func(tx *db.Tx) error { return l.verifyReasons(tx, &rep) })
	return rep, err
}

// VerifyLog checks the chain and the checkpoints of this log or of one given
// to Witness.
func (l *Log) VerifyLog(ctx context.Context, name string) (Report, error) {
	var rep Report
	log, ok := l.logs[name]
	if !ok {
		return rep, fmt.Errorf("audit: no log %q to verify", name)
	}
	var err error
	if rep.Log, err = log.Verify(ctx); err != nil {
		return rep, err
	}
	type point struct {
		seq, at           int64
		hash, public, sig []byte
		logged            []byte
	}
	var points []point
	err = l.d.View(ctx, func(tx *db.Tx) (err error) {
		points, err = db.All(tx, func(s db.Scanner) (p point, err error) {
			return p, s.Scan(&p.seq, &p.at, &p.hash, &p.public, &p.sig, &p.logged)
		}, `SELECT c.seq, c.at, c.hash, c.public_key, c.signature, g.hash FROM audit_checkpoint c LEFT JOIN `+name+`_log g ON g.seq = c.seq
WHERE c.log = $1 ORDER BY c.seq`, name)
		return err
	})
	if err != nil {
		return rep, err
	}
	for _, p := range points {
		rep.Checkpoints++
		text := checkpointText(name, p.seq, p.hash, p.at)
		switch {
		case l.ring != nil && !l.ring.Verify(text, p.sig), l.ring == nil && !seal.VerifyBy(p.public, text, p.sig):
			rep.Problems = append(rep.Problems, fmt.Sprintf("第%d条处检查点的签名无效。", p.seq))
		case p.logged == nil:
			rep.Problems = append(rep.Problems, fmt.Sprintf("第%d条有签名检查点，但日志中已不存在，日志被截断。", p.seq))
		case !bytes.Equal(p.hash, p.logged):
			rep.Problems = append(rep.Problems, fmt.Sprintf("第%d条与签名检查点不符，日志被整体改写。", p.seq))
		}
	}
	return rep, nil
}

// verifyReasons compares each stated reason with its digest in the chain.
func (l *Log) verifyReasons(tx *db.Tx, rep *Report) error {
	rows, err := tx.Query(`SELECT a.id, a.data, r.reason FROM audit a LEFT JOIN audit_reason r ON r.id = a.id WHERE a.data LIKE '%"why":%' ORDER BY a.id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var data string
		var reason *string
		if err := rows.Scan(&id, &data, &reason); err != nil {
			return err
		}
		var d detail
		if err := json.Unmarshal([]byte(data), &d); err != nil || d.Reason == "" {
			continue // a broken entry is found by the chain
		}
		switch {
		case reason == nil:
			rep.Problems = append(rep.Problems, fmt.Sprintf("编号%d的查看理由缺失。", id))
		case reasonDigest(*reason) != d.Reason:
			rep.Problems = append(rep.Problems, fmt.Sprintf("编号%d的查看理由被改动。", id))
		}
	}
	return rows.Err()
}
