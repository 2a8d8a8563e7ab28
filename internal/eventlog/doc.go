// Package eventlog keeps what happened: an append-only log whose entries are
// written in the transaction of the change they tell of, and are then sealed
// into one gap-free, hash-chained order that every follower reads alike.
//
// An id taken before a commit says nothing of the order of commits, so nobody
// reads by id. Append also notes the id as pending; one sealer a database (a
// lease; the unique number fences a stale one) gives pending events their
// number in <name>_log. Followers keep a durable cursor into those numbers and
// move it in the transaction of their own writes: each event takes effect
// exactly once, in order.
//
// The same code keeps two logs: "event" (what was done) and "audit" (who saw
// what). Data holds ids, codes and digests only, never personal data or free
// text, so that erasing a person leaves the chain whole. The package does not
// know what any event means. Every room with state appends; insight,
// knowledge, notify, measure, supervise and the live screens follow.
package eventlog
