package play

import (
	"encoding/binary"
	"errors"

	"hotline/internal/voice/media/rtp"
)

var errWAV = errors.New("应为 8 kHz 单声道的 WAV 文件，A 律、μ 律或 16 位 PCM")

// ParseWAV reads the sound of a WAV file as A-law.
func ParseWAV(b []byte) ([]byte, error) {
	sound, channels, err := parse(b)
	if err == nil && channels != 1 {
		err = errWAV
	}
	return sound, err
}

var errStereo = errors.New("应为 8 kHz 单声道或双声道的 WAV 文件，A 律、μ 律或 16 位 PCM")

// ParseStereo reads the two channels of a WAV file as A-law; the one channel of a
// mono file is both.
func ParseStereo(b []byte) (left, right []byte, err error) {
	sound, channels, err := parse(b)
	switch {
	case err == nil && channels == 1:
		return sound, sound, nil
	case err != nil || channels != 2:
		return nil, nil, errStereo
	}
	left, right = make([]byte, len(sound)/2), make([]byte, len(sound)/2)
	for i := range left {
		left[i], right[i] = sound[2*i], sound[2*i+1]
	}
	return left, right, nil
}

// parse reads the sound of a WAV file as A-law, the channels interleaved.
func parse(b []byte) (sound []byte, channels uint16, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errWAV
	}
	var format, bits uint16
	var rate uint32
	for b = b[12:]; len(b) >= 8; {
		id, n := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		if n < 0 || n > len(b) {
			n = len(b) // a file whose header was never finished
		}
		chunk := b[:n]
		switch {
		case id == "fmt " && n >= 16:
			format, channels = binary.LittleEndian.Uint16(chunk), binary.LittleEndian.Uint16(chunk[2:])
			rate, bits = binary.LittleEndian.Uint32(chunk[4:]), binary.LittleEndian.Uint16(chunk[14:])
		case id == "data":
			if rate != 8000 || n == 0 {
				return nil, 0, errWAV
			}
			sound, err = toALaw(chunk, format, bits)
			return sound, channels, err
		}
		b = b[min(n+n&1, len(b)):]
	}
	return nil, 0, errWAV
}

func toALaw(data []byte, format, bits uint16) ([]byte, error) {
	switch {
	case format == 6 && bits == 8:
		return append([]byte(nil), data...), nil
	case format == 7 && bits == 8:
		out := make([]byte, len(data))
		rtp.Convert(out, data, rtp.PCMU, rtp.PCMA)
		return out, nil
	case format == 1 && bits == 16:
		out := make([]byte, len(data)/2)
		for i := range out {
			out[i] = rtp.ALaw(int16(binary.LittleEndian.Uint16(data[2*i:])))
		}
		return out, nil
	}
	return nil, errWAV
}
