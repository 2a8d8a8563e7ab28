// Package flow is the brain of the telephone (呼叫流程): it follows what the
// exchange tells, decides what each call gets, and drives the exchange and the
// queue accordingly. A call walks
//
//	number → treatment → announcement → queue → seat → talk → survey → records
//
// and may be forwarded, handed on, called back or taken over on the way.
//
// One Exchange supervises one exchange process. Events, seats' commands and
// timers take turns under one lock; nothing in it waits for the database. What
// must last is written in order by one journal: the records (voice/cdr) and,
// for each call that is up, the state by which the next serve adopts it. The
// rules (ring times, wrap-up, announcements, quiet hours) are the policy
// "voice"; nobody's number appears in an event or a log line.
//
// It never touches audio and knows no HTTP: voice/media carries the sound,
// voice/seat speaks to browsers.
package flow
