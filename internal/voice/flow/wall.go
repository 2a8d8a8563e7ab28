package flow

import (
	"context"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/workforce"
)

// Wall is the 班长's view of a centre, as of At.
type Wall struct {
	At       int64          `json:"at"`
	Unit     int64          `json:"unit,string"`
	Linked   bool           `json:"linked"`         // the exchange answers
	SIP      string         `json:"sip"`            // where it listens
	Priority string         `json:"priority"`       // real time, or why not
	Waiting  []WallCall     `json:"waiting"`        // in the order in which they are served
	Talking  []WallCall     `json:"talking"`        // with people, in transfer, in survey
	Seats    []WallSeat     `json:"seats"`          // on duty
	States   map[string]int `json:"states"`         // seats by state
	Rostered int            `json:"rostered"`       // who should be here by the roster
	Absent   []WallSeat     `json:"absent"`         // rostered and not on duty
	Longest  int64          `json:"longest"`        // ms
	Owed     int            `json:"owed"`           // call-backs open
	Next     int64          `json:"next,omitempty"` // the first of them is due
	Today    cdr.Figures    `json:"today"`
}

// WallCall is a call on the wall; the number is masked.
type WallCall struct {
	Call     int64    `json:"call,string"`
	Phase    phase    `json:"phase"`
	Label    string   `json:"label"`
	Line     string   `json:"line"`
	Number   string   `json:"number"`
	Region   string   `json:"region"`
	Seat     int64    `json:"seat,string"`
	Began    int64    `json:"began"`
	Queued   int64    `json:"queued"`
	Answered int64    `json:"answered"`
	Reach    string   `json:"reach"`
	Flags    []string `json:"flags"`
	Held     bool     `json:"held"`
}

// WallSeat is a seat on the wall.
type WallSeat struct {
	Seat   int64          `json:"seat,string"`
	No     string         `json:"no"`
	Name   string         `json:"name"`
	Unit   int64          `json:"unit,string"`
	State  acd.SeatState  `json:"state"`
	Label  string         `json:"label"`
	Since  int64          `json:"since"`
	Call   int64          `json:"call,string"`
	Up     bool           `json:"up"`
	Remote bool           `json:"remote"`
	MOS    float64        `json:"mos"`
	Loss   float64        `json:"loss"`
	Jitter float64        `json:"jitter"`
	Skills map[string]int `json:"-"`
}

// StateWord is a seat's state in Chinese.
var StateWord = map[acd.SeatState]string{acd.Off: "未签入", acd.Ready: "就绪", acd.Ringing: "振铃", acd.Talking: "通话", acd.Wrap: "话后", acd.Break: "小休", acd.Idle: "未就绪"}

// changed wakes everyone who watches; watchers draw at most once a second.
func (x *Exchange) changed() {
	for c := range x.wallers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Watched gives a signal for each change; call cancel when done.
func (x *Exchange) Watched() (ch <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	x.mu.Lock()
	x.wallers[c] = true
	x.mu.Unlock()
	return c, func() { x.mu.Lock(); delete(x.wallers, c); x.mu.Unlock() }
}

// watched is the part of the organisation that an actor looks after: his
// platform, or his sub-centre.
func (x *Exchange) watched(a access.Actor) (root org.Unit, mine func(unit int64) bool) {
	tree := x.Org.Tree()
	root = tree.Platform(a.Unit)
	if u, ok := tree.Get(a.Unit); ok && u.Kind == org.KindSubcentre {
		root = u
	}
	return root, func(unit int64) bool { return tree.Under(root.ID, unit) }
}

// Queueing tells how many wait at an actor's centre, and since when the longest
// of them does (ms UTC, 0 = nobody).
func (x *Exchange) Queueing(a access.Actor) (waiting int, since int64) {
	_, mine := x.watched(a)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, k := range x.acd.Waiting() {
		if c := x.byQueue(k.ID); c != nil && (mine(c.City) || mine(c.Team) || c.anybodys()) {
			waiting++
			if since == 0 || c.rec.Queued < since {
				since = c.rec.Queued
			}
		}
	}
	return waiting, since
}

// Wall shows the centre of an actor: his platform, or what lies below the
// province.
func (x *Exchange) Wall(ctx context.Context, a access.Actor) (Wall, error) {
	root, mine := x.watched(a)
	x.mu.Lock()
	w := Wall{At: x.ms(), Unit: root.ID, Linked: x.linked, SIP: x.state.SIP, Priority: x.state.Priority, Waiting: []WallCall{}, Talking: []WallCall{}, Seats: []WallSeat{}, Absent: []WallSeat{}, States: map[string]int{}}
	seen := map[int64]bool{}
	view := func(c *call, reach string) WallCall {
		seen[c.rec.ID] = true
		return WallCall{Call: c.rec.ID, Phase: c.Phase, Label: c.Phase.Word(), Line: c.rec.Line, Number: c.rec.Masked, Region: c.rec.Region, Seat: c.rec.Seat, Began: c.rec.Began, Queued: c.rec.Queued, Answered: c.rec.AnsweredAt, Reach: reach,
			Flags: append([]string{}, c.rec.Flags...), Held: c.Held > 0}
	}
	q := x.now()
	for _, k := range x.acd.Waiting() {
		if c := x.byQueue(k.ID); c != nil && (mine(c.City) || mine(c.Team) || c.anybodys()) {
			rules := q.queue(k.Queue)
			reach := ""
			for _, r := range rules.Rings {
				if w.At-c.rec.Queued >= int64(r.After)*1000 {
					reach = r.Reach.Word()
				}
			}
			w.Waiting = append(w.Waiting, view(c, reach))
			w.Longest = max(w.Longest, w.At-c.rec.Queued)
		}
	}
	for _, c := range x.calls {
		if !seen[c.rec.ID] && (mine(c.City) || mine(c.Team) || c.rec.Unit != 0 && mine(c.rec.Unit)) {
			w.Talking = append(w.Talking, view(c, ""))
		}
	}
	on := map[int64]bool{}
	w.Seats = x.onDuty(mine)
	for _, s := range w.Seats {
		on[s.Seat] = true
		w.States[string(s.State)]++
	}
	for _, o := range x.owing {
		if mine(o.back.Platform) {
			w.Owed++
			if w.Next == 0 || o.back.Due < w.Next {
				w.Next = o.back.Due
			}
		}
	}
	x.mu.Unlock()
	sortCalls(w.Talking)
	return w, w.Attend(ctx, x.Staff, x.Access, x.CDR, on)
}

// onDuty are the seats of the units that mine accepts.
func (x *Exchange) onDuty(mine func(unit int64) bool) []WallSeat {
	out := []WallSeat{}
	for _, v := range x.acd.Seats() {
		s := x.seats[v.ID]
		if s == nil || !mine(s.actor.Unit) {
			continue
		}
		out = append(out, WallSeat{Seat: s.actor.Account, No: s.person.No, Name: s.actor.Name, Unit: s.actor.Unit, State: v.State, Label: StateWord[v.State], Since: v.Since, Call: v.Call, Up: x.up(s), Remote: v.Remote,
			MOS: float64(s.mos) / 100, Loss: float64(s.loss) / 1000, Jitter: float64(s.jitter), Skills: s.person.Skills})
	}
	return out
}

// Seats are the seats on duty of an actor's centre.
func (x *Exchange) Seats(a access.Actor) []WallSeat {
	_, mine := x.watched(a)
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.onDuty(mine)
}

// Attend adds who should be here, who of them is not, and the day's figures; on
// holds the accounts that are here.
func (w *Wall) Attend(ctx context.Context, staff *workforce.Service, people *access.Service, records *cdr.Service, on map[int64]bool) error {
	due, err := staff.OnShift(ctx, w.Unit, clock.FromMillis(w.At))
	if err != nil {
		return err
	}
	w.Rostered = len(due)
	for _, p := range due {
		if !on[p.Account] {
			s := absent(p)
			if who, err := people.Get(ctx, p.Account); err == nil {
				s.Name, s.Unit = who.Name, who.Unit
			}
			w.Absent = append(w.Absent, s)
		}
	}
	w.Today, err = records.Today(ctx, w.Unit)
	return err
}

func absent(p workforce.Shift) WallSeat {
	return WallSeat{Seat: p.Account, State: acd.Off, Label: "应到未到", Since: p.From}
}

func sortCalls(list []WallCall) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].Began < list[j-1].Began; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// Linked tells whether the exchange answers, and where it listens.
func (x *Exchange) Linked() (sip string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state.SIP, x.linked
}

// TrunkState is a carrier's connection by its rule, as the exchange finds it
// (中继状态).
type TrunkState struct {
	Trunk
	media.TrunkView
	Calls int // parties that are up or ring on it now
}

// TrunkStates asks the exchange how its trunks stand; unavailable voice_unavailable
// while it does not answer.
func (x *Exchange) TrunkStates(ctx context.Context) ([]TrunkState, error) {
	st, err := x.Engine.Snapshot(ctx)
	if err != nil {
		return nil, fault.Unavailable("voice_unavailable", "语音平台暂不可用，请稍后再试。").Because(err)
	}
	out := []TrunkState{}
	for _, rule := range x.now().Trunks {
		t := TrunkState{Trunk: rule}
		for _, v := range st.Trunks {
			if v.Name == rule.Name {
				t.TrunkView = v
			}
		}
		for _, l := range st.Legs {
			if l.Trunk == rule.Name {
				t.Calls++
			}
		}
		out = append(out, t)
	}
	return out, nil
}
