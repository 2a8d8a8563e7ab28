package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"hotline/internal/db"
	"hotline/internal/eventlog"
)

// OK is the outcome of what was done; any other outcome is a code of why not.
const OK = "ok"

// Entry is one line of the audit: somebody did or saw something.
type Entry struct {
	Actor       int64  // account; 0 = the system or nobody known
	Account     string // login name, or the name of a follower
	Role        string
	Unit        int64
	Op          string // e.g. ticket.view, ticket.list, reveal, login, login_failed, export, config
	SubjectKind string // ticket, account, article, …
	Subject     int64
	Outcome     string // "" = OK
	Reason      string // as stated by the person; kept beside the chain
	Count       int    // rows seen or changed
	IP          string
	Query       string // digest or codes only, never typed text
}

// detail is the part of an entry that goes into the event's data.
type detail struct {
	Account string `json:"a,omitempty"`
	Role    string `json:"r,omitempty"`
	Outcome string `json:"o,omitempty"`
	Count   int    `json:"n,omitempty"`
	IP      string `json:"ip,omitempty"`
	Query   string `json:"q,omitempty"`
	Reason  string `json:"why,omitempty"` // SHA-256 of the stated reason
}

// Record writes an entry in the caller's transaction. If it fails, the act
// fails: the caller returns the error.
func (l *Log) Record(tx *db.Tx, e Entry) error {
	ev, err := e.event(tx)
	if err != nil {
		return err
	}
	id, err := l.log.Append(tx, ev)
	if err != nil || e.Reason == "" {
		return err
	}
	return tx.Send(`INSERT INTO audit_reason (id, reason) VALUES ($1, $2)`, id, e.Reason)
}

// recordAll is Record for the entries of many requests.
func (l *Log) recordAll(tx *db.Tx, entries []Entry) error {
	evs := make([]eventlog.Event, 0, len(entries))
	for _, e := range entries {
		ev, err := e.event(tx)
		if err != nil {
			return err
		}
		evs = append(evs, ev)
	}
	if err := l.log.AppendAll(tx, evs); err != nil {
		return err
	}
	for i, e := range entries {
		if e.Reason == "" {
			continue
		}
		if err := tx.Send(`INSERT INTO audit_reason (id, reason) VALUES ($1, $2)`, evs[i].ID, e.Reason); err != nil {
			return err
		}
	}
	return nil
}

// event is the entry as the log keeps it.
func (e Entry) event(tx *db.Tx) (eventlog.Event, error) {
	if e.Op == "" {
		return eventlog.Event{}, errNoOp
	}
	if e.SubjectKind == "" {
		e.SubjectKind = "none" // an act on nothing in particular
	}
	d := detail{Account: e.Account, Role: e.Role, Outcome: e.Outcome, Count: e.Count, IP: e.IP, Query: e.Query}
	if d.Outcome == OK {
		d.Outcome = "" // the usual case takes no room
	}
	if e.Reason != "" {
		d.Reason = reasonDigest(e.Reason)
	}
	data, err := json.Marshal(d)
	if err != nil {
		return eventlog.Event{}, fmt.Errorf("audit: %w", err)
	}
	return eventlog.Event{Kind: e.Op, SubjectKind: e.SubjectKind, SubjectID: e.Subject, Actor: e.Actor, Unit: e.Unit, At: tx.NowMS(), Data: string(data)}, nil
}

func reasonDigest(reason string) string {
	sum := sha256.Sum256([]byte(reason))
	return hex.EncodeToString(sum[:])
}
