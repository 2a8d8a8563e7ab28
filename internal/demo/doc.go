// Package demo fills a new installation with a believable province (演示): the
// account policy, the organisation, people, knowledge and ninety days of
// history, and then keeps it alive with callers and staff. It also serves the
// one-click entrances and plays the missing roles of a visitor's ticket.
//
// Every step of it is taken by an account of the right role and unit through
// the same doors as everybody else's: intake's checks, ticket.Prepare and
// ticket.DoTx. It never writes another room's table and never touches a ticket
// of a visitor unless asked. Only `hotline demo` and tests use it.
package demo
