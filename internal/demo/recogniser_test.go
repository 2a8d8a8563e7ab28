package demo

import (
	"bytes"
	"context"
	"testing"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/speech"
)

// Every caller of the demonstration is understood word for word, wherever in
// the stream he begins and although the line loses packets.
func TestTheRecogniserKnowsOurCallers(t *testing.T) {
	r, err := OpenRecogniser()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	list, err := play.Callers()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range list {
		t.Run(c.Title, func(t *testing.T) {
			t.Parallel()
			sound, err := c.Sound()
			if err != nil {
				t.Fatal(err)
			}
			lead := 3000*8 + 37*i // no frame of the line begins where one of the recording does
			law := append(bytes.Repeat([]byte{rtp.Silence}, lead), sound...)
			law = append(law, bytes.Repeat([]byte{rtp.Silence}, 16000)...)
			for at := lead + 8000; at+160 < len(law); at += 100 * 160 { // one packet of a hundred
				copy(law[at:at+160], bytes.Repeat([]byte{rtp.Silence}, 160))
			}
			var said []speech.Segment
			partial := 0
			ears := &speech.FunASR{URL: r.URL(), Label: RecogniserName}
			err = ears.Recognize(context.Background(), speech.Stream{Name: c.Name}, bytes.NewReader(law), func(s speech.Segment) {
				if s.Final {
					said = append(said, s)
				} else {
					partial++
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(said) != len(c.Lines) || len(said) > 0 && partial < len(said) {
				t.Fatalf("%d sentences of %d, %d parts", len(said), len(c.Lines), partial)
			}
			for k, l := range c.Lines {
				if got := said[k]; got.Text != l.Text || abs(got.From-int64(l.From+lead/8)) > 60 || abs(got.To-int64(l.To+lead/8)) > 60 {
					t.Errorf("sentence %d is %+v, want %+v at %d ms", k+1, got, l, lead/8)
				}
			}
		})
	}
}

func abs(n int64) int64 { return max(n, -n) }

func TestTheRecogniserKnowsNobodyElse(t *testing.T) {
	r, err := OpenRecogniser()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lib, err := play.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var law []byte
	for _, l := range play.Script() { // the prompts are spoken by the same voices
		if parts, err := lib.Sound([]media.Clip{{Name: l.Name}}); err == nil {
			for _, p := range parts {
				law = append(law, p...)
			}
		}
	}
	err = (&speech.FunASR{URL: r.URL()}).Recognize(context.Background(), speech.Stream{Name: "other"}, bytes.NewReader(law), func(s speech.Segment) {
		t.Errorf("it understood %+v", s)
	})
	if err != nil {
		t.Fatal(err)
	}
}
