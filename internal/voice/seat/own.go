package seat

import (
	"context"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/voice/flow"
)

// Own is our own exchange as the wire sees it.
func Own(x *flow.Exchange) Exchange { return own{x} }

type own struct{ *flow.Exchange }

func (o own) Open(ctx context.Context, a access.Actor, push func(flow.Message)) (Desk, error) {
	d, err := o.Exchange.Open(ctx, a, push)
	if err != nil {
		return nil, err
	}
	return desk{d}, nil
}

type desk struct{ *flow.Desk }

func (d desk) Do(ctx context.Context, in *Command) (sdp string, err error) {
	if in.Cmd == "offer" {
		return d.Offer(ctx, in.SDP)
	}
	do := map[string]func() error{
		"ready": func() error { return d.Ready(ctx) }, "break": func() error { return d.Break(ctx) }, "idle": func() error { return d.Idle(ctx) }, "signoff": func() error { return d.SignOff(ctx) },
		"phone": func() error { return d.Phone(ctx, in.User) }, "answer": func() error { return d.Answer(ctx, in.Call) }, "decline": func() error { return d.Decline(ctx) },
		"hold": func() error { return d.Hold(ctx, in.On) }, "mute": func() error { return d.Mute(ctx, in.On) }, "pause": func() error { return d.Pause(ctx, in.On) },
		"transfer": func() error { return d.Transfer(ctx, in.Target, in.Reason) }, "conference": func() error { return d.Conference(ctx) }, "complete": func() error { return d.Complete(ctx) },
		"cancel": func() error { return d.Cancel(ctx) }, "survey": func() error { return d.Survey(ctx) }, "hangup": func() error { return d.Hangup(ctx) }, "warn": func() error { return d.Warn(ctx) },
		"silent": func() error { return d.Silent(ctx) }, "text": func() error { return d.TextLink(ctx) }, "flag": func() error { return d.Flag(ctx, in.Flag) }, "wrapup": func() error { return d.Wrapup(ctx) }, "dial": func() error { return d.Dial(ctx, in.Ticket) },
		"progressive": func() error { return d.Progressive(ctx, in.On) }, "watch": func() error { return d.Watch(ctx, in.Call, in.Mode) },
	}[in.Cmd]
	if do == nil {
		return "", Unknown(in.Cmd)
	}
	return "", do()
}

// Unknown refuses a command that an exchange does not have.
func Unknown(cmd string) error {
	return fault.Invalid("command_unknown", "没有“%s”这个指令。", cmd)
}
