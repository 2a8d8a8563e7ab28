// Package job runs work that outlives a request: imports, exports, re-fanning
// worklists, notices to outside systems.
//
// A job is enqueued in the transaction of the change that wants it, so neither
// exists without the other. A worker leases it, runs the handler of its kind
// and finishes it; a failure is tried again after a growing pause, and after
// the last attempt the job lies dead until a person looks. A worker that dies
// loses its lease and the job is run again: a handler must stand being run
// twice.
//
// Deadlines of tickets are no jobs (ticket sweeps its own table), and nothing
// that must be ordered belongs here (follow the event log instead).
package job
