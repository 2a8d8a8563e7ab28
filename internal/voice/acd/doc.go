// Package acd decides which seat a call goes to and when (话务排队分配).
//
// It is a machine without input or output: callers say what happened and at
// what moment (milliseconds), and take the actions that follow. The same story
// gives the same actions, so a day of a province runs in a test within a second
// and a dispute over a call can be replayed. Every choice carries its reason in
// words ("为何是这个席位").
//
// What it promises: a call is waiting, ringing at one seat, in talk at one seat,
// held for a call-back, or over; it is never in two places and never nowhere.
// A seat has one call at most. A seat that is lost gives its call back to the
// head of the queue.
//
// It knows no telephone, no person and no database: voice/flow drives it, and
// holds the one lock.
package acd
