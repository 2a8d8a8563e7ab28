package cti

import (
	"context"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

func TestReferencesOfEndedCallsAreForgotten(t *testing.T) {
	dbtest.Each(t, []db.Schema{Schema()}, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		ctx := context.Background()
		now := clock.Millis(c.Now())
		err := d.Update(ctx, func(tx *db.Tx) error {
			for ref, ended := range map[string]int64{"up": 0, "today": now, "old": now - (31 * 24 * time.Hour).Milliseconds()} {
				if _, err := tx.Exec(`INSERT INTO cti_call (centre, ref, call_id, ended) VALUES ('yc', $1, 1, $2)`, ref, ended); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int64{1, 0} {
			if n, err := Prune(ctx, d); n != want || err != nil {
				t.Errorf("%d forgotten, want %d: %v", n, want, err)
			}
		}
	})
}
