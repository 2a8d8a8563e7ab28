package db_test

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// The server ends the connection in the middle of a closure: nothing of the
// first run stays and the closure runs again.
func TestLostConnectionIsRunAgain(t *testing.T) {
	d, _ := dbtest.Postgres(t, notes)
	other, _ := dbtest.Postgres(t)
	kill := func(tx *db.Tx) {
		pid, err := db.Int(tx, `SELECT pg_backend_pid()`)
		if err != nil {
			t.Error(err)
		}
		if err := other.Update(t.Context(), func(tx *db.Tx) error {
			_, err := db.Int(tx, `SELECT CASE WHEN pg_terminate_backend(CAST($1 AS INTEGER)) THEN 1 ELSE 0 END`, pid)
			return err
		}); err != nil {
			t.Error(err)
		}
		_ = clock.System().Sleep(t.Context(), 20*time.Millisecond)
	}
	runs := 0
	if err := d.Update(t.Context(), func(tx *db.Tx) error {
		if runs++; runs == 1 {
			if _, err := put(tx, "first", 1); err != nil {
				return err
			}
			kill(tx)
		}
		_, err := put(tx, "second", 1)
		return err
	}); err != nil || runs != 2 {
		t.Fatalf("update: %v after %d runs", err, runs)
	}
	if n := count(t, d); n != 1 {
		t.Fatalf("%d rows", n)
	}
	runs = 0
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		if runs++; runs == 1 {
			kill(tx)
		}
		_, err := db.Int(tx, `SELECT count(*) FROM note`)
		return err
	}); err != nil || runs != 2 {
		t.Fatalf("view: %v after %d runs", err, runs)
	}
}

// Another connection holds SQLite's write lock for a while, as a backup may.
func TestWriterWaitsForAStrangersLock(t *testing.T) {
	path := dbtest.SQLitePath(t, notes)
	a, b := open(t, db.Config{URL: path}), open(t, db.Config{URL: path})
	holding := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Update(t.Context(), func(tx *db.Tx) error {
			_, err := put(tx, "a", 1)
			close(holding)
			_ = clock.System().Sleep(t.Context(), 200*time.Millisecond)
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	<-holding
	if err := b.Update(t.Context(), func(tx *db.Tx) error { _, err := put(tx, "b", 1); return err }); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if n := count(t, b); n != 2 {
		t.Fatalf("%d rows", n)
	}
}

// A full database undoes those who need space; those who do not still succeed,
// and all is well when there is space again.
func TestFullDiskHurtsOnlyThoseWhoNeedSpace(t *testing.T) {
	d, _ := dbtest.SQLite(t, notes)
	pragma := func(text string) {
		t.Helper()
		if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := db.Int(tx, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	pragma(`PRAGMA max_page_count = 40`)
	big := strings.Repeat("x", 1<<20)
	var wg sync.WaitGroup
	var small atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			err := d.Update(t.Context(), func(tx *db.Tx) error {
				if i%4 != 0 {
					_, err := put(tx, fmt.Sprint(i), 1)
					return err
				}
				_, err := tx.Exec(`INSERT INTO note (id, key, body) VALUES ($1, $2, $3)`, tx.NewID(), fmt.Sprint(i), big)
				return err
			})
			switch {
			case i%4 == 0 && err == nil:
				t.Error("1 MB fits into 40 pages")
			case i%4 != 0 && err != nil:
				t.Errorf("small %d: %v", i, err)
			case i%4 != 0:
				small.Add(1)
			}
		})
	}
	wg.Wait()
	if n := count(t, d); n != small.Load() || n != 30 {
		t.Fatalf("%d rows, %d acknowledged", n, small.Load())
	}
	pragma(`PRAGMA max_page_count = 100000`)
	if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := put(tx, big, 1); return err }); err != nil {
		t.Fatal(err)
	}
}

// After the file system failed, nothing more is acknowledged until the program
// starts anew; what was acknowledged before is there then.
func TestDiskFaultEndsWriting(t *testing.T) {
	path := dbtest.SQLitePath(t, notes)
	d := open(t, db.Config{URL: path})
	write := func(key string) error {
		return d.Update(t.Context(), func(tx *db.Tx) error { _, err := put(tx, key, 1); return err })
	}
	if err := write("before"); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	s, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(s.Size()), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	err = write(strings.Repeat("x", 1<<16))
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); e != nil {
		t.Fatal(e)
	}
	if !fault.Is(err, "database_down") {
		t.Fatalf("the write that failed: %v", err)
	}
	if err := write("after"); !fault.Is(err, "database_down") {
		t.Fatalf("a write after it: %v", err)
	}
	if n := count(t, d); n != 1 {
		t.Fatalf("%d rows can be read", n)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, db.Config{URL: path})
	if err := again.Update(t.Context(), func(tx *db.Tx) error { _, err := put(tx, "after", 1); return err }); err != nil {
		t.Fatal(err)
	}
	if n := count(t, again); n != 2 {
		t.Fatalf("%d rows", n)
	}
}

func TestClosedDatabaseSaysSo(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		nothing := func(*db.Tx) error { return nil }
		if err := d.Update(t.Context(), nothing); !fault.Is(err, "database_closed") {
			t.Error(err)
		}
		if err := d.View(t.Context(), nothing); !fault.Is(err, "database_closed") {
			t.Error(err)
		}
	})
}
