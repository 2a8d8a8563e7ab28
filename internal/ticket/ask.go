package ticket

import (
	"slices"

	"hotline/internal/access"
	"hotline/internal/db"
)

// askable are the steps that a citizen may ask any seat of the platform for:
// 催办 and 补充材料. Neither tells the seat more than the subject line.
var askable = []string{"urge", "supplement"}

// Asks are the steps that the actor, a seat, may take on the ticket for the
// citizen who has it on the line, whether or not the seat may open the ticket.
func (s *Service) Asks(actor access.Actor, t *Ticket) []string {
	w := &work{s: s, actor: actor, tree: s.Org.Tree(), t: t, rules: s.rulesOf(t)}
	out := []string{}
	for _, name := range askable {
		for _, e := range w.rules.Of(name) {
			if slices.Contains(e.From, t.Status) && w.may(e, nil) {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// AskTx takes such a step inside the caller's transaction, for a ticket that
// the seat may not open. The caller has made sure that its citizen asks.
//
// Errors: those of DoTx.
func (s *Service) AskTx(tx *db.Tx, actor access.Actor, id int64, act Action) (Result, error) {
	if !slices.Contains(askable, act.Name) {
		return Result{}, errNoTicket()
	}
	act.asked = true
	return s.DoTx(tx, actor, id, act)
}
