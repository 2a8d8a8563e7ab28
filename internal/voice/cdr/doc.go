// Package cdr keeps what happened on the telephone (话单): calls, legs, how a
// call was queued and to whom it rang and why, transfers, recordings, what
// seats did when, who is owed a call-back; and it counts them.
//
// voice/flow writes, in the order in which things happened, in transactions of
// its own; every change of a call is an event of the log as well, with ids and
// codes only. The number of a caller is sealed under a key of the call; beside
// it stand a masked form and a blind index. Figures follow the events, so a
// number on a wall is always the sum of the calls behind it (Recount proves it).
//
// The package decides nothing about a call and never speaks to the exchange.
package cdr
