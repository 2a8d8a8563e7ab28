package api

import (
	"context"
	"fmt"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/voice/cdr"
)

// callTile is a rate of the telephone for the first page and the big screen.
type callTile struct {
	key, label, definition string
	rate, excluded         func(cdr.Rates) *float64
}

// callTiles in the order in which they are shown. Both are of all calls that
// asked for a person, so that the two ways of counting can be compared.
var callTiles = []callTile{
	{"call_connect", "接通率", "接听÷转人工的来电；剔除口径不计经登记的突发和系统故障时段中未接听的来电。", func(r cdr.Rates) *float64 { return r.Connect }, func(r cdr.Rates) *float64 { return r.ConnectExcluded }},
	{"call_in15", "15秒接听率", "15秒内接听÷转人工的来电；剔除口径不计经登记的突发和系统故障时段中未接听的来电。", func(r cdr.Rates) *float64 { return r.In15Offered }, func(r cdr.Rates) *float64 { return r.In15Excluded }},
}

// callsPath is the page behind a rate of the telephone.
const callsPath = "/calls/figures"

// callRates are the rates of a person's platform, and what lies below it, of
// today and of the last seven days; ok is false for who may not see them.
func (a *API) callRates(ctx context.Context, actor access.Actor) (today, week cdr.Rates, ok bool, err error) {
	if !access.MayOpen(actor.Role, "calls") {
		return today, week, false, nil
	}
	of := a.CDR.ShareOf(actor)
	ask := func(days int) (cdr.Rates, error) {
		_, total, err := a.CDR.Ask(ctx, of, cdr.Question{By: cdr.ByPlatform, From: dayNumber(clock.Millis(a.now().AddDate(0, 0, 1-days))), To: dayNumber(clock.Millis(a.now()))})
		return total.Rates, err
	}
	if today, err = ask(1); err == nil {
		week, err = ask(7)
	}
	return today, week, true, err
}

// callItems are the rates as cells of 接.
func (a *API) callItems(ctx context.Context, actor access.Actor) ([]FamilyItem, error) {
	today, week, ok, err := a.callRates(ctx, actor)
	if err != nil || !ok {
		return nil, err
	}
	var out []FamilyItem
	for _, t := range callTiles {
		it := FamilyItem{Key: t.key, Label: t.label, Unit: "%", Today: rounded(t.rate(today)), Week: rounded(t.rate(week)), Definition: t.definition, Path: callsPath}
		it.Value = it.Today
		if x := t.excluded(today); x != nil {
			it.Note = fmt.Sprintf("剔除 %.1f%%", *x)
		}
		if x := t.excluded(week); x != nil {
			it.WeekNote = fmt.Sprintf("剔除 %.1f%%", *x)
		}
		out = append(out, it)
	}
	return out, nil
}

// callScreen are the rates as tiles of the big screen.
func (a *API) callScreen(ctx context.Context, actor access.Actor) ([]ScreenTile, error) {
	today, _, ok, err := a.callRates(ctx, actor)
	if err != nil || !ok {
		return nil, err
	}
	var out []ScreenTile
	for _, t := range callTiles {
		tile := ScreenTile{Key: t.key, Label: t.label, Value: rounded(t.rate(today)), Unit: "%", Definition: t.definition, Fresh: "实时", Path: callsPath}
		if x := t.excluded(today); x != nil {
			tile.Note = fmt.Sprintf("剔除 %.1f%%", *x)
		}
		out = append(out, tile)
	}
	return out, nil
}
