package ticket

import (
	"context"
	"reflect"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

// A ticket taken from the shelf is the one that the database would load, after
// each kind of step, and a copy to change shares nothing with the kept one.
func TestTheShelfHoldsWhatTheDatabaseHolds(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorldOn(t, d, c)
		seat, desk := w.who(access.Agent, "P420100"), w.who(access.Dispatcher, "P420100")
		handler := w.who(access.Handler, "D420100-chengguan")
		got, err := w.s.Create(context.Background(), seat, Intake{Type: "投诉", Category: "040101", Region: "420111", Title: "夜间施工噪声扰民", Content: "工地连续三晚施工到凌晨，要求核查。", Points: []string{"核查许可", "停止夜间施工"},
			Requester: Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Channel: "phone", Platform: w.units["P420100"].ID, Status: ToDispatch, Note: "来电人情绪激动"})
		if err != nil {
			t.Fatal(err)
		}
		check := func(step string) {
			t.Helper()
			kept, err := w.s.Get(context.Background(), access.System("t"), got.ID)
			if err != nil {
				t.Fatal(step, err)
			}
			var loaded *Ticket
			if err := d.View(context.Background(), func(tx *db.Tx) (err error) {
				if loaded, err = load(tx, got.ID); err == nil {
					err = w.s.loadWords(tx, loaded)
				}
				return err
			}); err != nil {
				t.Fatal(step, err)
			}
			if mustJSON(kept) != mustJSON(loaded) {
				t.Errorf("%s:\nkept   %s\nloaded %s", step, mustJSON(kept), mustJSON(loaded))
			}
			before := mustJSON(kept)
			spoil(reflect.ValueOf(kept.clone()).Elem())
			if mustJSON(kept) != before {
				t.Errorf("%s: a change of the copy shows in the kept ticket", step)
			}
		}
		check("create")
		version := int64(1)
		for _, step := range []struct {
			who    access.Actor
			name   string
			fields map[string]any
		}{
			{desk, "dispatch", map[string]any{"unit": w.units["D420100-chengguan"].ID}}, {handler, "sign", nil},
			{handler, "contact", map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已联系"}},
			{handler, "extend", map[string]any{"days": 3, "reason": "需要现场核查后再答复"}}, {seat, "urge", nil},
		} {
			res, err := w.s.Do(context.Background(), step.who, got.ID, Action{Name: step.name, Version: version, Fields: step.fields})
			if err != nil {
				t.Fatal(step.name, err)
			}
			version = res.Version
			check(step.name)
		}
	})
}

// spoil changes every number that it can reach.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 { // sealed bytes are replaced, never changed
			return
		}
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	default:
		if v.CanInt() && v.CanSet() {
			v.SetInt(v.Int() + 1)
		}
	}
}
