// Package media is the seam between the platform and the exchange that carries
// its calls: the commands, the events, and the client that speaks to
// `hotline media` over a local socket.
//
// The exchange (packages below this one, composed in engine) is its own process
// without a database, so that neither garbage collection nor SQL is heard on the
// line, and so that calls outlive a restart of the platform. It carries legs: one
// leg is one party's connection (a caller on a trunk, a phone, a browser seat).
// It decides nothing about people; queues, seats and records are voice/acd,
// voice/flow and voice/cdr, which drive it through Engine and follow its events.
package media
