package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// State is where a job stands.
type State string

// The states of a job.
const (
	Ready   State = "ready"   // waits for its time and a worker
	Working State = "running" // leased by a worker
	Done    State = "done"    // finished
	Dead    State = "dead"    // failed for good; a person has to look
)

// DefaultAttempts is how often a job is tried when Spec does not say.
const DefaultAttempts = 8

// Spec is a job to be enqueued.
type Spec struct {
	Kind        string
	Key         string    // at most one unfinished job of a kind has it; "" means none
	Payload     any       // stored as JSON; []byte and json.RawMessage as they are
	RunAt       time.Time // not before; zero is at once
	MaxAttempts int       // 0 is DefaultAttempts
	CreatedBy   int64     // account that asked for it; 0 is the system
}

// Job is one run of a job.
type Job struct {
	ID          int64
	Kind        string
	Key         string
	Payload     []byte
	Attempt     int // from 1
	MaxAttempts int
	CreatedBy   int64
	CreatedAt   time.Time
}

// Status is what people see of a job.
type Status struct {
	ID          int64
	Kind        string
	State       State
	Attempt     int
	Done, Total int64  // progress, in the handler's units; Total 0 is unknown
	Message     string // progress in words
	Result      string
	LastError   string
	CreatedBy   int64
	RunAt       time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Schema makes the table of jobs.
func Schema() db.Schema {
	return db.Schema{Name: "job", Steps: []db.Step{{SQL: `
CREATE TABLE job (
	id BIGINT PRIMARY KEY,
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
	run_at BIGINT NOT NULL,
	lease_until BIGINT NOT NULL DEFAULT 0,
	attempt BIGINT NOT NULL DEFAULT 0,
	max_attempt BIGINT NOT NULL,
	payload BYTEA NOT NULL,
	done_n BIGINT NOT NULL DEFAULT 0,
	total_n BIGINT NOT NULL DEFAULT 0,
	message TEXT NOT NULL DEFAULT '',
	result TEXT NOT NULL DEFAULT '',
	last_error TEXT NOT NULL DEFAULT '',
	created_by BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (kind, key) WHERE key <> '' AND state IN ('ready', 'running');
CREATE INDEX job_ready ON job (run_at, id) WHERE state = 'ready';
CREATE INDEX job_running ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_creator ON job (created_by, id);
`}}}
}

// Handler does the work of a job. Its context ends when the worker stops or
// loses the lease.
type Handler func(ctx context.Context, j *Running) error

// Queue enqueues jobs and runs them. It is made once by New.
type Queue struct {
	d    *db.DB
	wall clock.Clock // the machine's: polling and heartbeats
	wake chan struct{}

	mu       sync.Mutex
	handlers map[string]Handler
	kinds    []any              // of the handlers, sorted
	running  map[int64]*Running // leased by this process
}

// New gives the queue of a database in which Schema has been migrated.
func New(d *db.DB) *Queue {
	return &Queue{d: d, wall: clock.System(), wake: make(chan struct{}, 1),
		handlers: map[string]Handler{}, running: map[int64]*Running{}}
}

// Enqueue adds a job in the caller's transaction and gives its id. When an
// unfinished job of the kind has the key already, nothing is added and that
// job's id is given.
func (q *Queue) Enqueue(tx *db.Tx, s Spec) (id int64, err error) {
	if s.Kind == "" {
		return 0, errors.New("job: a job without kind")
	}
	payload, err := encode(s.Payload)
	if err != nil {
		return 0, fmt.Errorf("job: payload of %s: %w", s.Kind, err)
	}
	if s.MaxAttempts <= 0 {
		s.MaxAttempts = DefaultAttempts
	}
	now, runAt := tx.NowMS(), tx.NowMS()
	if !s.RunAt.IsZero() {
		runAt = clock.Millis(s.RunAt)
	}
	id = tx.NewID()
	n, err := tx.Exec(`INSERT INTO job (id, kind, key, state, run_at, max_attempt, payload, created_by, created_at, updated_at)
		VALUES ($1, $2, $3, 'ready', $4, $5, $6, $7, $8, $8)
		ON CONFLICT (kind, key) WHERE key <> '' AND state IN ('ready', 'running') DO NOTHING`,
		id, s.Kind, s.Key, runAt, s.MaxAttempts, payload, s.CreatedBy, now)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return db.Int(tx, `SELECT id FROM job WHERE kind = $1 AND key = $2 AND key <> '' AND state IN ('ready', 'running')`, s.Kind, s.Key)
	}
	tx.AfterCommit(q.rouse)
	return id, nil
}

func encode(payload any) ([]byte, error) {
	switch p := payload.(type) {
	case nil:
		return []byte("null"), nil
	case []byte:
		return append([]byte{}, p...), nil
	case json.RawMessage:
		return append([]byte{}, p...), nil
	}
	return json.Marshal(payload)
}

func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

const statusColumns = `id, kind, state, attempt, done_n, total_n, message, result, last_error, created_by, run_at, created_at, updated_at`

func scanStatus(s db.Scanner) (st Status, err error) {
	var runAt, createdAt, updatedAt int64
	err = s.Scan(&st.ID, &st.Kind, &st.State, &st.Attempt, &st.Done, &st.Total, &st.Message, &st.Result,
		&st.LastError, &st.CreatedBy, &runAt, &createdAt, &updatedAt)
	st.RunAt, st.CreatedAt, st.UpdatedAt = clock.FromMillis(runAt), clock.FromMillis(createdAt), clock.FromMillis(updatedAt)
	return st, err
}

// Get tells how a job stands; code "job_not_found" when there is none.
func (q *Queue) Get(ctx context.Context, id int64) (st Status, err error) {
	err = q.d.View(ctx, func(tx *db.Tx) (err error) {
		st, err = db.One(tx, scanStatus, `SELECT `+statusColumns+` FROM job WHERE id = $1`, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.NotFound("job_not_found", "后台任务不存在或已清理。")
	}
	return st, err
}

// List gives the jobs that an account asked for, the newest first.
func (q *Queue) List(ctx context.Context, createdBy int64, limit int) (all []Status, err error) {
	err = q.d.View(ctx, func(tx *db.Tx) (err error) {
		all, err = db.All(tx, scanStatus, `SELECT `+statusColumns+` FROM job WHERE created_by = $1 ORDER BY id DESC LIMIT $2`, createdBy, limit)
		return err
	})
	return all, err
}

// DeadJobs gives the jobs that failed for good, the newest first.
func (q *Queue) DeadJobs(ctx context.Context, limit int) (all []Status, err error) {
	err = q.d.View(ctx, func(tx *db.Tx) (err error) {
		all, err = db.All(tx, scanStatus, `SELECT `+statusColumns+` FROM job WHERE state = 'dead' ORDER BY id DESC LIMIT $1`, limit)
		return err
	})
	return all, err
}

// Revive gives a dead job all its attempts anew; codes "job_not_dead" when it
// is not dead and "job_duplicate" when a job of its key waits already.
func (q *Queue) Revive(ctx context.Context, id int64) error {
	return q.d.Update(ctx, func(tx *db.Tx) error {
		twin, err := db.Int(tx, `SELECT count(*) FROM job a JOIN job b ON b.kind = a.kind AND b.key = a.key
			WHERE a.id = $1 AND a.key <> '' AND b.id <> a.id AND b.state IN ('ready', 'running')`, id)
		if err != nil {
			return err
		}
		if twin > 0 {
			return fault.Conflict("job_duplicate", "同一任务已重新提交，无需重试此条。")
		}
		n, err := tx.Exec(`UPDATE job SET state = 'ready', attempt = 0, run_at = $1, updated_at = $1 WHERE id = $2 AND state = 'dead'`, tx.NowMS(), id)
		if err == nil && n == 0 {
			return fault.Conflict("job_not_dead", "只有执行失败的后台任务可以重试。")
		}
		tx.AfterCommit(q.rouse)
		return err
	})
}

// Prune removes up to limit done jobs last touched before t and tells how many.
func (q *Queue) Prune(ctx context.Context, t time.Time, limit int) (n int64, err error) {
	err = q.d.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) (err error) {
		n, err = tx.Exec(`DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state = 'done' AND updated_at < $1 ORDER BY id LIMIT $2)`,
			clock.Millis(t), limit)
		return err
	})
	return n, err
}
