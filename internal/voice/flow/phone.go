package flow

import (
	"context"
	"fmt"
	"slices"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// A seat answers either with the standing leg of its browser or at a SIP phone
// (话机). A phone has no standing leg: it is rung for each call, and what it
// answers is joined to the call's room like any other leg, so holding,
// transferring and all else are the same.

// browser is the standing leg of a seat that answers in the browser.
func (s *seat) browser() media.Leg {
	if s.phone != "" {
		return ""
	}
	return s.leg
}

// up tells whether a voice path is there: the browser's leg, the phone's
// registration, or the call that the phone is on.
func (x *Exchange) up(s *seat) bool {
	if s.phone == "" {
		return s.leg != ""
	}
	c := x.calls[s.call]
	return s.phoneUp || c != nil && c.Seat == s.id && c.SeatLeg != ""
}

// mute says why a seat without a voice path cannot do something.
func (s *seat) mute(what string) error {
	if s.phone != "" {
		return fault.Conflict("phone_absent", "话机%s未注册，%s。请检查话机的电源、网线和账号密码，或在话务条上改用浏览器接听。", s.phone, what)
	}
	return fault.Conflict("no_voice", "语音通道尚未接通，%s；表单可照常使用。请检查网络。", what)
}

// sitAt makes phone the one at which a seat answers; "" and one that another
// seat has is the browser.
func (x *Exchange) sitAt(s *seat, phone string) {
	if x.phones[s.phone] == s.id {
		delete(x.phones, s.phone)
	}
	if other := x.phones[phone]; other != "" && other != s.id {
		phone = ""
	}
	s.phone, s.phoneUp = phone, phone != "" && slices.Contains(x.state.Phones, phone)
	if phone != "" {
		x.phones[phone] = s.id
	}
}

// Phone has the seat answer at a SIP phone, "" in the browser. It fails with
// conflict in_talk and phone_in_use, and not_found handset_absent.
func (d *Desk) Phone(ctx context.Context, user string) error {
	x, s := d.x, d.s
	free := func() error {
		switch other := x.phones[user]; {
		case s.call != 0 || s.rings != 0:
			return errInTalk()
		case user != "" && other != "" && other != s.id:
			return fault.Conflict("phone_in_use", "话机%s正由其他席位使用，请换一部。", user)
		}
		return nil
	}
	if err := x.do(ctx, free); err != nil {
		return err
	}
	if err := x.Staff.SetPhone(ctx, s.actor, user); err != nil {
		return err
	}
	return x.do(ctx, func() error {
		if err := free(); err != nil {
			return err
		}
		s.person.Phone = user
		x.sitAt(s, user)
		if !x.up(s) {
			x.acd.SetIdle(x.ms(), s.id)
		}
		x.showSeat(s)
		x.showDevices()
		return nil
	})
}

// devices are the phones that a seat may choose.
func (x *Exchange) devices(s *seat) []DeviceView {
	var out []DeviceView
	for _, h := range s.phones {
		other := x.phones[h.User]
		out = append(out, DeviceView{User: h.User, Place: h.Place, Up: slices.Contains(x.state.Phones, h.User), Taken: other != "" && other != s.id})
	}
	return out
}

func (x *Exchange) showDevices() {
	for _, s := range x.seats {
		if len(s.phones) > 0 {
			s.push(Message{Type: "devices", Devices: x.devices(s)})
		}
	}
}

// phone follows a registered SIP phone.
func (x *Exchange) phone(ctx context.Context, user string, up bool) {
	if i := slices.Index(x.state.Phones, user); i < 0 && up {
		x.state.Phones = append(x.state.Phones, user)
	} else if i >= 0 && !up {
		x.state.Phones = slices.Delete(x.state.Phones, i, i+1)
	}
	if s := x.seats[x.phones[user]]; s != nil {
		s.phoneUp = up
		if up {
			s.lost.stop()
			s.lost = nil
		} else {
			x.voiceLost(ctx, s)
		}
		x.showSeat(s)
	}
	x.showDevices()
}

// phoneAway takes a seat out of service whose phone went away while it talked.
func (x *Exchange) phoneAway(s *seat) {
	if s.phone == "" || s.phoneUp {
		return
	}
	x.acd.SetIdle(x.ms(), s.id)
	s.push(Message{Type: "notice", Code: "phone_absent", Text: fault.As(s.mute("已置为未就绪")).Detail})
}

// ringPhone rings the SIP phone of a seat for a call; answering it answers the
// call. It shows the line that was called: the caller's number is on the page,
// where its reading is audited.
func (x *Exchange) ringPhone(ctx context.Context, c *call, s *seat) {
	if !x.dialPhone(ctx, c, s, x.now().queueTime(c.rec.Queue), nil) {
		x.acd.Declined(x.ms(), c.q(), "话机呼叫失败")
	}
}

func (x *Exchange) dialPhone(ctx context.Context, c *call, s *seat, timeout int, headers map[string]string) bool {
	leg := media.Leg(fmt.Sprintf("%d-s%d", c.rec.ID, x.DB.NewID()))
	c.in(&party{Leg: leg, Kind: "seat", Seat: s.id, Name: s.person.No})
	err := x.Engine.Dial(ctx, media.Spec{Leg: leg, To: media.Target{Kind: media.ToPhone, Value: s.phone}, ANI: c.rec.Line, Headers: headers, Timeout: timeout})
	if !x.order("dial phone", err) {
		c.out(leg, 20)
		return false
	}
	return true
}

// takeUp bids phones that can to go off-hook by themselves: the person has just
// asked for the call at the screen. Others ring.
var takeUp = map[string]string{"Alert-Info": "<http://hotline>;info=alert-autoanswer", "Call-Info": "<sip:hotline>;answer-after=0"}

// begin starts an outgoing call of a seat: one that answers at a phone is rung
// first, so that no citizen is called by nobody.
func (c *call) begin(ctx context.Context, s *seat) {
	if s.phone == "" {
		c.dialCitizen(ctx, s)
		return
	}
	c.Phase, c.Seat = dialling, s.id
	s.call, s.rings = c.rec.ID, 0
	if !c.x.dialPhone(ctx, c, s, c.x.now().queueTime(c.rec.Queue), takeUp) {
		c.finish(ctx, cdr.Failed, 20, "platform")
		return
	}
	s.push(Message{Type: "notice", Code: "take_up", Text: "请在话机" + s.phone + "上摘机，随后呼叫诉求人。"})
	c.x.show(c)
	c.x.showSeat(s)
}

// offHook: the phone of an outgoing call was taken up.
func (c *call) offHook(ctx context.Context, leg media.Leg) {
	s := c.x.seats[c.Seat]
	if s == nil {
		c.finish(ctx, cdr.Failed, 27, "platform")
		return
	}
	c.SeatLeg = leg
	c.dialCitizen(ctx, s)
}

// heldAtPhone follows the hold key of a seat's own phone: the caller hears
// music, as with the key of the call bar.
func (c *call) heldAtPhone(ctx context.Context, e media.Event) {
	if c.Phase != talking || e.Leg != c.SeatLeg || c.Hand != nil {
		return
	}
	if e.Why == "held" {
		c.hold(ctx)
	} else {
		c.resume(ctx)
	}
	c.x.show(c)
}

// referredAtPhone follows the transfer key of a seat's phone: it may go where
// the one-key list goes, the seat leaves at once, and nobody there brings the
// caller back. An emergency is a conference, which the seat stays in; all else
// is refused, and the person told why.
func (c *call) referredAtPhone(ctx context.Context, e media.Event) {
	x, s := c.x, c.x.seats[c.Seat]
	if s == nil || c.Phase != talking || e.Leg != c.SeatLeg {
		x.order("referred", x.Engine.Referred(ctx, e.Leg, 603))
		return
	}
	err := error(fault.Invalid("target_unknown", "话机只能转接到转接目录里的号码，请在话务条上转接。"))
	for _, t := range x.Lines.Targets(c.rec.Region, x.clk.Now()) {
		if t.Number == e.DNIS || t.Code == e.DNIS {
			err = c.transfer(ctx, s, t.Code, "")
			break
		}
	}
	if err == nil && c.Hand == nil { // nobody was called: no direct line
		err = fault.Conflict("no_direct_line", "该单位未登记直拨电话，未能转接。")
	}
	if err == nil {
		if c.Hand.Rec.Mode == "conference" {
			x.order("referred", x.Engine.Referred(ctx, e.Leg, 603))
			c.note("emergency_blind", "紧急电话不能盲转，已呼入三方，请陪同诉求人。")
			return
		}
		x.order("referred", x.Engine.Referred(ctx, e.Leg, 200))
		err = c.complete(ctx)
	} else {
		x.order("referred", x.Engine.Referred(ctx, e.Leg, 603))
	}
	if err != nil {
		f := fault.As(err)
		c.note(f.Code, f.Detail)
	}
	c.dirty = true
	x.show(c)
}

// leftPage signs off a seat whose page did not come back; one that talks on its
// phone does so when it has hung up.
func (x *Exchange) leftPage(ctx context.Context, s *seat) {
	if len(s.desks) > 0 {
		return
	}
	if s.phone != "" && s.call != 0 {
		s.gone = x.after(x.now().Lost, func() { x.leftPage(ctx, s) })
		return
	}
	x.signOff(ctx, s, "席位断线")
}

// readPhones reads the accounts of the registrar.
func (x *Exchange) readPhones(ctx context.Context) error {
	list, err := x.Staff.Credentials(ctx)
	if err != nil {
		return err
	}
	out := []media.Phone{}
	for _, p := range list {
		out = append(out, media.Phone{User: p.User, HA1: p.HA1, SRTP: p.SRTP})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accounts = out
	return nil
}

// PhonesChanged brings phones that were created, disabled or given another
// password to the exchange and to the seats that may choose them.
func (x *Exchange) PhonesChanged(ctx context.Context) error {
	if err := x.readPhones(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	on := map[*seat]access.Actor{}
	for _, s := range x.seats {
		on[s] = s.actor
	}
	x.mu.Unlock()
	for s, actor := range on {
		phones, err := x.Staff.Usable(ctx, actor)
		if err != nil {
			return err
		}
		x.mu.Lock()
		s.phones = phones
		s.push(Message{Type: "devices", Devices: x.devices(s)})
		x.mu.Unlock()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.linked {
		x.tellSetup(ctx)
	}
	return nil
}

// Registered tells which phones are at the exchange now.
func (x *Exchange) Registered() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.state.Phones)
}
