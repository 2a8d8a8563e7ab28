// Package rtp carries the sound of SIP legs: G.711 both ways over UDP (RFC 3550,
// RFC 3551), digits as telephone events (RFC 4733), reports, and the quality of
// each leg by the E-model (ITU-T G.107).
//
// There is no goroutine for each leg. A few shards wake every 10 ms, read every
// socket that has something and hand it on; at 800 calls that is measurably
// cheaper, and steadier, than one goroutine for each of 1,600 sockets. The
// package knows neither calls nor rooms: engine decides what a leg hears.
package rtp
