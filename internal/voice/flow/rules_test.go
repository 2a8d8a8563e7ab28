package flow

import (
	"encoding/json"
	"testing"

	"hotline/internal/fault"
	"hotline/internal/voice/media"
)

// A trunk that registers needs an account, somewhere to register, and a name
// that fits into a SIP address.
func TestTrunkRules(t *testing.T) {
	good := media.Trunk{Name: "联通", Address: "sbc.example.cn:5061", User: "hubei12345", Register: true, Expires: 600, Domain: "ims.example.cn", Inband: true}
	for name, c := range map[string]struct {
		edit func(*media.Trunk)
		ok   bool
	}{
		"as it should be": {func(*media.Trunk) {}, true},
		"usual term":      {func(t *media.Trunk) { t.Expires = 0 }, true},
		"no account":      {func(t *media.Trunk) { t.User = "" }, false},
		"no address":      {func(t *media.Trunk) { t.Address = "" }, false},
		"too often":       {func(t *media.Trunk) { t.Expires = 5 }, false},
		"a header inside": {func(t *media.Trunk) { t.User = "a\r\nX: y" }, false},
		"two hosts":       {func(t *media.Trunk) { t.Domain = "a@b" }, false},
		"a password":      {func(t *media.Trunk) { t.Password = "x" }, false},
	} {
		r, err := ParseRules(defaultRules)
		if err != nil {
			t.Fatal(err)
		}
		tr := good
		c.edit(&tr)
		r.Trunks = []Trunk{{Trunk: tr}}
		doc, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := ValidateRules(doc, nil); (err == nil) != c.ok || err != nil && !fault.Is(err, "voice_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
