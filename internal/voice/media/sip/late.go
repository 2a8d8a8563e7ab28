package sip

import sg "github.com/emiago/sipgo/sip"

// leave remembers an INVITE that was given up for another trunk before this one
// said a word: should it ring after all, it is cancelled.
func (s *Stack) leave(invite *sg.Request) {
	key := branch(invite)
	s.mu.Lock()
	s.left[key] = &abandoned{invite: invite}
	s.mu.Unlock()
	s.timers.after(limit, func() {
		s.mu.Lock()
		delete(s.left, key)
		s.mu.Unlock()
	})
}

type abandoned struct {
	invite    *sg.Request
	cancelled bool
}

// late takes a provisional or refusing response to an INVITE that was left.
func (s *Stack) late(res *sg.Response) {
	s.mu.Lock()
	l := s.left[branch(res)]
	if l == nil || res.StatusCode < 200 && l.cancelled {
		s.mu.Unlock()
		return
	}
	l.cancelled = true
	s.mu.Unlock()
	if res.StatusCode < 200 {
		s.cancelling(cancelOf(l.invite, 26))
		return
	}
	s.keepAck(l.invite, res)
	s.mu.Lock()
	ack := s.acks[branch(res)]
	s.mu.Unlock()
	_ = s.write(ack)
}
