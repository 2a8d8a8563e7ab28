// Package access decides who may do and see what.
//
// It keeps the accounts and their sessions, the second factor, the lock-out
// and the password rules, the twenty roles with their verbs, scopes,
// clearances and masks as one declarative table (Table), the menus of each
// role, and the grants that one administrator proposes and another approves
// (三员分立). A scope becomes a predicate over worklists, so a list never asks
// twice whether a row may be seen.
//
// The package never reads a ticket and never opens a sealed field: it says
// which mask applies, the ticket room obeys. It is called by api on every
// request and by the rooms that list or act on behalf of an actor.
package access
