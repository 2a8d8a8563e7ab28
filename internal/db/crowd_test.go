package db

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hotline/internal/fault"
)

// When too many wait to read, who comes later is told at once to try again; reads in
// the background wait.
func TestCrowdedReadsAreTurnedAway(t *testing.T) {
	d, err := Open(t.Context(), Config{URL: filepath.Join(t.TempDir(), "x.db"), Node: 1, Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = d.View(context.Background(), func(*Tx) error { close(held); <-hold; return nil })
	})
	<-held
	nothing := func(*Tx) error { return nil }
	person := ForPerson(t.Context())
	errs := make(chan error, maxAsking+1)
	for range maxAsking {
		wg.Go(func() { errs <- d.View(person, nothing) })
	}
	wg.Go(func() { errs <- d.View(t.Context(), nothing) })
	for d.asking.Load() < maxAsking {
		time.Sleep(time.Millisecond)
	}
	if e := fault.As(d.View(person, nothing)); e == nil || e.Code != "database_crowded" {
		t.Errorf("one too many: %v", e)
	}
	close(hold)
	wg.Wait()
	for range maxAsking + 1 {
		if err := <-errs; err != nil {
			t.Fatalf("one that waited: %v", err)
		}
	}
	if n := d.asking.Load(); n != 0 {
		t.Errorf("%d are counted as waiting", n)
	}
}
