package insight

import (
	"testing"

	"hotline/internal/zh"
)

// Two texts of the same phrases about different matters are no more alike than two
// about the same.
func TestPhrasesDoNotMakeTextsAlike(t *testing.T) {
	const one = "来电人反映保利时代小区北侧工地连续三晚施工到凌晨，严重影响居民休息，希望相关部门尽快核查处理并告知结果，谢谢。"
	const other = "来电人反映锦程中路三盏路灯不亮，严重影响居民休息，希望相关部门尽快核查处理并告知结果，谢谢。"
	const same = "保利时代北侧的工地昨天又连夜施工到凌晨三点。"
	alike := func(a, b string) float64 { return zh.Similarity(matter(a), matter(b)) }
	if alike(one, other) >= 0.3 || alike(one, same) < 0.3 {
		t.Errorf("other %.2f, same %.2f", alike(one, other), alike(one, same))
	}
	if zh.Similarity(one, other) < 0.3 {
		t.Error("the phrases were no trap")
	}
}
