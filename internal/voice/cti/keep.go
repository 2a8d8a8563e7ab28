package cti

import (
	"context"
	"time"

	"hotline/internal/db"
)

// remembered is how long the references of ended calls are kept: a call centre
// tells again what was not acknowledged, minutes ago, not months.
const remembered = 30 * 24 * time.Hour

// Prune forgets the references of calls that ended long ago; their records stay.
func Prune(ctx context.Context, d *db.DB) (n int64, err error) {
	err = d.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		n, err = tx.Exec(`DELETE FROM cti_call WHERE ended > 0 AND ended < $1`, tx.NowMS()-remembered.Milliseconds())
		return err
	})
	return n, err
}
