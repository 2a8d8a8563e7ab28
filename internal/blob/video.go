package blob

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// iso6709 is a place as phones write it into videos: +30.5928+114.3055/.
var iso6709 = regexp.MustCompile(`[+-][0-9]{1,3}\.[0-9]{2,}[+-][0-9]{1,3}\.[0-9]{2,}(?:[+-][0-9.]+)?/?`)

// withoutPlace blanks where a video was taken, keeping every length, so the
// rest of the file stays in place: the boxes ©xyz and loci become free space
// and places written as text become zeros. Only the movie's head (moov, meta,
// udta) is touched, never sound or pictures.
func withoutPlace(data []byte) []byte {
	out := bytes.Clone(data)
	blankPlaces(out, 0)
	return out
}

// blankPlaces walks the boxes of one level: size(4) type(4) content.
func blankPlaces(b []byte, depth int) {
	for len(b) >= 8 {
		size, head := int64(binary.BigEndian.Uint32(b)), int64(8)
		switch {
		case size == 0:
			size = int64(len(b))
		case size == 1:
			if len(b) < 16 {
				return
			}
			size, head = int64(binary.BigEndian.Uint64(b[8:])), 16
		}
		if size < head || size > int64(len(b)) {
			return
		}
		content := b[head:size]
		switch kind := string(b[4:8]); {
		case kind == "\xa9xyz" || kind == "loci":
			copy(b[4:8], "free")
			clear(content)
		case kind == "moov" || kind == "meta" || kind == "udta":
			for _, m := range iso6709.FindAllIndex(content, -1) {
				for i := m[0]; i < m[1]; i++ {
					content[i] = '0'
				}
			}
			if kind == "meta" && len(content) >= 4 {
				content = content[4:] // version and flags
			}
			if depth < 8 {
				blankPlaces(content, depth+1)
			}
		case kind == "trak" && depth < 8:
			blankPlaces(content, depth+1)
		}
		b = b[size:]
	}
}
