package app

import (
	"context"

	"hotline/internal/citizen"
	"hotline/internal/clock"
)

// Talk is the conversation that a link in a text message opens.
func (s *site) Talk(ctx context.Context, token, holder string) (citizen.Talk, error) {
	t, lines, err := s.a.Text.Visit(ctx, token, holder)
	if err != nil {
		return citizen.Talk{}, err
	}
	out := citizen.Talk{Over: t.Over(clock.Millis(s.Now()))}
	for _, l := range lines {
		out.Lines = append(out.Lines, citizen.TalkLine{At: timeOf(l.At), Text: l.Text, Mine: l.Who == "citizen"})
	}
	return out, nil
}

// WriteTalk adds what the citizen wrote.
func (s *site) WriteTalk(ctx context.Context, token, holder, key, text string) (string, error) {
	return s.a.Text.Write(ctx, token, holder, key, text)
}
