package engine

import (
	"slices"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/media/sdp"
)

// saveLeg is a leg as the journal keeps it; nil = it is gone, or cannot be
// taken up again because it was not answered.
func (e *Engine) saveLeg(l *leg) *savedLeg {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.legs[l.id] != l {
		return nil
	}
	s := &savedLeg{Leg: l.id, Incoming: l.incoming, Trunk: l.trunk, DNIS: l.dnis, ANI: l.ani, Headers: l.headers, Seat: l.seat, Since: l.since, Held: l.held, Touched: l.touched}
	if l.call != nil {
		d, up := l.call.Record()
		if !up {
			return nil
		}
		st := l.stream.State(e.now())
		s.Dialog, s.Stream, s.Session, s.Version, s.Crypto = &d, &st, l.local.Session, l.local.Version, l.local.Crypto
	}
	l.mu.Lock()
	if p := l.prompt; p != nil {
		s.Clips, s.Play = p.clips, &p.opts
	}
	l.mu.Unlock()
	return s
}

func (e *Engine) saveRoom(r *room) *savedRoom {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rooms[r.id] != r {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &savedRoom{Room: r.id, Members: slices.Clone(r.table.Members())}
	for pair, g := range r.table.Said() {
		s.Said = append(s.Said, savedGain{pair[0], pair[1], g})
	}
	if r.tape != nil {
		s.Rec, s.Began, s.Paused = &r.tape.policy, r.tape.began, r.tape.tape.Paused()
	}
	return s
}

// recover takes up the calls that a killed process left: the same dialogs, on
// the same ports, in the same rooms, on the same recordings. What cannot be
// taken up is told as ended.
func (e *Engine) recover(left *saved) {
	defer e.journal.rewrite()
	if left == nil {
		return
	}
	e.tell(media.Event{Kind: media.Restarted})
	if left.setup != nil {
		if err := e.configure(*left.setup); err != nil {
			e.log.Error("中继和话机设置未能恢复", "err", err)
		}
		e.mu.Lock()
		e.setup = *left.setup
		e.mu.Unlock()
		e.stack.RestorePhones(left.phones)
	}
	for _, s := range left.legs {
		if err := e.restoreLeg(s); err != nil {
			e.log.Error("通话未能恢复", "leg", s.Leg, "err", err)
			e.tell(media.Event{Kind: media.Ended, Leg: s.Leg, Seat: s.Seat, Cause: 41, By: "media"})
		}
	}
	for _, s := range left.rooms {
		e.restoreRoom(s)
	}
	e.sweeper.Go(e.finishTorn) // there may be years of recordings to look through
}

func (e *Engine) restoreLeg(s savedLeg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Dialog == nil {
		if s.Seat != "" && e.gate != nil {
			e.newSeat(s.Seat)
		}
		return nil
	}
	l := &leg{e: e, id: s.Leg, shard: e.shards.Pick(), incoming: s.Incoming, trunk: s.Trunk, dnis: s.DNIS, ani: s.ANI, headers: s.Headers, seat: s.Seat,
		since: s.Since, held: s.Held, touched: s.Touched, state: stateUp, answered: true}
	l.route.Store(nowhere)
	l.attend(s.Stream.Event)
	st, err := e.ports.Reopen(s.Stream.Port, l)
	if err == nil {
		if err = st.Restore(*s.Stream, e.now()); err != nil {
			st.Close()
		}
	}
	if err != nil { // no sound: the party is told, rather than left in silence
		if c, cerr := e.stack.Restore(*s.Dialog); cerr == nil {
			_ = c.Hangup(41)
		}
		return err
	}
	l.stream = st
	l.local = sdp.Local{Addr: e.ip, Port: st.Port, Session: s.Session, Version: s.Version, RTCPMux: true, Crypto: s.Crypto}
	var out line = st
	l.line.Store(&out)
	c, err := e.stack.Restore(*s.Dialog)
	if err != nil {
		st.Close()
		return err
	}
	c.User, l.call = l, c
	if s.Play != nil {
		if parts, err := e.prompts.Sound(s.Clips); err == nil {
			l.prompt = &prompt{play.NewPlayer(parts, s.Play.Loop), s.Clips, *s.Play}
		}
	}
	e.legs[l.id] = l
	e.shards.Attach(l.shard, l)
	return nil
}

func (e *Engine) restoreRoom(s savedRoom) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.roomOf(s.Room)
	r.mu.Lock()
	for _, g := range s.Said {
		r.table.Set(g.L, g.S, g.G)
	}
	for _, id := range s.Members {
		if l, ok := e.legs[id]; ok {
			r.add(l)
			l.room = r
		}
	}
	empty := len(r.members) == 0
	if empty && len(s.Members) > 0 {
		e.closeRoom(r)
	}
	r.mu.Unlock()
	if s.Rec != nil && !empty {
		frame := max(0, (e.now()-s.Began)/(record.FrameMs*1e6))
		if err := e.tape(r, *s.Rec, s.Began, uint32(frame)); err != nil {
			e.log.Error("录音未能接续", "rec", s.Rec.Rec, "err", err)
		} else {
			r.tape.tape.Pause(s.Paused)
		}
	}
}

// finishTorn closes the recordings whose calls did not come back.
func (e *Engine) finishTorn() {
	torn, err := e.store.Torn(clock.FromMillis(e.born))
	if err != nil {
		e.log.Error("录音目录无法检查", "err", err)
		return
	}
	for _, rec := range torn {
		e.mu.Lock()
		_, on := e.tapes[rec]
		e.mu.Unlock()
		if on {
			continue
		}
		r, err := e.store.Finish(rec)
		if err != nil {
			e.log.Error("未完成的录音无法封存", "rec", rec, "err", err)
			continue
		}
		e.ready(r, nil)
	}
}
