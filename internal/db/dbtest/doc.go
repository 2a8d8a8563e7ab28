// Package dbtest runs a test on both engines: SQLite in a temporary file and
// PostgreSQL in a private cluster that the test process starts once, on a unix
// socket, and that ends with it.
//
// Migrations are run once per set of schemas; each test gets a copy. It is
// called by tests only.
package dbtest
