package ticket

import (
	"math/rand/v2"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// historyNode is the node part of ids made for loaded history, so that they
// sort by their own day and never meet the ids of a running node.
const historyNode = 1023

// idAt gives a new id; for loaded history its time part is at.
func idAt(d *db.DB, at int64, history bool) int64 {
	if !history {
		return d.NewID()
	}
	// Equal milliseconds of history share the 12 counter bits at random and
	// borrow the low bits of time, which history does not need.
	first := db.FirstID(timeOf(at &^ 15))
	return first | rand.Int64N(16)<<22 | historyNode<<12 | rand.Int64N(4096)
}

func timeOf(ms int64) time.Time { return clock.FromMillis(ms) }
