// Package sip is the signalling of the exchange: calls in and out over UDP, TCP
// and TLS, the registrar of SIP phones, and the watch over the trunks.
//
// It stands on the transport, transaction and parser layers of sipgo and keeps
// its own dialogs, because these must outlive the process: Call.Record is all
// that Restore needs. What that library leaves open is done here:
//
//   - a 2xx is repeated T1, 2·T1 … T2 until its ACK, for 64·T1, then BYE (RFC 3261 13.3.1.4);
//   - a repeated 2xx or 3xx–6xx is acknowledged at once, long after its transaction;
//   - CANCEL against 200 has one winner on each side, and a 200 that comes after
//     our CANCEL is acknowledged and ended;
//   - every response to one INVITE carries one To tag, the 487 of a CANCEL too;
//   - merged requests, reliable provisional responses (RFC 3262), session timers
//     (RFC 4028), UPDATE, glare, digest with replay protection and lock-out;
//   - a request above 1300 bytes goes by TCP, by UDP when the peer has none;
//   - strangers and garbage are dropped before they cost a transaction.
//
// It knows nothing of audio: descriptions pass through as bytes (package sdp
// reads them). The engine drives it and is its only caller. The callbacks of one
// call come one after another, in order; none may wait for a later one.
package sip
