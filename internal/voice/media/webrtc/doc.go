// Package webrtc is the standing leg of a browser seat (浏览器座席): one peer
// connection for the shift, on one fixed UDP port with the same TCP port beside
// it, so that a container or a firewall has a single number to open. The
// exchange is ICE-lite; A-law comes first, because every trunk speaks it and
// nothing is then converted on the way.
//
// Interceptors are left out: we count loss and jitter ourselves and G.711 asks
// for no feedback, so each packet costs less. Engine owns the legs.
package webrtc
