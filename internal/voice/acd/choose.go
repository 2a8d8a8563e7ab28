package acd

import (
	"fmt"
	"strings"
)

// try gives a waiting call to the best free seat within its reach.
func (d *Dispatcher) try(c *Call) bool {
	if c.state != waiting {
		return false
	}
	q := d.queue(c.Queue)
	best, n := d.best(&q, c)
	if best == nil {
		return false
	}
	d.ring(&q, c, best, n)
	return true
}

// best is the seat that the queue's strategy prefers, and among how many.
func (d *Dispatcher) best(q *Queue, c *Call) (best *seat, among int) {
	if s := d.seats[c.First]; s != nil && s.state == Ready {
		return s, 1
	}
	reach := q.reachOf(c)
	for _, s := range d.order {
		if s.state != Ready || !s.within(c, reach) || !s.fits(c) {
			continue
		}
		among++
		if q.Affinity && s.ID == c.Last {
			best = s
			continue
		}
		if best == nil || !(q.Affinity && best.ID == c.Last) && d.prefers(q, c, s, best) {
			best = s
		}
	}
	return best, among
}

// prefers tells whether a goes before b; seats come by name, so a tie stays with b.
func (d *Dispatcher) prefers(q *Queue, c *Call, a, b *seat) bool {
	switch q.Strategy {
	case LeastOccupied:
		if x, y := d.occupancy(a), d.occupancy(b); x != y {
			return x < y
		}
	case TopSkill:
		if x, y := a.level(c), b.level(c); x != y {
			return x > y
		}
	case RoundRobin:
		last := d.turn[q.Name]
		return b.ID <= last && a.ID > last
	}
	return a.since < b.since
}

func (d *Dispatcher) occupancy(s *seat) float64 {
	return float64(s.busy) / float64(max(d.now-s.on, 1))
}

func (s *seat) level(c *Call) (sum int) {
	for _, n := range c.Needs {
		sum += s.Skills[n.Skill]
	}
	return sum
}

// serve gives a seat that has become free the first waiting call that it fits.
func (d *Dispatcher) serve(s *seat) {
	if s.state != Ready {
		return
	}
	for _, c := range d.wait {
		q := d.queue(c.Queue)
		if s.within(c, q.reachOf(c)) && s.fits(c) {
			d.ring(&q, c, s, 1)
			return
		}
	}
}

// ring takes the call off the queue and rings the seat.
func (d *Dispatcher) ring(q *Queue, c *Call, s *seat, among int) {
	place := 1
	for _, w := range d.wait {
		if w == c {
			break
		}
		place++
	}
	why := d.why(q, c, s, among, place)
	d.wait = remove(d.wait, c)
	d.stamp(c, ringing)
	c.seat = s.ID
	d.move(s, Ringing)
	s.call = c.ID
	d.turn[q.Name] = s.ID
	d.do(Action{Kind: Ring, Call: c.ID, Seat: s.ID, Reach: q.reachOf(c), Why: why})
	if q.RingTime > 0 {
		d.after(d.now+int64(q.RingTime)*1000, timer{call: c.ID, gen: c.gen, kind: tNoAnswer})
	}
}

// why tells in words why this seat was chosen (为何是这个席位).
func (d *Dispatcher) why(q *Queue, c *Call, s *seat, among, place int) string {
	var b strings.Builder
	if c.Callback {
		b.WriteString("回拨，")
	}
	fmt.Fprintf(&b, "等待%s，排第%d位", span(d.now-c.Arrived), place)
	if c.rank <= head/2 {
		b.WriteString("（优先：曾分配座席未能接通）")
	} else if n := c.Base + c.Boost; n != 0 {
		fmt.Fprintf(&b, "（优先级%+d）", n)
	}
	switch {
	case direct(c):
		b.WriteString("；指定由该席接听")
		return b.String()
	case s.ID == c.First:
		b.WriteString("；" + c.Because)
		return b.String()
	}
	fmt.Fprintf(&b, "；范围：%s", q.reachOf(c).Word())
	for _, n := range c.Needs {
		_, skill, _ := strings.Cut(n.Skill, ":")
		switch {
		case n.Skill == "role:lead" && s.Skills[n.Skill] > 0:
			b.WriteString("；需班长接听")
		case s.Skills[n.Skill] >= max(n.Level, 1):
			fmt.Fprintf(&b, "；技能“%s”%d级，符合要求（%d级）", skill, s.Skills[n.Skill], max(n.Level, 1))
		default:
			fmt.Fprintf(&b, "；技能“%s”等待已久，放宽", skill)
		}
	}
	switch {
	case q.Affinity && s.ID == c.Last:
		b.WriteString("；该席上次接听此诉求人")
	case among == 1:
		fmt.Fprintf(&b, "；该席刚刚空闲或为唯一可用席位，已空闲%s", span(d.now-s.since))
	case q.Strategy == LeastOccupied:
		fmt.Fprintf(&b, "；在%d个可用席位中占用率最低（%.0f%%）", among, 100*d.occupancy(s))
	case q.Strategy == TopSkill:
		fmt.Fprintf(&b, "；在%d个可用席位中技能最高", among)
	case q.Strategy == RoundRobin:
		fmt.Fprintf(&b, "；%d个可用席位轮流，轮到该席", among)
	default:
		fmt.Fprintf(&b, "；在%d个可用席位中空闲最久（%s）", among, span(d.now-s.since))
	}
	return b.String()
}

// direct tells whether a call is for one seat alone, by name.
func direct(c *Call) bool {
	for _, n := range c.Needs {
		if !n.Soft && strings.HasPrefix(n.Skill, "seat:") {
			return true
		}
	}
	return false
}

// span is a length of time in words.
func span(ms int64) string {
	s := ms / 1000
	switch {
	case s >= 3600:
		return fmt.Sprintf("%d小时%d分", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%d分%d秒", s/60, s%60)
	}
	return fmt.Sprintf("%d秒", s)
}

// announce tells a waiting caller its place and a range of the wait: a range,
// because a single number is a promise nobody can keep.
func (d *Dispatcher) announce(c *Call) {
	if c.state != waiting || c.Callback {
		return
	}
	pos, low, high := d.Expect(c.ID)
	d.do(Action{Kind: Announce, Call: c.ID, Position: pos, Low: low, High: high})
}

// steps are the minutes that are spoken.
var steps = []int{0, 1, 2, 3, 5, 10, 15, 20, 30}

// Expect is the position of a waiting call and the range of minutes that it is
// likely to wait: position × mean handling ÷ seats that could serve it.
func (d *Dispatcher) Expect(call int64) (position, low, high int) {
	c := d.calls[call]
	if c == nil || c.state != waiting {
		return 0, 0, 0
	}
	q := d.queue(c.Queue)
	reach := q.reachOf(c)
	staffed := 0
	for _, s := range d.order {
		if (s.state == Ready || s.state == Ringing || s.state == Talking || s.state == Wrap) && s.within(c, reach) && s.fits(c) {
			staffed++
		}
	}
	for _, w := range d.wait {
		if !w.Callback || c.Callback {
			position++
		}
		if w == c {
			break
		}
	}
	if staffed == 0 {
		return position, steps[len(steps)-1], 0
	}
	minutes := float64(position) * d.handle / float64(staffed) / 60_000
	for i, s := range steps {
		if i+1 == len(steps) || minutes < float64(steps[i+1]) {
			low = s
			if i+1 < len(steps) {
				high = steps[i+1]
			}
			break
		}
	}
	return position, low, high
}
