package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/policy"
	"hotline/internal/workforce"
)

// withMenu puts a menu before the queue of 12345.
func (w *world) withMenu(m Menu) {
	w.t.Helper()
	r, err := ParseRules(defaultRules)
	must(w.t, err)
	r.Menus = map[string]Menu{"12345": m}
	doc, err := json.Marshal(r)
	must(w.t, err)
	must(w.t, ValidateRules(doc, nil))
	must(w.t, w.d.Update(context.Background(), func(tx *db.Tx) error {
		_, err := w.deps.Policy.Publish(tx, policy.Publication{Kind: PolicyVoice, Doc: doc, EffectiveFrom: w.c.Now().Add(-time.Second)})
		return err
	}))
}

// 按键菜单: a key asks for a skill; 0, silence and a wrong key twice reach a person.
func TestMenuLeadsToAPerson(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.withMenu(Menu{Prompt: "menu", Keys: map[string]string{"3": "biz:涉企"}})
	li, err := w.deps.Access.ByUsername(ctx, "acct.li")
	must(t, err)
	_, err = w.deps.Staff.Certify(ctx, 1, workforce.Certificate{Account: li.ID, Skill: "biz:涉企", Level: 80, Document: "涉企服务培训合格证", Expires: w.x.ms() + 365*24*3600*1000})
	must(t, err)
	for i, c := range []struct {
		name string
		keys []string
		said string
		seat string
	}{
		{"a key", []string{"3"}, "welcome menu moh", "li"},
		{"0", []string{"0"}, "welcome menu moh", "wang"},
		{"silence", []string{""}, "welcome menu moh", "wang"},
		{"wrong once", []string{"7", "3"}, "welcome menu key_invalid menu moh", "li"},
		{"wrong twice", []string{"7", "8"}, "welcome menu key_invalid menu moh", "wang"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			seats := map[string]*page{"wang": w.sit("wang")} // free the longest
			w.c.Advance(time.Minute)
			seats["li"] = w.sit("li")
			caller := w.e.Call("12345", fmt.Sprint(13871230000+i)) // a stranger: no seat knows him
			w.sync()
			w.e.Played(caller) // the welcome
			w.sync()
			if said := w.e.Said(caller); said != "welcome menu" {
				t.Fatalf("the caller hears %q", said)
			}
			for _, k := range c.keys {
				w.e.Key(caller, k)
				w.sync()
			}
			if said := w.e.Said(caller); said != c.said {
				t.Errorf("then %q", said)
			}
			w.pass(time.Second)
			seats[c.seat].answer()
			must(t, seats[c.seat].d.Hangup(ctx))
			w.e.HangUp(caller)
			w.sync()
			for _, p := range seats {
				p.d.Close(ctx)
			}
			w.pass(90 * time.Second)
		})
	}
}

func TestMenuHasOneLevelAndAPerson(t *testing.T) {
	for what, m := range map[string]Menu{
		"no keys":         {Prompt: "menu"},
		"no prompt":       {Keys: map[string]string{"1": "biz:咨询"}},
		"0 is taken":      {Prompt: "menu", Keys: map[string]string{"0": "biz:咨询"}},
		"a second level":  {Prompt: "menu", Keys: map[string]string{"11": "biz:咨询"}},
		"no skill":        {Prompt: "menu", Keys: map[string]string{"1": "咨询"}},
		"waits a minute":  {Prompt: "menu", Keys: map[string]string{"1": "biz:咨询"}, Second: 60},
		"half of a skill": {Prompt: "menu", Keys: map[string]string{"1": "biz:"}},
	} {
		r, err := ParseRules(defaultRules)
		must(t, err)
		r.Menus = map[string]Menu{"12345": m}
		doc, _ := json.Marshal(r)
		if err := ValidateRules(doc, nil); !fault.Is(err, "voice_invalid") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
