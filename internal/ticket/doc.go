// Package ticket is the 工单: its aggregate, rule table, actions, clocks,
// worklists and queries.
//
// Create makes a ticket; every later step is one function, Do, which is
// db.Update around DoTx. DoTx loads the aggregate, finds the edge of the
// rule table (rules.json, or the version that a platform published), checks
// the actor's relation, the guards and the version, runs the action, and
// writes ticket, assignments, clocks, worklist rows and one event in the
// caller's transaction. Nothing else writes these tables. Inside DoTx there
// is no network, no file and no password hash, and it may run twice.
//
// The package never decides where a ticket should go: dispatch (floor 3)
// decides and hands the decision in as data. It never sends anything:
// notices, counters, search and supervision follow the event log.
package ticket
