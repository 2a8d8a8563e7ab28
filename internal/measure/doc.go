// Package measure counts what happens to tickets (指标).
//
// It follows the event log: for every ticket and leg it keeps one row with the
// few facts that the measures need (stat_row), and from the difference that
// an event makes to that row it moves counters (stat_day). Rows, counters and
// the cursor move in one transaction, so a crash repeats nothing and loses
// nothing, and a counter is always the sum over the rows: every number opens
// its tickets, and Recount proves both against the events.
//
// What a measure is made of is versioned data (kpi.json, policy kind
// "measures"); only the atoms that it may use are code (atom.go). Loaded
// history counts on its own day.
//
// The package never changes a ticket and knows no person. The faces, report
// and the demo call it.
package measure
