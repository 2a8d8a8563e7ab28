package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

const (
	// leaseFor is how long a job waits for a worker that died.
	leaseFor = time.Minute
	// heartbeat is how often running jobs renew their leases and expired ones are looked for.
	heartbeat = 15 * time.Second
	// poll is how often the queue is looked at without being woken.
	poll = time.Second
	// progressEvery is how often a running job's progress is written.
	progressEvery = 500 * time.Millisecond

	firstPause = 2 * time.Second // before the second attempt; it doubles
	lastPause  = 15 * time.Minute
	maxError   = 2000 // bytes kept of an error
)

var (
	errLost = errors.New("job: the lease was lost; another worker has the job")
	errNone = errors.New("job: nothing to do")
)

// permanent marks an error that no further attempt will mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that makes further attempts pointless: the job is
// dead at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Running is a job in its handler's hands.
type Running struct {
	Job
	q      *Queue
	cancel context.CancelCauseFunc

	mu          sync.Mutex
	done, total int64
	message     string
	result      string
	written     time.Time
}

// Decode reads the payload as JSON; a payload it cannot read is a permanent error.
func (r *Running) Decode(v any) error {
	if err := json.Unmarshal(r.Payload, v); err != nil {
		return Permanent(fmt.Errorf("job: payload of %s: %w", r.Kind, err))
	}
	return nil
}

// Progress says how far the job has come: done of total (0 is unknown), and a
// word to people. It is written now and then, and when the job ends.
func (r *Running) Progress(done, total int64, message string) {
	r.mu.Lock()
	r.done, r.total, r.message = done, total, message
	now := r.q.wall.Now()
	due := now.Sub(r.written) >= progressEvery
	if due {
		r.written = now
	}
	r.mu.Unlock()
	if !due {
		return
	}
	err := r.q.d.UpdateLane(context.Background(), db.LaneLow, func(tx *db.Tx) error {
		return r.finish(tx, `UPDATE job SET done_n = $1, total_n = $2, message = $3, updated_at = $4, lease_until = $5 WHERE id = $6 AND attempt = $7 AND state = 'running'`,
			done, total, message, tx.NowMS(), tx.NowMS()+leaseFor.Milliseconds(), r.ID, r.Attempt)
	})
	switch {
	case errors.Is(err, errLost):
		r.cancel(errLost)
	case err != nil:
		slog.Warn("job: progress was not written", "kind", r.Kind, "job", r.ID, "error", err)
	}
}

// SetResult keeps what people get from the job, e.g. the name of a file.
func (r *Running) SetResult(s string) {
	r.mu.Lock()
	r.result = s
	r.mu.Unlock()
}

// finish runs a statement that must hit the job as this run leased it: the
// attempt number fences a run whose lease has passed to another.
func (r *Running) finish(tx *db.Tx, text string, args ...any) error {
	n, err := tx.Exec(text, args...)
	if err == nil && n == 0 {
		return errLost
	}
	return err
}

// Handle sets the handler of a kind, before Run. Jobs of kinds without a
// handler wait for a process that has one.
func (q *Queue) Handle(kind string, fn func(ctx context.Context, j *Running) error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.handlers[kind] != nil {
		panic("job: two handlers of kind " + kind)
	}
	q.handlers[kind] = fn
	q.kinds = append(q.kinds, kind)
	slices.SortFunc(q.kinds, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
}

// Run works on the queue with so many workers until ctx ends and the handlers
// have returned. A job broken off by that goes back to the queue.
func (q *Queue) Run(ctx context.Context, workers int) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for q.wall.Sleep(ctx, heartbeat) == nil {
			if err := q.sweep(ctx); err != nil && ctx.Err() == nil {
				slog.Warn("job: heartbeat failed", "error", err)
			}
		}
	})
	if err := q.sweep(ctx); err != nil && ctx.Err() == nil {
		slog.Warn("job: heartbeat failed", "error", err)
	}
	for range max(workers, 1) {
		wg.Go(func() { q.work(ctx) })
	}
	<-ctx.Done()
	return ctx.Err()
}

func (q *Queue) work(ctx context.Context) {
	fails := 0
	for ctx.Err() == nil {
		r, err := q.claim(ctx)
		switch {
		case err == nil:
			fails = 0
			q.rouse() // there may be more, for the other workers
			q.run(ctx, r)
			continue
		case !errors.Is(err, errNone) && ctx.Err() == nil:
			fails++
			slog.Warn("job: claiming failed", "error", err, "times", fails)
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-q.wall.After(poll):
		}
	}
}

// RunOnce runs the jobs that are due, one after the other, until none is, and
// tells how many runs that were. It serves tests and tools.
func (q *Queue) RunOnce(ctx context.Context) (n int, err error) {
	if err := q.sweep(ctx); err != nil {
		return 0, err
	}
	for {
		r, err := q.claim(ctx)
		if errors.Is(err, errNone) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		q.run(ctx, r)
		n++
	}
}

// claim leases the job that has been due longest.
func (q *Queue) claim(ctx context.Context) (*Running, error) {
	q.mu.Lock()
	kinds := q.kinds
	q.mu.Unlock()
	if len(kinds) == 0 {
		return nil, errNone
	}
	// Looking costs nothing while there is nothing; claiming is a write.
	due := int64(0)
	in := placeholders(2, len(kinds))
	err := q.d.View(ctx, func(tx *db.Tx) (err error) {
		due, err = db.Int(tx, `SELECT count(*) FROM (SELECT 1 FROM job WHERE state = 'ready' AND run_at <= $1 AND kind IN `+in+` LIMIT 1) x`,
			append([]any{tx.NowMS()}, kinds...)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if due == 0 {
		return nil, errNone
	}
	var r *Running
	err = q.d.Update(ctx, func(tx *db.Tx) error {
		all, err := db.All(tx, func(s db.Scanner) (*Running, error) {
			r := &Running{q: q}
			var created int64
			err := s.Scan(&r.ID, &r.Kind, &r.Key, &r.Payload, &r.Attempt, &r.MaxAttempts, &r.CreatedBy, &created, &r.done, &r.total, &r.message)
			r.CreatedAt = clock.FromMillis(created)
			return r, err
		}, `UPDATE job SET state = 'running', attempt = attempt + 1, updated_at = $1, lease_until = $1 + `+strconv.FormatInt(leaseFor.Milliseconds(), 10)+`
			WHERE id IN (SELECT id FROM job WHERE state = 'ready' AND run_at <= $1 AND kind IN `+in+` ORDER BY run_at, id LIMIT 1`+tx.SkipLocked()+`)
			RETURNING id, kind, key, payload, attempt, max_attempt, created_by, created_at, done_n, total_n, message`,
			append([]any{tx.NowMS()}, kinds...)...)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return errNone
		}
		r = all[0]
		return nil
	})
	return r, err
}

// run runs a leased job and writes down how it ended.
func (q *Queue) run(ctx context.Context, r *Running) {
	jobCtx, cancel := context.WithCancelCause(ctx)
	r.cancel = cancel
	q.mu.Lock()
	q.running[r.ID] = r
	handler := q.handlers[r.Kind]
	q.mu.Unlock()
	err := call(jobCtx, handler, r)
	lost := errors.Is(context.Cause(jobCtx), errLost)
	cancel(nil)
	q.mu.Lock()
	delete(q.running, r.ID)
	q.mu.Unlock()
	if lost {
		slog.Warn("job: lease lost", "kind", r.Kind, "job", r.ID, "attempt", r.Attempt)
		return
	}
	// The end is written also when the worker is being stopped.
	if e := q.end(context.WithoutCancel(ctx), r, err, err != nil && ctx.Err() != nil); e != nil {
		slog.Warn("job: the end of a job was not written; it will run again", "kind", r.Kind, "job", r.ID, "error", e)
	}
}

// call runs the handler on a goroutine of its own, so that neither a panic nor
// runtime.Goexit takes the worker along.
func call(ctx context.Context, handler Handler, r *Running) error {
	ended := make(chan error, 1)
	go func() {
		err := errors.New("job: the handler ended its goroutine")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("job: panic: %v\n%s", p, debug.Stack())
			}
			ended <- err
		}()
		err = handler(ctx, r)
	}()
	return <-ended
}

// end writes a job's end: done, another attempt, or dead. A job broken off by
// the end of its worker is not charged with an attempt.
func (q *Queue) end(ctx context.Context, r *Running, err error, brokenOff bool) error {
	r.mu.Lock()
	done, total, message, result := r.done, r.total, r.message, r.result
	r.mu.Unlock()
	return q.d.Update(ctx, func(tx *db.Tx) error {
		now := tx.NowMS()
		state, attempt, runAt, text := Ready, r.Attempt, now, ""
		var final permanent
		switch {
		case err == nil:
			state = Done
		case brokenOff:
			attempt--
		case errors.As(err, &final) || r.Attempt >= r.MaxAttempts:
			state, text = Dead, shorten(err.Error())
			slog.Error("job: dead", "kind", r.Kind, "job", r.ID, "attempts", r.Attempt, "error", err)
		default:
			runAt, text = now+pause(r.Attempt).Milliseconds(), shorten(err.Error())
		}
		return r.finish(tx, `UPDATE job SET state = $1, attempt = $2, run_at = $3, last_error = $4, done_n = $5, total_n = $6,
			message = $7, result = $8, updated_at = $9, lease_until = 0 WHERE id = $10 AND attempt = $11 AND state = 'running'`,
			string(state), attempt, runAt, text, done, total, message, result, now, r.ID, r.Attempt)
	})
}

// pause is how long a job waits after its n-th attempt: it doubles, with a
// fifth of chance, so that what failed together does not come back together.
func pause(n int) time.Duration {
	d := min(firstPause<<min(n-1, 20), lastPause)
	return d - d/10 + rand.N(d/5)
}

func shorten(s string) string {
	if len(s) > maxError {
		s = s[:maxError]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(map[bool]string{true: "($", false: ", $"}[i == 0])
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String() + ")"
}
