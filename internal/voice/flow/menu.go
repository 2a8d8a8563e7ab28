package flow

import (
	"context"
	"strings"

	"hotline/internal/voice/acd"
	"hotline/internal/voice/media"
)

// Menu (按键菜单) is the one level of keys that a line may ask for. There is
// none by default: GB/T 33358-2016 calls a menu 不宜设置. Key 0, a wrong key
// twice and silence all lead to a person, so nobody is lost in it.
type Menu struct {
	Prompt string            `json:"prompt"`           // clip that says the keys, normally "menu"
	Keys   map[string]string `json:"keys"`             // "3" → skill that is wanted of the seat: biz:涉企, line:12333
	Second int               `json:"second,omitempty"` // seconds to the first key, 0 = 5
}

// check refuses a menu that is none or has no way to a person.
func (m Menu) check(line string, bad func(string, ...any) error) error {
	if m.Prompt == "" || len(m.Keys) == 0 {
		return bad("%s：按键菜单应有提示音和至少一个按键。", line)
	}
	if m.Second < 0 || m.Second > 10 {
		return bad("%s：按键菜单的等待应为0至10秒。", line)
	}
	for k, skill := range m.Keys {
		switch {
		case k == "0":
			return bad("%s：按键0固定为人工座席，不能另作他用。", line)
		case len(k) != 1 || k < "1" || k > "9":
			return bad("%s：菜单只有一级，按键应为1至9，收到的是“%s”。", line, k)
		case !strings.Contains(strings.Trim(skill, ":"), ":"):
			return bad("%s：按键%s应对应一项座席技能，如 biz:涉企。", line, k)
		}
	}
	return nil
}

// menu asks for a key once more after a wrong one, then lets the call wait for
// a person with the skill of the key, which the queue relaxes as any other.
func (c *call) menu(ctx context.Context, m Menu, again bool) {
	first := m.Second
	if first == 0 {
		first = 5
	}
	names := []string{m.Prompt}
	if again {
		names = []string{"key_invalid", m.Prompt}
	}
	c.play(ctx, c.Caller, "menu", clips(names...), false, true, nil)
	c.ask(ctx, media.Digits{Max: 1, First: first, Inter: 3}, func(ctx context.Context, key string) {
		skill, ok := m.Keys[key]
		if !ok && key != "" && key != "0" && !again {
			c.menu(ctx, m, true)
			return
		}
		if ok {
			c.rec.Skill = skill
			c.Needs = append(c.Needs, acd.Need{Skill: skill, Level: 1, Soft: true})
		}
		c.enqueue(ctx)
	})
	if c.digit == nil { // the exchange takes no keys: a person does
		c.enqueue(ctx)
	}
}
