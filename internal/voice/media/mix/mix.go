// Package mix decides who hears whom in a room and sums what they hear.
//
// One table of gains is behind hold, three-way calls, listening in, whispering,
// barging and muting. The package is pure: frames in, frames out; engine moves
// them. It never sees a socket.
package mix

import (
	"slices"

	"hotline/internal/voice/media/rtp"
)

// Frame is 20 ms of A-law.
type Frame = [rtp.FrameSize]byte

// Room (通话) is the table of a room's members. Everyone hears everyone as
// spoken until Set says otherwise; nobody hears himself.
type Room[K comparable] struct {
	members []K
	gain    [][]float32 // [listener][speaker]
	heard   [][rtp.FrameSize]int16
	decoded []bool
	mixed   []Frame
}

// Add brings a member in; the table of those who were here stays.
func (r *Room[K]) Add(k K) {
	if slices.Contains(r.members, k) {
		return
	}
	for i := range r.gain {
		r.gain[i] = append(r.gain[i], 1)
	}
	r.members = append(r.members, k)
	row := make([]float32, len(r.members))
	for i := range row[:len(row)-1] {
		row[i] = 1
	}
	r.gain = append(r.gain, row)
	r.heard, r.decoded, r.mixed = nil, nil, nil
}

// Remove lets a member go.
func (r *Room[K]) Remove(k K) {
	i := slices.Index(r.members, k)
	if i < 0 {
		return
	}
	r.members = slices.Delete(r.members, i, i+1)
	r.gain = slices.Delete(r.gain, i, i+1)
	for j := range r.gain {
		r.gain[j] = slices.Delete(r.gain[j], i, i+1)
	}
}

// Set says how loud listener hears speaker: 0 not at all, 1 as spoken. False
// means that one of them is not here.
func (r *Room[K]) Set(listener, speaker K, gain float32) bool {
	i, j := slices.Index(r.members, listener), slices.Index(r.members, speaker)
	if i < 0 || j < 0 {
		return false
	}
	if i != j {
		r.gain[i][j] = max(0, min(gain, 4))
	}
	return true
}

// Gain is what Set said.
func (r *Room[K]) Gain(listener, speaker K) float32 {
	i, j := slices.Index(r.members, listener), slices.Index(r.members, speaker)
	if i < 0 || j < 0 {
		return 0
	}
	return r.gain[i][j]
}

// Members are those in the room, in the order they came. The caller must not
// change the slice.
func (r *Room[K]) Members() []K { return r.members }

// Plain tells that exactly two hear each other as spoken: what they say can be
// passed on as it comes, undecoded and without the delay of a mixer.
func (r *Room[K]) Plain() bool {
	return len(r.members) == 2 && r.gain[0][1] == 1 && r.gain[1][0] == 1
}

// Mix gives what each member hears of in, one frame a member and nil for a
// silent one. out[i] is nil for silence; else it may be one of in, and belongs
// to the room until the next Mix.
func (r *Room[K]) Mix(in, out []*Frame) {
	n := len(r.members)
	if r.heard == nil {
		r.heard, r.decoded, r.mixed = make([][rtp.FrameSize]int16, n), make([]bool, n), make([]Frame, n)
	}
	clear(r.decoded)
	for i := range n {
		only, loud := -1, 0
		for j, g := range r.gain[i] {
			if g > 0 && in[j] != nil {
				only, loud = j, loud+1
			}
		}
		switch {
		case loud == 0:
			out[i] = nil
		case loud == 1 && r.gain[i][only] == 1:
			out[i] = in[only]
		default:
			r.sum(i, in)
			out[i] = &r.mixed[i]
		}
	}
}

func (r *Room[K]) sum(i int, in []*Frame) {
	var acc [rtp.FrameSize]int32
	for j, g := range r.gain[i] {
		if g <= 0 || in[j] == nil {
			continue
		}
		pcm := &r.heard[j]
		if !r.decoded[j] {
			for k, b := range in[j] {
				pcm[k] = rtp.Linear[b]
			}
			r.decoded[j] = true
		}
		if g == 1 {
			for k, v := range pcm {
				acc[k] += int32(v)
			}
			continue
		}
		scale := int32(g * 4096)
		for k, v := range pcm {
			acc[k] += int32(v) * scale >> 12
		}
	}
	for k, v := range acc {
		r.mixed[i][k] = rtp.ALaw(int16(max(-32768, min(v, 32767))))
	}
}

// Sum adds frames as spoken, nil ones silent, into dst.
func Sum(dst *Frame, in ...*Frame) {
	var acc [rtp.FrameSize]int32
	n := 0
	for _, f := range in {
		if f == nil {
			continue
		}
		if n++; n == 1 {
			*dst = *f
		}
		for k, b := range f {
			acc[k] += int32(rtp.Linear[b])
		}
	}
	switch n {
	case 0:
		for k := range dst {
			dst[k] = rtp.Silence
		}
	case 1:
	default:
		for k, v := range acc {
			dst[k] = rtp.ALaw(int16(max(-32768, min(v, 32767))))
		}
	}
}
