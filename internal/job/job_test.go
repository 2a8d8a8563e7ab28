package job_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/job"
)

func each(t *testing.T, fn func(t *testing.T, d *db.DB, c *clock.Virtual)) {
	t.Helper()
	dbtest.Each(t, []db.Schema{job.Schema()}, fn)
}

func enqueue(t *testing.T, d *db.DB, q *job.Queue, s job.Spec) (id int64) {
	t.Helper()
	if err := d.Update(context.Background(), func(tx *db.Tx) (err error) {
		id, err = q.Enqueue(tx, s)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

func status(t *testing.T, q *job.Queue, id int64) job.Status {
	t.Helper()
	st, err := q.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func runOnce(t *testing.T, q *job.Queue, want int) {
	t.Helper()
	if n, err := q.RunOnce(t.Context()); err != nil || n != want {
		t.Fatalf("ran %d, want %d: %v", n, want, err)
	}
}

func TestJobRunsWithItsPayloadAndReports(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		q := job.New(d)
		type order struct{ Name string }
		q.Handle("export", func(ctx context.Context, j *job.Running) error {
			var o order
			if err := j.Decode(&o); err != nil {
				return err
			}
			j.Progress(1, 2, "一半")
			if st := status(t, q, j.ID); st.State != job.Working || st.Done != 1 || st.Message != "一半" {
				t.Errorf("while running: %+v", st)
			}
			j.Progress(2, 2, "完成")
			j.SetResult(o.Name + ".xlsx")
			return nil
		})
		id := enqueue(t, d, q, job.Spec{Kind: "export", Payload: order{"月报"}, CreatedBy: 9})
		later := enqueue(t, d, q, job.Spec{Kind: "export", Payload: []byte(`{"Name":"b"}`), CreatedBy: 9, RunAt: c.Now().Add(time.Hour)})
		runOnce(t, q, 1)
		st := status(t, q, id)
		if st.State != job.Done || st.Result != "月报.xlsx" || st.Done != 2 || st.Total != 2 || st.Message != "完成" || st.Attempt != 1 {
			t.Fatalf("%+v", st)
		}
		runOnce(t, q, 0)
		c.Advance(time.Hour)
		runOnce(t, q, 1)
		all, err := q.List(t.Context(), 9, 10)
		if err != nil || len(all) != 2 || all[0].ID != later || all[0].State != job.Done {
			t.Fatal(all, err)
		}
		c.Advance(24 * time.Hour)
		if n, err := q.Prune(t.Context(), c.Now().Add(-time.Hour), 10); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		if _, err := q.Get(t.Context(), id); !fault.Is(err, "job_not_found") {
			t.Fatal(err)
		}
	})
}

func TestEnqueueBelongsToTheTransactionAndKeysAreUnique(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		q := job.New(d)
		q.Handle("refan", func(context.Context, *job.Running) error { return nil })
		no := errors.New("no")
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := q.Enqueue(tx, job.Spec{Kind: "refan"})
			return errors.Join(err, no)
		}); !errors.Is(err, no) {
			t.Fatal(err)
		}
		runOnce(t, q, 0)
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids := map[int64]bool{}
		for range 16 {
			wg.Go(func() {
				id := enqueue(t, d, q, job.Spec{Kind: "refan", Key: "unit 7"})
				mu.Lock()
				ids[id] = true
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(ids) != 1 {
			t.Fatalf("%d jobs of one key", len(ids))
		}
		runOnce(t, q, 1)
		if id := enqueue(t, d, q, job.Spec{Kind: "refan", Key: "unit 7"}); ids[id] {
			t.Fatal("a done job holds its key")
		}
		enqueue(t, d, q, job.Spec{Kind: "refan"})
		enqueue(t, d, q, job.Spec{Kind: "refan"})
		enqueue(t, d, q, job.Spec{Kind: "of another process"})
		runOnce(t, q, 3)
	})
}

func TestFailuresAreTriedAgainThenDead(t *testing.T) {
	boom := errors.New("对方无应答")
	for _, c := range []struct {
		name string
		fn   func() error
		runs int
		text string
	}{
		{"an error", func() error { return boom }, 3, "对方无应答"},
		{"a panic", func() error { panic("boom") }, 3, "panic: boom"},
		{"the end of the goroutine", func() error { runtime.Goexit(); return nil }, 3, "goroutine"},
		{"a permanent error", func() error { return fmt.Errorf("read: %w", job.Permanent(boom)) }, 1, "对方无应答"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, d *db.DB, vc *clock.Virtual) {
				q := job.New(d)
				runs := 0
				q.Handle("send", func(context.Context, *job.Running) error { runs++; return c.fn() })
				id := enqueue(t, d, q, job.Spec{Kind: "send", Key: "k", MaxAttempts: 3})
				last := vc.Now()
				for i := range c.runs {
					runOnce(t, q, 1)
					runOnce(t, q, 0) // not before its pause is over
					st := status(t, q, id)
					if i < c.runs-1 {
						wait := st.RunAt.Sub(last)
						if st.State != job.Ready || wait < time.Second<<i || wait > 4*time.Second<<i {
							t.Fatalf("after run %d: %+v, waits %v", i+1, st, wait)
						}
						vc.Set(st.RunAt)
						last = vc.Now()
					}
				}
				st := status(t, q, id)
				if st.State != job.Dead || runs != c.runs || !strings.Contains(st.LastError, c.text) {
					t.Fatalf("%d runs, %+v", runs, st)
				}
				dead, err := q.DeadJobs(t.Context(), 10)
				if err != nil || len(dead) != 1 {
					t.Fatal(dead, err)
				}
				if err := q.Revive(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if err := q.Revive(t.Context(), id); !fault.Is(err, "job_duplicate") && !fault.Is(err, "job_not_dead") {
					t.Fatal(err)
				}
				runOnce(t, q, 1)
			})
		})
	}
}

// Many workers of two processes: every job is run once.
func TestWorkersShareTheQueue(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		const jobs = 60
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		runs := map[int64]int{}
		var done atomic.Int64
		var wg sync.WaitGroup
		var queues []*job.Queue
		for range 2 {
			q := job.New(d)
			queues = append(queues, q)
			q.Handle("k", func(_ context.Context, j *job.Running) error {
				mu.Lock()
				runs[j.ID]++
				mu.Unlock()
				if done.Add(1) == jobs {
					cancel()
				}
				return nil
			})
			wg.Go(func() { _ = q.Run(ctx, 4) })
		}
		for range jobs {
			enqueue(t, d, queues[0], job.Spec{Kind: "k"})
		}
		select {
		case <-ctx.Done():
		case <-clock.System().After(30 * time.Second):
			t.Errorf("%d of %d", done.Load(), jobs)
			cancel()
		}
		wg.Wait()
		for id, n := range runs {
			if n != 1 {
				t.Errorf("job %d ran %d times", id, n)
			}
			if st := status(t, queues[0], id); st.State != job.Done {
				t.Errorf("%+v", st)
			}
		}
	})
}

// A worker that hangs past its lease: the job goes to another, and what the
// first writes afterwards counts for nothing.
func TestExpiredLeaseComesBack(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		first, second := job.New(d), job.New(d)
		started, resume := make(chan struct{}), make(chan struct{})
		var firstCause error
		first.Handle("k", func(ctx context.Context, j *job.Running) error {
			close(started)
			<-resume
			j.Progress(7, 7, "too late")
			firstCause = context.Cause(ctx)
			j.SetResult("first")
			return nil
		})
		second.Handle("k", func(_ context.Context, j *job.Running) error {
			if j.Attempt != 2 {
				t.Errorf("attempt %d", j.Attempt)
			}
			j.SetResult("second")
			return nil
		})
		id := enqueue(t, d, first, job.Spec{Kind: "k"})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = first.RunOnce(t.Context()) })
		<-started
		runOnce(t, second, 0) // the lease holds
		c.Advance(5 * time.Minute)
		runOnce(t, second, 1)
		close(resume)
		wg.Wait()
		if st := status(t, second, id); st.State != job.Done || st.Result != "second" || st.Done != 0 {
			t.Fatalf("%+v", st)
		}
		if firstCause == nil {
			t.Error("the first worker was not told that it lost the lease")
		}
	})
}

func TestLastLeaseExpiresDead(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		q := job.New(d)
		id := enqueue(t, d, q, job.Spec{Kind: "k", MaxAttempts: 1})
		if err := d.Update(t.Context(), func(tx *db.Tx) error { // a worker took it and died
			_, err := tx.Exec(`UPDATE job SET state = 'running', attempt = 1, lease_until = $1`, tx.NowMS())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
		runOnce(t, q, 0)
		if st := status(t, q, id); st.State != job.Dead || st.LastError == "" {
			t.Fatalf("%+v", st)
		}
	})
}

// A job broken off by the end of its process is not charged with an attempt.
func TestStoppedWorkerGivesItsJobBack(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		q := job.New(d)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		q.Handle("k", func(ctx context.Context, j *job.Running) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		})
		id := enqueue(t, d, q, job.Spec{Kind: "k", MaxAttempts: 1})
		if err := q.Run(ctx, 2); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if st := status(t, q, id); st.State != job.Ready || st.Attempt != 0 {
			t.Fatalf("%+v", st)
		}
	})
}
