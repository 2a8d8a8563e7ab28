package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"hotline/internal/seal"
	"hotline/internal/voice/media/rtp"
)

// Write seals a recording that was made elsewhere, the citizen left and everyone
// else right, both A-law. The file appears when it is whole, and replaces one of
// the same name.
func Write(dir, rec string, ring *seal.Ring, left, right []byte) (Result, error) {
	path, err := pathOf(dir, rec)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Result{}, fmt.Errorf("record: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".whole-*")
	if err != nil {
		return Result{}, fmt.Errorf("record: %w", err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	r, err := whole(f, rec, ring, left, right)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return Result{}, fmt.Errorf("record: %s: %w", rec, err)
	}
	return r, nil
}

func whole(f io.Writer, rec string, ring *seal.Ring, left, right []byte) (Result, error) {
	key, wrapped, err := ring.NewKey()
	if err != nil {
		return Result{}, err
	}
	sum := sha256.New()
	out := io.MultiWriter(f, sum)
	size := int64(0)
	put := func(b []byte) error {
		n, err := out.Write(b)
		size += int64(n)
		return err
	}
	if err := put(appendHeader(nil, wrapped)); err != nil {
		return Result{}, err
	}
	frames := uint32((max(len(left), len(right)) + rtp.FrameSize - 1) / rtp.FrameSize)
	var sealed []byte
	for first := uint32(0); first < frames; first += segmentFrames {
		from, n := int(first)*rtp.FrameSize, min(segmentFrames, frames-first)
		second := append([]byte(nil), quiet[:n*frameSize]...)
		for side, sound := range [][]byte{left, right} {
			if from < len(sound) {
				interleave(second[side:], sound[from:min(len(sound), from+int(n)*rtp.FrameSize)], rtp.PCMA)
			}
		}
		sealed = appendSegment(sealed[:0], key, rec, first, second)
		if err := put(sealed); err != nil {
			return Result{}, err
		}
	}
	text, err := json.Marshal(trailer{Frames: frames})
	if err != nil {
		return Result{}, err
	}
	if err := put(appendSegment(nil, key, rec, trailerMark, text)); err != nil {
		return Result{}, err
	}
	return Result{Rec: rec, SHA256: hex.EncodeToString(sum.Sum(nil)), Ms: int64(frames) * FrameMs, Bytes: size}, nil
}
