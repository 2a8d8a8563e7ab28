// Package record keeps what was said (录音): stereo A-law, the citizen left and
// everyone else right, sealed second by second under a key of the recording.
//
// A file is a header with the wrapped key, then segments, each with the frame it
// begins at, then a trailer. A segment is written whole, so a killed process
// loses at most the second in hand, and a second is also all that a running
// call holds in memory. What is missing between segments is silence, so the time
// of every word stays right. A file without a trailer is torn: it is taken up
// again by its call or finished by Finish.
//
// Engine writes; flow and api read, through Open. Who may listen is decided there.
package record
