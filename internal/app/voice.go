package app

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/voice/cti"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/seat"
)

// buildVoice makes the telephone's rooms; without an exchange the records can be
// read and nothing rings.
func (a *App) buildVoice() error {
	if err := a.buildCentres(); err != nil {
		return err
	}
	if a.Config.Engine == nil {
		return nil
	}
	ears, err := a.Speech.Recognizer()
	if err != nil {
		return err
	}
	a.Voice = flow.New(flow.Deps{DB: a.DB, CDR: a.CDR, Engine: a.Config.Engine, Lines: a.Lines, Org: a.Org, Access: a.Access, Audit: a.Audit, Policy: a.Policy, Intake: a.Intake, Ticket: a.Ticket, Notify: a.Notify, Staff: a.Staff, Text: a.Text, Speech: ears})
	a.Text.Told = a.Voice.TextTold
	return nil
}

// buildCentres makes the foreign call centres that DIR/voice/cti describes.
func (a *App) buildCentres() error {
	configs, err := cti.Configs(filepath.Join(a.voiceDir(), "cti"))
	if err != nil {
		return err
	}
	keep := func(rec string, left, right []byte) (record.Result, error) {
		return record.Write(a.recordings(), rec, a.Ring, left, right)
	}
	for _, c := range configs {
		way, err := cti.NewWebhook(c, a.Clock)
		if err != nil {
			return err
		}
		a.Centres = append(a.Centres, cti.New(cti.Deps{DB: a.DB, CDR: a.CDR, Lines: a.Lines, Org: a.Org, Access: a.Access, Audit: a.Audit, Policy: a.Policy, Intake: a.Intake, Ticket: a.Ticket, Staff: a.Staff, Jobs: a.Jobs, Keep: keep}, c, way))
	}
	cti.Handle(a.Jobs, a.Centres)
	return nil
}

// exchangeOf is what carries the calls of a person's centre.
func (a *App) exchangeOf(who access.Actor) seat.Exchange {
	for _, c := range a.Centres {
		if c.Serves(who.Unit) {
			return c
		}
	}
	if a.Voice == nil {
		return nil
	}
	return seat.Own(a.Voice)
}

// seats serves /seat/ws.
func (a *App) seats() http.Handler {
	return &seat.Handler{Clock: a.Clock, Exchange: a.exchangeOf, Login: func(ctx context.Context, r *http.Request, used bool) (access.Actor, error) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if c, err := r.Cookie("hotline_session"); err == nil && token == "" {
			token = c.Value
		}
		if p := strings.Split(r.Header.Get("Sec-WebSocket-Protocol"), ","); len(p) == 2 && strings.TrimSpace(p[0]) == seat.Protocol {
			token = strings.TrimSpace(p[1])
		}
		if token == "" {
			return access.Actor{}, fault.Unauthenticated("login_required", "请先登录。")
		}
		find := a.Access.Peek
		if used {
			find = a.Access.Authenticate
		}
		actor, err := find(ctx, token)
		if err != nil {
			return actor, err
		}
		actor.IP, _, _ = net.SplitHostPort(r.RemoteAddr)
		return actor, nil
	}}
}
