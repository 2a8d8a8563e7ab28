package audit

import (
	"context"

	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/seal"
)

// Log is the audit log. Built once by app.
type Log struct {
	d    *db.DB
	log  *eventlog.Log
	ring *seal.Ring
	logs map[string]*eventlog.Log // those whose checkpoints are signed, by name
	seen seen
}

// Name is the event log's name: its tables are audit, audit_pending, audit_log.
const Name = "audit"

// New makes the log.
func New(d *db.DB) *Log {
	log := eventlog.New(d, Name)
	return &Log{d: d, log: log, logs: map[string]*eventlog.Log{Name: log}}
}

// Witness has the checkpoints of another log signed and verified here, too;
// call it before RunSealer.
func (l *Log) Witness(name string, log *eventlog.Log) *Log {
	l.logs[name] = log
	return l
}

// SignWith gives the ring whose key signs checkpoints; without it there are none.
func (l *Log) SignWith(r *seal.Ring) *Log {
	l.ring = r
	return l
}

// Alone is eventlog's Alone for the audit and every log it witnesses.
func (l *Log) Alone() *Log {
	for _, log := range l.logs {
		log.Alone()
	}
	return l
}

// Schemas is the event log's tables and this room's own.
func Schemas() []db.Schema {
	return []db.Schema{eventlog.Schema(Name), {Name: "audit_extra", Steps: []db.Step{{SQL: `
CREATE TABLE audit_reason (id BIGINT PRIMARY KEY, reason TEXT NOT NULL);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE TABLE audit_checkpoint (
  log TEXT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  public_key BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (log, seq)
)`}}}}
}

// SealNow seals what is pending, for tests and tools.
func (l *Log) SealNow(ctx context.Context) (int, error) { return l.log.SealNow(ctx) }
