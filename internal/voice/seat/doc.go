// Package seat is the wire between a seat's browser and voice/flow: JSON over a
// WebSocket at /seat/ws (座席信令).
//
// A connection belongs to a logged-in session and ends with it. What the browser
// asks is a command with a number and gets one reply; what happens is pushed as
// it happens. A page that comes back within a few seconds finds its call. The
// sound itself goes by WebRTC, for which this carries the offer and the answer.
//
// It decides nothing and keeps nothing.
package seat
