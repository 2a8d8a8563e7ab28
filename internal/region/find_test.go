package region

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name, text, within string
		want               string // codes, in order
	}{
		{"full chain", "我住在湖北省武汉市洪山区关山街道保利花园", "", "420000 420100 420111 420111002"},
		{"short names", "宜昌夷陵这边停水三天了", "", "420500 420506"},
		{"a city's short name wins over its namesake district", "荆州的公交太慢", "", "421000"},
		{"the district by its full name", "荆州区的公交太慢", "", "421003"},
		{"same for 恩施", "恩施下大雨，恩施市区内涝", "", "422800 422801"},
		{"colloquial and former names", "恩施州和襄樊市都有这个问题", "", "422800 420600"},
		{"longest match", "黄石港区的路灯坏了", "", "420202"},
		{"a township needs its county when the name is common", "黄梅县小池镇派出所旁", "", "421127 421127102"},
		{"ambiguous township alone is left out", "城关镇的垃圾没人运", "", ""},
		{"ambiguous township inside within", "城关镇的垃圾没人运", "420325", "420325100"},
		{"ambiguous township after its county", "房县城关镇的垃圾没人运", "", "420325 420325100"},
		{"weak short name right after its county", "洪山区关山的路口", "", "420111 420111002"},
		{"weak short name inside within", "关山那边的路口", "420111", "420111002"},
		{"weak short name alone", "关山那边的路口", "", ""},
		{"street spelled short", "洪山区关山街三号", "", "420111 420111002"},
		{"a road is not its town", "洪山区关山大道堵车", "", "420111"},
		{"a road is not its county", "汉阳大道堵车", "", ""},
		{"a building is not its county", "洪山广场地铁口", "", ""},
		{"a university is in its city", "武汉大学门口", "", "420100"},
		{"police are no county", "向公安机关报案，公安没有回复", "", ""},
		{"but the county is", "公安县斗湖堤镇", "", "421022 421022101"},
		{"everyday word", "青山绿水变了样", "", ""},
		{"the district after its city", "武汉青山的住户", "", "420100 420107"},
		{"directly under the province", "仙桃市沙嘴街道的居民", "", "429004 429004001"},
		{"village inside its county", "大智街道保成社区", "420102", "420102002 420102002003"},
		{"no village without a county", "保成社区", "420100", ""},
		{"nothing", "你好，请问社保怎么办理", "420100", ""},
		{"empty", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var codes []string
			for _, m := range Find(tt.text, tt.within) {
				codes = append(codes, m.Region.Code)
			}
			if diff := cmp.Diff(tt.want, strings.Join(codes, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFullNameIsFound(t *testing.T) {
	for _, r := range tree().list {
		text := "地址：" + FullName(r.Code) + "，请尽快处理"
		ms := Find(text, "")
		if len(ms) == 0 || ms[len(ms)-1].Region.Code != r.Code {
			t.Errorf("%s %s: %v", r.Code, FullName(r.Code), ms)
		}
	}
}

func TestMatchesLieInTheTextInOrder(t *testing.T) {
	list := tree().list
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 8).Draw(t, "pieces") {
			if rapid.Bool().Draw(t, "place") {
				r := list[rapid.IntRange(0, len(list)-1).Draw(t, "region")]
				b.WriteString(rapid.SampledFrom([]string{r.Name, r.Short, FullName(r.Code)}).Draw(t, "spelling"))
			} else {
				b.WriteString(rapid.String().Draw(t, "filler"))
			}
		}
		within := rapid.SampledFrom([]string{"", "420100", "420111", "429004", "420102002", "x"}).Draw(t, "within")
		end := 0
		for _, m := range Find(b.String(), within) {
			if m.Start < end || m.End <= m.Start || m.End > b.Len() {
				t.Fatalf("%q: %v", b.String(), m)
			}
			end = m.End
		}
	})
}

func TestSearch(t *testing.T) {
	for _, tt := range []struct {
		q, within string
		want      []string // the first names
	}{
		{"hs", "", []string{"洪山区", "黄石市"}},
		{"hs", "420200", []string{"黄石市", "黄石港区"}},
		{"HSQ", "", []string{"洪山区"}},
		{"hongshan", "", []string{"洪山区"}},
		{"esz", "", []string{"恩施土家族苗族自治州"}},
		{"qk", "", []string{"硚口区"}},
		{"洪山", "", []string{"洪山区"}},
		{"山区", "420100", []string{"洪山区", "青山区"}},
		{"关山", "", []string{"关山街道"}},
		{"城关", "420325", []string{"城关镇"}},
		{"bcsq", "420102", []string{"保成社区"}},
		{"保成", "420102002", []string{"保成社区"}},
		{"　ｈｓ ", "", []string{"洪山区"}},
	} {
		got := Search(tt.q, tt.within, 10)
		for i, want := range tt.want {
			if len(got) <= i || got[i].Name != want {
				t.Errorf("%q in %q: %v, want %v first", tt.q, tt.within, names2(got), tt.want)
				break
			}
		}
	}
	if len(Search("保成", "", 10)) != 0 {
		t.Error("villages are searched only inside a county")
	}
	if Search("", "", 10) != nil || Search("hs", "", 0) != nil || len(Search("s", "", 3)) != 3 {
		t.Error("limits")
	}
}

func TestCountiesComeBeforeTownships(t *testing.T) {
	for _, q := range []string{"h", "xs", "洪", "山", "yc"} {
		town := false
		for _, r := range Search(q, "", 100) {
			if r.Level == LevelTown {
				town = true
			} else if town {
				t.Errorf("%q: %s after a township", q, r.Name)
			}
		}
	}
}

func names2(rs []Region) (out []string) {
	for _, r := range rs {
		out = append(out, r.Name)
	}
	return out
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("我家住在武汉市洪山区关山街道，小区电梯坏了半个月没人修，物业一直推脱，希望有关部门尽快解决。", 5)
	Find(text, "")
	b.ReportAllocs()
	for b.Loop() {
		Find(text, "420100")
	}
}
