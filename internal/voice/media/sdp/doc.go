// Package sdp reads and writes the session descriptions (RFC 8866, RFC 3264) of
// telephone legs: one audio stream of G.711 with telephone-events, in clear or
// under SDES keys (RFC 4568). Browsers bring their own descriptions to webrtc.
//
// It is pure and keeps what it does not know out of the way: unknown codecs are
// left out of the list, unknown streams are refused in the answer with port 0.
// What it writes stays below 400 bytes, so that an INVITE fits one datagram.
package sdp
