package media

import "context"

// Snapshot is Engine.
func (c *Client) Snapshot(ctx context.Context) (State, error) {
	var s State
	err := c.call(ctx, "snapshot", args{}, &s)
	return s, err
}

// Setup is Engine.
func (c *Client) Setup(ctx context.Context, s Setup) error {
	return c.call(ctx, "setup", args{Setup: &s}, nil)
}

// Ring is Engine.
func (c *Client) Ring(ctx context.Context, l Leg) error {
	return c.call(ctx, "ring", args{Leg: l}, nil)
}

// Answer is Engine.
func (c *Client) Answer(ctx context.Context, l Leg) error {
	return c.call(ctx, "answer", args{Leg: l}, nil)
}

// Reject is Engine.
func (c *Client) Reject(ctx context.Context, l Leg, cause int) error {
	return c.call(ctx, "reject", args{Leg: l, Cause: cause}, nil)
}

// Dial is Engine.
func (c *Client) Dial(ctx context.Context, s Spec) error {
	return c.call(ctx, "dial", args{Spec: &s}, nil)
}

// Hangup is Engine.
func (c *Client) Hangup(ctx context.Context, l Leg, cause int) error {
	return c.call(ctx, "hangup", args{Leg: l, Cause: cause}, nil)
}

// Referred is Engine.
func (c *Client) Referred(ctx context.Context, l Leg, code int) error {
	return c.call(ctx, "referred", args{Leg: l, Cause: code}, nil)
}

// Play is Engine.
func (c *Client) Play(ctx context.Context, l Leg, clips []Clip, o PlayOpts) error {
	return c.call(ctx, "play", args{Leg: l, Clips: clips, Play: &o}, nil)
}

// StopPlay is Engine.
func (c *Client) StopPlay(ctx context.Context, l Leg) error {
	return c.call(ctx, "stop", args{Leg: l}, nil)
}

// Collect is Engine.
func (c *Client) Collect(ctx context.Context, l Leg, d Digits) error {
	return c.call(ctx, "collect", args{Leg: l, Digits: &d}, nil)
}

// Mix is Engine.
func (c *Client) Mix(ctx context.Context, r Room, legs ...Leg) error {
	return c.call(ctx, "mix", args{Room: r, Legs: legs}, nil)
}

// Join is Engine.
func (c *Client) Join(ctx context.Context, r Room, l Leg) error {
	return c.call(ctx, "join", args{Room: r, Leg: l}, nil)
}

// Leave is Engine.
func (c *Client) Leave(ctx context.Context, r Room, l Leg) error {
	return c.call(ctx, "leave", args{Room: r, Leg: l}, nil)
}

// Hears is Engine.
func (c *Client) Hears(ctx context.Context, r Room, listener, speaker Leg, gain float64) error {
	return c.call(ctx, "hears", args{Room: r, Listener: listener, Speaker: speaker, Gain: gain}, nil)
}

// Record is Engine.
func (c *Client) Record(ctx context.Context, r Room, p RecordPolicy) error {
	return c.call(ctx, "record", args{Room: r, Record: &p}, nil)
}

// Pause is Engine.
func (c *Client) Pause(ctx context.Context, rec string, pause bool) error {
	return c.call(ctx, "pause", args{Rec: rec, Pause: pause}, nil)
}

// Connect is Engine.
func (c *Client) Connect(ctx context.Context, s Seat, offer string) (string, error) {
	var answer string
	err := c.call(ctx, "connect", args{Seat: s, Offer: offer}, &answer)
	return answer, err
}

// Disconnect is Engine.
func (c *Client) Disconnect(ctx context.Context, s Seat) error {
	return c.call(ctx, "disconnect", args{Seat: s}, nil)
}
