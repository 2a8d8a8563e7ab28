package dispatch

import (
	"cmp"
	"time"

	"hotline/internal/org"
	"hotline/internal/ticket"
)

// Replayed compares what the catalogue gives for a past dispatch with what was
// suggested then.
type Replayed struct {
	Ticket int64  `json:"ticket,string"`
	Then   int64  `json:"then,string"`
	Now    int64  `json:"now,string"`
	Rule   string `json:"rule"`
}

// Replay applies the catalogue under which each ticket began to the
// organisation as it stood when the suggestion was made; with a sound history
// every target is the one suggested then.
func (s *Service) Replay(tickets []*ticket.Ticket) (same int, differ []Replayed) {
	var tree *org.Tree
	for _, t := range tickets {
		then := t.Detail.Suggestion
		if then == nil || then.Unit == 0 {
			continue
		}
		if at := time.UnixMilli(cmp.Or(then.At, t.Accepted)); tree == nil || !tree.Holds(at) {
			tree = s.org.TreeAt(at)
		}
		got := s.SuggestIn(tree, Question{Platform: t.Platform, Category: t.Category, Region: t.Region, At: time.UnixMilli(t.Accepted), P: 1})
		if len(got) > 0 && got[0].Unit == then.Unit {
			same++
			continue
		}
		r := Replayed{Ticket: t.ID, Then: then.Unit}
		if len(got) > 0 {
			r.Now, r.Rule = got[0].Unit, got[0].Rule
		}
		differ = append(differ, r)
	}
	return same, differ
}
