package db

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
)

func TestLanesAreServedInOrderAndNoneStarves(t *testing.T) {
	q := newQueue()
	add := func(l Lane) {
		if _, err := q.put(&write{lane: l}); err != nil {
			t.Fatal(err)
		}
	}
	add(LaneAudit)
	add(LaneLow)
	add(LaneNormal)
	add(LaneHigh)
	var order []Lane
	for range 4 {
		order = append(order, q.try().lane)
	}
	if !slices.Equal(order, []Lane{LaneHigh, LaneNormal, LaneLow, LaneAudit}) {
		t.Fatalf("served %v", order)
	}
	for range 10 {
		add(LaneAudit)
	}
	audit := 0
	for range 1000 { // the high lane is never empty
		add(LaneHigh)
		add(LaneHigh)
		if q.try().lane == LaneAudit {
			audit++
		}
	}
	if audit != 10 {
		t.Fatalf("the audit lane was served %d times of 10", audit)
	}
}

func TestTooManyWaitingAreTurnedAway(t *testing.T) {
	q := newQueue()
	for range maxWaiting {
		if _, err := q.put(&write{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.put(&write{}); err == nil {
		t.Fatal("the queue has no end")
	}
}

func TestIDsIncreaseWhateverTheClockDoes(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai))
	m := &idMaker{}
	m.node.Store(5)
	last := int64(0)
	for i := range 20000 { // more than a millisecond's counter holds
		if i == 10000 {
			c.Advance(-time.Hour)
		}
		id := m.next(c)
		if id <= last || id>>counterBits&MaxNode != 5 {
			t.Fatalf("%d after %d", id, last)
		}
		last = id
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[int64]bool{}
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				id := m.next(c)
				mu.Lock()
				if seen[id] {
					t.Errorf("%d twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai)
	if first := FirstID(at); !IDTime(first).Equal(at) || last >= first {
		t.Fatalf("FirstID %d is %v", first, IDTime(first))
	}
}

// The WAL stays bounded while a reader is always open and writes never pause.
func TestWALStaysBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal.db")
	d, err := Open(t.Context(), Config{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), Schema{Name: "wal", Steps: []Step{{SQL: "CREATE TABLE wal (id BIGINT PRIMARY KEY, body TEXT NOT NULL)"}}}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	body := string(make([]byte, 40000))
	const writers, each = 4, 700
	for w := range writers {
		wg.Go(func() {
			for range each {
				if err := d.Update(t.Context(), func(tx *Tx) error {
					_, err := tx.Exec(`INSERT INTO wal (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, w*1000+int(d.NewID()%50), body)
					return err
				}); err != nil {
					t.Error(err)
				}
				_ = d.View(t.Context(), func(tx *Tx) error { _, err := Int(tx, `SELECT count(*) FROM wal`); return err })
			}
		})
	}
	wg.Wait()
	wrote := int64(writers * each * len(body))
	s, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if s.Size() > wrote*3/4 {
		t.Fatalf("the WAL has %d MB after %d MB were written", s.Size()>>20, wrote>>20)
	}
	t.Logf("the WAL has %d MB after %d MB were written", s.Size()>>20, wrote>>20)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(path + "-wal"); err == nil && s.Size() > 0 {
		t.Fatalf("%d bytes of WAL after Close", s.Size())
	}
}
