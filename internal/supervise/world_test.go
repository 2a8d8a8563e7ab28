package supervise

import (
	"testing"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/ticket/tickettest"
)

// world is the small province with the room under test.
type world struct {
	*tickettest.World
	v *Service
}

func schemas() []db.Schema { return tickettest.Schemas(Schema()) }

func newWorld(t testing.TB, d *db.DB, c *clock.Virtual) *world {
	w := tickettest.New(t, d, c)
	return &world{w, New(d, w.Log, w.Org, w.Tickets)}
}

func (w *world) count() {
	w.T.Helper()
	w.Follow(w.v.CatchUp)
}
