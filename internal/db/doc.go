// Package db is the one door to the database.
//
// Behind it are two engines that run the same SQL text: SQLite inside the
// process (the default) and PostgreSQL 15 or later. All writes go through
// Update and all reads through View; nothing else begins a transaction. The
// SQL is the portable subset: $1…$n, BIGINT ids and millisecond times made by
// the application, ON CONFLICT, RETURNING, row values, partial indexes.
//
// What a closure given to Update or View must know:
//
//   - It may run twice: after a serialisation failure, a deadlock or a lost
//     connection. It changes nothing but the database and its own variables,
//     which it sets afresh on every run.
//   - It does no other input or output and never calls Update or View; it
//     hands its Tx on instead.
//   - It sees a snapshot. On SQLite writers run one after the other; on
//     PostgreSQL they run side by side under repeatable read, where a row
//     changed meanwhile makes the closure run again. A rule that spans rows
//     nobody updates (write skew) needs a unique index or a version column.
//   - A failed statement ends it: on PostgreSQL the transaction is gone, so on
//     both engines Update fails even when the closure hides the error. Use ON
//     CONFLICT where a duplicate is expected.
//
// The package knows nothing of the hotline's business. Every room with tables
// calls it; dbtest runs a room's tests on both engines.
package db
