package eventlog

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// Event is one thing that happened (事件). It is made by Append and never changed.
type Event struct {
	Seq         int64  // place in the sealed order, from 1; 0 is not yet sealed
	ID          int64  // made by Append
	Kind        string // what happened, e.g. "ticket.dispatch"
	SubjectKind string // to what, e.g. "ticket"
	SubjectID   int64
	Version     int64  // of the subject after the event; 0 where it has none
	Actor       int64  // account that did it; 0 is the system
	Unit        int64  // unit for which it was done
	At          int64  // when, in milliseconds; 0 is the moment of the transaction
	Data        string // JSON of ids, codes and digests; "" is "{}"
}

var logName = regexp.MustCompile(`^[a-z][a-z_]{0,30}$`)

// Schema makes the tables of the log of that name.
func Schema(name string) db.Schema {
	if !logName.MatchString(name) {
		panic("eventlog: bad name: " + name)
	}
	text := strings.ReplaceAll(`
CREATE TABLE IF NOT EXISTS cursor (
	log TEXT NOT NULL,
	name TEXT NOT NULL,
	seq BIGINT NOT NULL,
	PRIMARY KEY (log, name)
);
CREATE TABLE LOG (
	id BIGINT PRIMARY KEY,
	kind TEXT NOT NULL,
	subject_kind TEXT NOT NULL,
	subject_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	actor BIGINT NOT NULL,
	unit BIGINT NOT NULL,
	at BIGINT NOT NULL,
	data TEXT NOT NULL
);
CREATE INDEX LOG_subject ON LOG (subject_id, subject_kind, version);
CREATE TABLE LOG_pending (
	id BIGINT PRIMARY KEY
);
CREATE TABLE LOG_log (
	seq BIGINT PRIMARY KEY,
	event_id BIGINT NOT NULL,
	prev_hash BYTEA NOT NULL,
	hash BYTEA NOT NULL
);
CREATE UNIQUE INDEX LOG_log_event ON LOG_log (event_id);
CREATE TABLE LOG_seal (
	id SMALLINT PRIMARY KEY CHECK (id = 1),
	algorithm TEXT NOT NULL,
	seq BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	holder TEXT NOT NULL,
	lease_until BIGINT NOT NULL
);
`, "LOG", name)
	return db.Schema{Name: "eventlog_" + name, Steps: []db.Step{{SQL: text}}}
}

// Log is one log of a database. It is made once by New for each log and shared.
type Log struct {
	d     *db.DB
	name  string
	wall  clock.Clock // the machine's: polling and backoff do not follow the business's clock
	me    string      // holder of the lease
	alone int64       // 1: no other process can hold it

	appended chan struct{} // wakes the sealer
	mu       sync.Mutex
	head     int64 // newest sealed number known here
	watchers map[chan int64]bool

	insert, insertPending         string
	insertRows, insertPendingRows string
	selectEvents                  string
}

const eventColumns = `e.id, e.kind, e.subject_kind, e.subject_id, e.version, e.actor, e.unit, e.at, e.data`

// New gives the log of that name; Schema(name) has been migrated.
func New(d *db.DB, name string) *Log {
	l := &Log{d: d, name: name, wall: clock.System(), me: fmt.Sprintf("%d", d.NewID()),
		appended: make(chan struct{}, 1), watchers: map[chan int64]bool{}}
	l.insertRows = l.sql(`INSERT INTO LOG (id, kind, subject_kind, subject_id, version, actor, unit, at, data)`)
	l.insert = l.insertRows + ` VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	l.insertPendingRows = l.sql(`INSERT INTO LOG_pending (id)`)
	l.insertPending = l.insertPendingRows + ` VALUES ($1)`
	l.selectEvents = l.sql(`SELECT s.seq, ` + eventColumns + ` FROM LOG_log s JOIN LOG e ON e.id = s.event_id
		WHERE s.seq > $1 ORDER BY s.seq LIMIT $2`)
	return l
}

// sql writes the log's name into a statement.
func (l *Log) sql(text string) string { return strings.ReplaceAll(text, "LOG", l.name) }

// LastAt is the latest moment among the newest events in ms, 0 when there is
// none; history that was loaded of late is older than it was written.
func (l *Log) LastAt(tx *db.Tx) (int64, error) {
	return db.Int(tx, l.sql(`SELECT COALESCE(max(at), 0) FROM (SELECT at FROM LOG ORDER BY id DESC LIMIT 100) newest`))
}

// Append adds an event in the caller's transaction and gives its id: e.ID when
// the caller has made one with tx.NewID to name the event beforehand, else a new one.
func (l *Log) Append(tx *db.Tx, e Event) (id int64, err error) {
	if err := e.complete(tx); err != nil {
		return 0, err
	}
	if err := tx.Send(l.insert, e.ID, e.Kind, e.SubjectKind, e.SubjectID, e.Version, e.Actor, e.Unit, e.At, e.Data); err != nil {
		return 0, err
	}
	if err := tx.Send(l.insertPending, e.ID); err != nil {
		return 0, err
	}
	tx.AfterCommit(l.wakeSealer)
	return e.ID, nil
}

// AppendAll is Append for many events, which get their ids in evs.
func (l *Log) AppendAll(tx *db.Tx, evs []Event) error {
	rows, ids := make([]any, 0, 9*len(evs)), make([]any, 0, len(evs))
	for i := range evs {
		e := &evs[i]
		if err := e.complete(tx); err != nil {
			return err
		}
		rows = append(rows, e.ID, e.Kind, e.SubjectKind, e.SubjectID, e.Version, e.Actor, e.Unit, e.At, e.Data)
		ids = append(ids, e.ID)
	}
	if err := tx.SendRows(l.insertRows, "", 9, rows); err != nil {
		return err
	}
	if err := tx.SendRows(l.insertPendingRows, "", 1, ids); err != nil {
		return err
	}
	tx.AfterCommit(l.wakeSealer)
	return nil
}

// complete fills in what the caller left to the log.
func (e *Event) complete(tx *db.Tx) error {
	if e.Kind == "" || e.SubjectKind == "" {
		return fmt.Errorf("eventlog: an event of kind %q on %q tells nothing", e.Kind, e.SubjectKind)
	}
	if e.ID == 0 {
		e.ID = tx.NewID()
	}
	if e.At == 0 {
		e.At = tx.NowMS()
	}
	if e.Data == "" {
		e.Data = "{}"
	}
	return nil
}

func (l *Log) wakeSealer() {
	select {
	case l.appended <- struct{}{}:
	default:
	}
}

// Head is the newest sealed number; 0 when nothing is sealed.
func (l *Log) Head(ctx context.Context) (seq int64, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) error {
		h, err := l.readHead(tx)
		seq = h.Seq
		return err
	})
	return seq, err
}

// After reads up to limit sealed events whose number is above seq, in order.
func (l *Log) After(ctx context.Context, seq int64, limit int) (evs []Event, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) (err error) {
		evs, err = l.after(tx, seq, limit)
		return err
	})
	return evs, err
}

func (l *Log) after(tx *db.Tx, seq int64, limit int) ([]Event, error) {
	return db.All(tx, scanEvent, l.selectEvents, seq, limit)
}

// BySubject reads the events of one subject by version, those not yet sealed
// (Seq 0) among them, as far as the transaction sees them.
func (l *Log) BySubject(tx *db.Tx, kind string, id int64) ([]Event, error) {
	return db.All(tx, scanEvent, l.sql(`SELECT coalesce(s.seq, 0), `+eventColumns+`
		FROM LOG e LEFT JOIN LOG_log s ON s.event_id = e.id
		WHERE e.subject_id = $1 AND e.subject_kind = $2 ORDER BY e.version, e.id`), id, kind)
}

func scanEvent(s db.Scanner) (e Event, err error) {
	return e, s.Scan(&e.Seq, &e.ID, &e.Kind, &e.SubjectKind, &e.SubjectID, &e.Version, &e.Actor, &e.Unit, &e.At, &e.Data)
}

// Subscribe gives the newest sealed number each time it moves. A slow reader
// misses numbers in between, never the last one. Call cancel when done.
func (l *Log) Subscribe() (ch <-chan int64, cancel func()) {
	c := make(chan int64, 1)
	l.mu.Lock()
	l.watchers[c] = true
	if l.head > 0 {
		c <- l.head
	}
	l.mu.Unlock()
	return c, func() {
		l.mu.Lock()
		delete(l.watchers, c)
		l.mu.Unlock()
	}
}

// sealed tells the subscribers that the order has grown to seq.
func (l *Log) sealed(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq <= l.head {
		return
	}
	l.head = seq
	for c := range l.watchers {
		select {
		case <-c: // an older number nobody took
		default:
		}
		c <- seq
	}
}
