package sip

import (
	"context"
	"log/slog"
	"sync"

	sg "github.com/emiago/sipgo/sip"
)

var once sync.Once

// library sets what sipgo keeps in package variables. Its 1300-byte check would
// forbid long responses, which must stay on the transport of their request; the
// check for requests is ours (see Stack.send).
func library(l *slog.Logger) {
	once.Do(func() {
		sg.UDPMTUSize = 65000
		sg.SetDefaultLogger(libraryLog(l))
	})
}

// libraryLog lets sipgo say only what is wrong, and never with the message
// itself, which carries telephone numbers.
func libraryLog(l *slog.Logger) *slog.Logger {
	return slog.New(guarded{l.With("part", "sipgo").Handler()})
}

type guarded struct{ next slog.Handler }

var private = map[string]bool{"data": true, "req": true, "msg": true, "res": true, "invite_request": true, "invite_response": true, "cancel_request": true, "Recipient": true}

func (g guarded) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && g.next.Enabled(ctx, l)
}

func (g guarded) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if !private[a.Key] {
			clean.AddAttrs(a)
		}
		return true
	})
	return g.next.Handle(ctx, clean)
}

func (g guarded) WithAttrs(as []slog.Attr) slog.Handler { return guarded{g.next.WithAttrs(as)} }
func (g guarded) WithGroup(name string) slog.Handler    { return guarded{g.next.WithGroup(name)} }
