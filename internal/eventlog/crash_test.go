package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
)

// childEnv names the database of a child process that writes, seals and
// follows until it is killed.
const childEnv = "EVENTLOG_TEST_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		child(url)
		return
	}
	os.Exit(m.Run())
}

func child(url string) {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url, Node: int64(os.Getpid()) % db.MaxNode})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	l := eventlog.New(d, "event")
	go func() { _ = l.RunSealer(ctx) }()
	go func() {
		for {
			_, _ = l.SealNow(ctx) // and one more, without pause
		}
	}()
	go func() { _ = l.Follow(ctx, "recorder", 5, record) }()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				thing := rand.Int64N(500) + 1
				var version int64
				err := d.Update(ctx, func(tx *db.Tx) (err error) {
					if err = change(tx, l, thing, nil); err == nil {
						version, err = db.Int(tx, `SELECT version FROM thing WHERE id = $1`, thing)
					}
					return err
				})
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
				} else {
					fmt.Println("ack", thing, version)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// The process is killed again and again while it writes, seals and follows:
// what it acknowledged is sealed in the end, once, in order, in a whole chain.
func TestKilledWhileSealing(t *testing.T) {
	run := func(t *testing.T, url string) {
		acked := map[[2]int64]bool{}
		for range 6 {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+url)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			life := 150*time.Millisecond + rand.N(250*time.Millisecond)
			var deadline <-chan time.Time
			lines := bufio.NewScanner(out)
			killed := make(chan struct{})
			for lines.Scan() {
				var a [2]int64
				if n, _ := fmt.Sscanf(lines.Text(), "ack %d %d", &a[0], &a[1]); n == 2 {
					acked[a] = true
				} else if lines.Text() != "" {
					t.Error(lines.Text())
				}
				if deadline == nil { // it lives from its first acknowledgement
					deadline = clock.System().After(life)
					go func() {
						<-deadline
						_ = cmd.Process.Kill()
						close(killed)
					}()
				}
			}
			if deadline != nil {
				<-killed
			}
			_ = cmd.Wait()
		}
		d, err := db.Open(t.Context(), db.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		l := eventlog.New(d, "event")
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.FollowOnce(t.Context(), "recorder", 100, record); err != nil {
			t.Fatal(err)
		}
		head, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkEffects(t, d, int(head))
		if r := intact(t, l, head); r.Unsealed != 0 || len(acked) == 0 {
			t.Fatalf("%+v, %d acknowledged", r, len(acked))
		}
		err = d.View(t.Context(), func(tx *db.Tx) error {
			for a := range acked {
				n, err := db.Int(tx, `SELECT count(*) FROM effect WHERE thing = $1 AND version = $2`, a[0], a[1])
				if err != nil {
					return err
				}
				if n != 1 {
					t.Errorf("thing %d version %d was acknowledged and has %d effects", a[0], a[1], n)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d events sealed, %d acknowledged, 0 lost", head, len(acked))
	}
	t.Run("sqlite", func(t *testing.T) { run(t, dbtest.SQLitePath(t, schemas...)) })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.PostgresURL(t, schemas...)) })
}

// A sealer that holds the lease and dies is followed by another; one that ends
// as it should hands over at once.
func TestLeasePassesOn(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = l.RunSealer(first) })
		wait := func(l *eventlog.Log, want int64) {
			t.Helper()
			ch, stop := l.Subscribe()
			defer stop()
			limit := clock.System().After(5 * time.Second)
			for {
				select {
				case seq := <-ch:
					if seq >= want {
						return
					}
				case <-limit:
					t.Fatalf("%d was not sealed in time", want)
				}
			}
		}
		changes(t, d, l, 1)
		wait(l, 1)
		other := eventlog.New(d, "event")
		second, cancelSecond := context.WithCancel(t.Context())
		wg.Go(func() { _ = other.RunSealer(second) })
		changes(t, d, l, 1)
		wait(other, 2) // it learns of what the first sealed
		cancel()
		changes(t, d, l, 1)
		wait(other, 3) // and takes over
		cancelSecond()
		wg.Wait()
		intact(t, l, 3)
	})
}
