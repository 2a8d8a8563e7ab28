package acd

// SeatView is a seat as walls show it.
type SeatView struct {
	Seat
	State SeatState
	Since int64
	Call  int64
	After SeatState // what it enters after the call, "" = wrap-up
}

// Seats lists every seat on duty, by name.
func (d *Dispatcher) Seats() []SeatView {
	out := make([]SeatView, len(d.order))
	for i, s := range d.order {
		out[i] = s.view()
	}
	return out
}

// SeatOf gives one seat; State Off when it is not on duty.
func (d *Dispatcher) SeatOf(id string) SeatView {
	if s := d.seats[id]; s != nil {
		return s.view()
	}
	return SeatView{Seat: Seat{ID: id}, State: Off}
}

func (s *seat) view() SeatView {
	return SeatView{Seat: s.Seat, State: s.state, Since: s.since, Call: s.call, After: s.want}
}

// Waiting lists the calls in the queue in the order in which they are served.
func (d *Dispatcher) Waiting() []Call {
	out := make([]Call, len(d.wait))
	for i, c := range d.wait {
		out[i] = *c
	}
	return out
}

// CallOf gives a call that the dispatcher holds.
func (d *Dispatcher) CallOf(id int64) (Call, bool) {
	c := d.calls[id]
	if c == nil {
		return Call{}, false
	}
	return *c, true
}

// Len counts the calls held, in whatever state.
func (d *Dispatcher) Len() int { return len(d.calls) }

// Check looks for a broken promise; "" when all holds. Tests call it after
// every step.
func (d *Dispatcher) Check() string {
	in := map[int64]int{}
	for i, c := range d.wait {
		in[c.ID]++
		if c.state != waiting || i > 0 && before(d.wait[i-1], c) >= 0 {
			return "排队次序或状态有误"
		}
	}
	held := map[int64]int{}
	for _, s := range d.order {
		switch s.state {
		case Ringing, Talking:
			c := d.calls[s.call]
			if c == nil || c.seat != s.ID {
				return "座席" + s.ID + "占用了不存在的通话"
			}
			held[s.call]++
		default:
			if s.call != 0 {
				return "座席" + s.ID + "空闲却占用通话"
			}
		}
	}
	for id, c := range d.calls {
		want := map[callState][2]int{waiting: {1, 0}, ringing: {0, 1}, talking: {0, 1}, resting: {0, 0}}[c.state]
		if c.state == talking && d.seats[c.seat] == nil {
			want = [2]int{0, 0}
		}
		if in[id] != want[0] || held[id] != want[1] {
			return "通话" + c.Place() + "不在应在的位置"
		}
		if c.state == resting && !c.Callback {
			return "通话既不排队也不待回拨"
		}
	}
	return ""
}
