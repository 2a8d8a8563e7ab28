// Package org keeps the units that receive, handle and supervise requests:
// platforms, county hubs, departments, towns, enterprises, sub-centres, remote
// sites and vendors.
//
// The tree is effective-dated: a change closes the old row and opens a new
// one, so last month's tree can still be read. The whole of it (some six
// thousand units) lives in memory as an immutable Tree; dispatch asks it on
// every request, so look-ups are map reads. Each write is one event in the
// log; other processes notice through a counter within two seconds.
//
// The package never knows accounts, tickets or rosters, and never deletes a
// unit. It is called by access, ticket, dispatch and the organisation screens.
package org
