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
	gain    [][]float32      // [listener][speaker]
	said    map[[2]K]float32 // what Set said, also of those who are not here yet
	heard   [][rtp.FrameSize]int16
	decoded []bool
	mixed   []Frame
}

// Add brings a member in; the table of those who were here stays. What Set said
// before holds from the first packet: one who listens in is never heard.
func (r *Room[K]) Add(k K) {
	if slices.Contains(r.members, k) {
		return
	}
	for i, m := range r.members {
		r.gain[i] = append(r.gain[i], r.wanted(m, k))
	}
	r.members = append(r.members, k)
	row := make([]float32, len(r.members))
	for i, m := range r.members[:len(row)-1] {
		row[i] = r.wanted(k, m)
	}
	r.gain = append(r.gain, row)
	r.heard, r.decoded, r.mixed = nil, nil, nil
}

func (r *Room[K]) wanted(listener, speaker K) float32 {
	if g, ok := r.said[[2]K{listener, speaker}]; ok {
		return g
	}
	return 1
}

// Remove lets a member go, and forgets what was said of him.
func (r *Room[K]) Remove(k K) {
	for pair := range r.said {
		if pair[0] == k || pair[1] == k {
			delete(r.said, pair)
		}
	}
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

// Set says how loud listener hears speaker: 0 not at all, 1 as spoken, at most
// 4. It may be said before they come and is kept for then.
func (r *Room[K]) Set(listener, speaker K, gain float32) {
	if listener == speaker {
		return
	}
	if r.said == nil {
		r.said = map[[2]K]float32{}
	}
	gain = max(0, min(gain, 4))
	r.said[[2]K{listener, speaker}] = gain
	if i, j := slices.Index(r.members, listener), slices.Index(r.members, speaker); i >= 0 && j >= 0 {
		r.gain[i][j] = gain
	}
}

// Gain is how loud listener hears speaker, or will when both are here.
func (r *Room[K]) Gain(listener, speaker K) float32 {
	if listener == speaker {
		return 0
	}
	return r.wanted(listener, speaker)
}

// Said lists what Set said, as [listener, speaker] to the gain. The caller must
// not change it.
func (r *Room[K]) Said() map[[2]K]float32 { return r.said }

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
