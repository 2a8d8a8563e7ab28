// Package engine composes the exchange (交换机): SIP calls and browser seats as
// legs, prompts, rooms and recordings, behind media.Engine. `hotline media` runs
// it; tests run it in process.
//
// Commands and the stack's news meet under one lock, a handful of times a call.
// Sound never takes that lock: a packet goes from leg to leg by the route that
// was set when the room changed, and ticks take the locks of one room and its
// legs. Locks are taken in the order engine, room, leg, sender.
//
// What a call needs to go on after a crash is in the journal (journal.go): its
// dialog, its ports, its room, its prompt and its recording.
package engine
