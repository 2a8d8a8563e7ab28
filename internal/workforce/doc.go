// Package workforce keeps who may sit where and when (人员与排班): staff numbers
// (工号), certificates that open skills, shift templates, rosters and swaps, and
// the SIP phones (话机) at which seats may answer.
//
// A roster is published whole for a centre and a span of days; one that leaves
// a quarter of an hour of a centre, a B2 line or a 分中心 uncovered is refused
// with the gaps listed (7×24). It never routes a call: voice/flow asks it what
// a seat can do, and shows who is on duty beside who should be.
package workforce
