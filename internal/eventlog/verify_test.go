package eventlog_test

import (
	"strings"
	"testing"

	"hotline/internal/db"
	"hotline/internal/eventlog"
)

func TestVerifyNamesTheFirstBreak(t *testing.T) {
	const n = 12
	cases := []struct {
		name   string
		tamper []string // statements of one who can write to the database
		seq    int64
		reason string
	}{
		{"an event is edited", []string{`UPDATE event SET actor = 99 WHERE id = (SELECT event_id FROM event_log WHERE seq = 5)`}, 5, "被改动"},
		{"its data is edited", []string{`UPDATE event SET data = '{"n":2}' WHERE id = (SELECT event_id FROM event_log WHERE seq = 12)`}, 12, "被改动"},
		{"an event is deleted", []string{`DELETE FROM event WHERE id = (SELECT event_id FROM event_log WHERE seq = 7)`}, 7, "被删除"},
		{"event and number are deleted", []string{`DELETE FROM event WHERE id = (SELECT event_id FROM event_log WHERE seq = 7)`, `DELETE FROM event_log WHERE seq = 7`}, 7, "被删除"},
		{"deleted and the gap closed", []string{`DELETE FROM event WHERE id = (SELECT event_id FROM event_log WHERE seq = 11)`,
			`DELETE FROM event_log WHERE seq = 11`, `UPDATE event_log SET seq = 11 WHERE seq = 12`}, 11, "对不上"},
		{"the first is deleted", []string{`DELETE FROM event_log WHERE seq = 1`}, 1, "被删除"},
		{"two events change places", []string{`UPDATE event_log SET event_id = -event_id WHERE seq IN (3, 4)`,
			`UPDATE event_log SET event_id = (SELECT -x.event_id FROM event_log x WHERE x.seq = 7 - event_log.seq) WHERE seq = 3`,
			`UPDATE event_log SET event_id = (SELECT max(e.id) FROM event e WHERE NOT EXISTS (SELECT 1 FROM event_log x WHERE x.event_id = e.id)) WHERE seq = 4`}, 3, "调换"},
		{"two numbers change places", []string{`UPDATE event_log SET seq = -seq WHERE seq IN (3, 4)`,
			`UPDATE event_log SET seq = 7 + seq WHERE seq < 0`}, 3, "对不上"},
		{"a hash is replaced", []string{`UPDATE event_log SET hash = prev_hash WHERE seq = 6`}, 6, "被改动"},
		{"the end is cut off", []string{`DELETE FROM event WHERE id IN (SELECT event_id FROM event_log WHERE seq > 9)`, `DELETE FROM event_log WHERE seq > 9`}, 10, "截去"},
		{"all is cut off", []string{`DELETE FROM event`, `DELETE FROM event_log`}, 1, "截去"},
		{"the end is cut off and the head put back", []string{`DELETE FROM event WHERE id IN (SELECT event_id FROM event_log WHERE seq > 9)`, `DELETE FROM event_log WHERE seq > 9`,
			`UPDATE event_seal SET seq = 9, hash = (SELECT hash FROM event_log WHERE seq = 9)`}, 10, "检查点"},
		{"the head is put back alone", []string{`UPDATE event_seal SET seq = 9, hash = (SELECT hash FROM event_log WHERE seq = 9)`}, 10, "检查点"},
		{"the head's hash is changed", []string{`UPDATE event_seal SET hash = (SELECT hash FROM event_log WHERE seq = 9)`}, 12, "链首"},
		{"the algorithm is changed", []string{`UPDATE event_seal SET algorithm = 'sm3'`}, 1, ""},
		{"the algorithm is nonsense", []string{`UPDATE event_seal SET algorithm = 'x'`}, 1, "算法"},
		{"an event is put in beside the chain", []string{`INSERT INTO event (id, kind, subject_kind, subject_id, version, actor, unit, at, data) VALUES (1, 'k', 's', 1, 1, 1, 1, 1, '{}')`}, 13, "另行插入"},
		{"an unsealed event is deleted", []string{`INSERT INTO event_pending (id) VALUES (77)`}, 13, "未封存"},
		{"a number beyond the head", []string{`INSERT INTO event_log (seq, event_id, prev_hash, hash) SELECT 13, 5, hash, prev_hash FROM event_log WHERE seq = 12`}, 13, "其外"},
	}
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		changes(t, d, l, n)
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		cp, err := l.Checkpoint(t.Context())
		if err != nil || cp.Seq != n {
			t.Fatal(cp, err)
		}
		intact(t, l, n)
		tables := []string{"event", "event_log", "event_seal", "event_pending"}
		run := func(texts ...string) {
			t.Helper()
			if err := d.Update(t.Context(), func(tx *db.Tx) error {
				for _, text := range texts {
					if _, err := tx.Exec(text); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range tables {
			run(`CREATE TABLE good_` + table + ` AS SELECT * FROM ` + table)
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				run(c.tamper...)
				r, err := l.Verify(t.Context(), cp)
				if err != nil {
					t.Fatal(err)
				}
				if r.Broken == nil || r.Broken.Seq != c.seq || !strings.Contains(r.Broken.Reason, c.reason) {
					t.Errorf("found %+v, want %d …%s…", r.Broken, c.seq, c.reason)
				}
				for _, table := range tables {
					run(`DELETE FROM `+table, `INSERT INTO `+table+` SELECT * FROM good_`+table)
				}
				if r, err := l.Verify(t.Context(), cp); err != nil || r.Broken != nil {
					t.Fatal("not put back", err, r.Broken)
				}
			})
		}
	})
}

// A chain that was rewritten from some event on is whole in itself; only a
// checkpoint kept elsewhere shows it.
func TestCheckpointShowsARewrittenChain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		changes(t, d, l, 6)
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		cp, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			for _, text := range []string{`UPDATE event SET actor = 99 WHERE id = (SELECT event_id FROM event_log WHERE seq = 4)`,
				`INSERT INTO event_pending (id) SELECT event_id FROM event_log`, `DELETE FROM event_log`, `DELETE FROM event_seal`} {
				if _, err := tx.Exec(text); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		intact(t, l, 6)
		r, err := l.Verify(t.Context(), cp)
		if err != nil || r.Broken == nil || r.Broken.Seq != 6 {
			t.Fatal(err, r.Broken)
		}
	})
}

func TestVerifyAnEmptyLogAndCountsUnsealed(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		intact(t, l, 0)
		changes(t, d, l, 3)
		if r := intact(t, l, 0); r.Unsealed != 3 {
			t.Fatalf("%+v", r)
		}
	})
}
