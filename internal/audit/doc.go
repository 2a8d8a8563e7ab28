// Package audit keeps who did and who saw what (审计): a second event log
// beside the business one, with the same hash chain, for reads and for acts of
// people.
//
// Record writes in the caller's transaction, so that an act without its entry
// cannot happen; Seen writes views through a commit lane below the business
// writes and returns when they are durable, so that no answer leaves before
// its entry. Checkpoints of both logs are signed with SM2: the chain finds a
// changed row, a checkpoint finds a log that was rewritten or cut off whole.
//
// Entries hold ids, codes and digests. A stated reason, which is free text,
// stands beside the log and enters the chain by its digest. The package never
// deletes. It is called by every room that shows or changes something.
package audit
