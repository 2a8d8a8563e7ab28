// Package calendar counts working days and working hours.
//
// It answers when a limit (时限) ends: "5 working days after this moment",
// with the make-up working days (调休) of the State Council's yearly notice.
// Holidays are data: holiday/*.txt is embedded as the default and a platform
// may publish its own files at run time through Parse. A year without data is
// an explicit state (HasYear is false, weekends are the only days off) that
// callers must show, because every deadline in it may move.
//
// The package is pure: it never reads the clock, a file or the database. The
// rooms ticket, supervise, measure and api call it.
package calendar
