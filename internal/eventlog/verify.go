package eventlog

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"

	"hotline/internal/db"
)

// Report is what Verify found.
type Report struct {
	Algorithm string
	Count     int64  // sealed events checked and found good
	Head      int64  // newest sealed number
	HeadHash  string // its hash, in hex
	Unsealed  int64  // events not yet sealed
	Broken    *Break // nil when the chain is whole
}

// Break is the first place at which the chain does not hold.
type Break struct {
	Seq    int64  // number at which it shows
	Reason string // Chinese, for the auditor
}

// verifyBatch is how many events are checked from one snapshot; a snapshot
// over the whole log would hold up the cleaning of the database.
const verifyBatch = 2000

// link is a row of the chain with the event it names, if that is there.
type link struct {
	Event
	eventID    int64
	found      bool
	prev, hash []byte
}

// Verify computes the chain anew, from the first event to the head as it
// stands when Verify begins, and names the first break: an event that was
// changed, removed, put elsewhere or smuggled in, or an end that was cut off.
// Checkpoints kept elsewhere show also a chain that was rewritten as a whole.
func (l *Log) Verify(ctx context.Context, kept ...Checkpoint) (Report, error) {
	var h head
	var r Report
	if err := l.d.View(ctx, func(tx *db.Tx) (err error) {
		if h, err = l.readHead(tx); err != nil {
			return err
		}
		r.Unsealed, err = db.Int(tx, l.sql(`SELECT count(*) FROM LOG_pending`))
		return err
	}); err != nil {
		return r, err
	}
	r.Algorithm, r.Head, r.HeadHash = h.algorithm, h.Seq, hex.EncodeToString(h.Hash)
	c, err := newChain(h.algorithm)
	if err != nil {
		r.Broken = &Break{Seq: 1, Reason: fmt.Sprintf("登记的算法 %q 无法识别，链首记录被改动", h.algorithm)}
		return r, nil
	}
	atSeq := map[int64][]byte{}
	for _, k := range kept {
		atSeq[k.Seq] = k.Hash
		if k.Seq > h.Seq {
			r.Broken = &Break{Seq: h.Seq + 1, Reason: fmt.Sprintf("检查点记到第 %d 条，日志只到第 %d 条，末尾被截去", k.Seq, h.Seq)}
		}
	}
	prev := c.genesis(l.name, h.algorithm)
	for r.Count < h.Seq {
		var part []link
		if err := l.d.View(ctx, func(tx *db.Tx) (err error) {
			part, err = l.links(tx, r.Count, h.Seq)
			return err
		}); err != nil {
			return r, err
		}
		for i := range part {
			if b := part[i].check(c, prev, r.Count+1, atSeq); b != nil {
				r.Broken = b
				return r, nil
			}
			prev = part[i].hash
			r.Count++
		}
		if len(part) == 0 {
			r.Broken = &Break{Seq: r.Count + 1, Reason: fmt.Sprintf("链首登记到第 %d 条，日志只到第 %d 条，末尾被截去", h.Seq, r.Count)}
			return r, nil
		}
	}
	if r.Broken == nil && h.known && !bytes.Equal(prev, h.Hash) {
		r.Broken = &Break{Seq: h.Seq, Reason: "最后一条的摘要与链首登记不符，链首记录或末条被改动"}
	}
	if r.Broken == nil {
		r.Broken, err = l.strays(ctx, h.Seq)
	}
	return r, err
}

func (l *Log) links(tx *db.Tx, after, upTo int64) ([]link, error) {
	return db.All(tx, func(s db.Scanner) (k link, err error) {
		var id sql.NullInt64
		err = s.Scan(&k.Seq, &k.eventID, &k.prev, &k.hash, &id, &k.Kind, &k.SubjectKind, &k.SubjectID,
			&k.Version, &k.Actor, &k.Unit, &k.At, &k.Data)
		k.ID, k.found = id.Int64, id.Valid
		return k, err
	}, l.sql(`SELECT s.seq, s.event_id, s.prev_hash, s.hash, e.id,
			coalesce(e.kind, ''), coalesce(e.subject_kind, ''), coalesce(e.subject_id, 0), coalesce(e.version, 0),
			coalesce(e.actor, 0), coalesce(e.unit, 0), coalesce(e.at, 0), coalesce(e.data, '')
		FROM LOG_log s LEFT JOIN LOG e ON e.id = s.event_id
		WHERE s.seq > $1 AND s.seq <= $2 ORDER BY s.seq LIMIT $3`), after, upTo, verifyBatch)
}

// check tells what is wrong with the link that ought to have number want.
func (k *link) check(c *chain, prev []byte, want int64, kept map[int64][]byte) *Break {
	switch known := kept[k.Seq]; {
	case k.Seq != want:
		return &Break{Seq: want, Reason: fmt.Sprintf("缺少第 %d 条（下一条是第 %d 条），序号记录被删除", want, k.Seq)}
	case !k.found:
		return &Break{Seq: want, Reason: fmt.Sprintf("事件 %d 的正文不存在，被删除", k.eventID)}
	case !bytes.Equal(k.prev, prev):
		return &Break{Seq: want, Reason: "前一条的摘要对不上，顺序被调换或记录被替换"}
	case !bytes.Equal(c.next(prev, &k.Event), k.hash):
		return &Break{Seq: want, Reason: fmt.Sprintf("事件 %d 的内容与摘要不符，被改动或调换", k.eventID)}
	case known != nil && !bytes.Equal(known, k.hash):
		return &Break{Seq: want, Reason: "与另处保存的检查点不符，此条之前的记录被重写"}
	}
	return nil
}

// strays looks for events beside the chain: one that is neither sealed nor
// pending was put in or cut out by hand, as were numbers beyond the head.
func (l *Log) strays(ctx context.Context, head int64) (b *Break, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) error {
		now, err := l.readHead(tx)
		if err != nil {
			return err
		}
		beyond, err := db.Int(tx, l.sql(`SELECT count(*) FROM LOG_log WHERE seq > $1 OR seq < 1`), now.Seq)
		if err != nil {
			return err
		}
		if beyond > 0 {
			b = &Break{Seq: now.Seq + 1, Reason: fmt.Sprintf("链首登记到第 %d 条，其外还有 %d 条记录", now.Seq, beyond)}
			return nil
		}
		events, err := db.Int(tx, l.sql(`SELECT count(*) FROM LOG`))
		if err != nil {
			return err
		}
		pending, err := db.Int(tx, l.sql(`SELECT count(*) FROM LOG_pending`))
		if err != nil || events == now.Seq+pending {
			return err
		}
		id, err := db.Int(tx, l.sql(`SELECT min(e.id) FROM LOG e WHERE NOT EXISTS (SELECT 1 FROM LOG_log s WHERE s.event_id = e.id)
			AND NOT EXISTS (SELECT 1 FROM LOG_pending p WHERE p.id = e.id)`))
		if err == nil && id != 0 {
			b = &Break{Seq: head + 1, Reason: fmt.Sprintf("事件 %d 既不在链上也不在待封存表中，是另行插入或被摘出的", id)}
		} else if err == nil {
			b = &Break{Seq: head + 1, Reason: "待封存表中有不存在的事件，未封存的事件被删除"}
		}
		return err
	})
	return b, err
}
