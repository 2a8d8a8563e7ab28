package demo

import "testing"

func TestGist(t *testing.T) {
	for _, x := range []struct {
		body string
		n    int
		want string
	}{
		{"## 条件\n- 连续缴存满3个月。\n- 本人和配偶在本市无房。\n\n## 材料\n身份证。", 20, "连续缴存满3个月。本人和配偶在本市无房。"},
		{"没有句号的一句", 4, "没有句…"},
		{"", 10, ""},
	} {
		if got := gist(x.body, x.n); got != x.want {
			t.Errorf("%q: %q", x.body, got)
		}
	}
}
