package category

import (
	"encoding/json"
	"strings"
	"testing"

	"hotline/internal/fault"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultTreeIsLargeEnough(t *testing.T) {
	tree := Default()
	for level, least := range map[int]int{1: 18, 2: 120, 3: 400} {
		if n := len(tree.All(level)); n < least {
			t.Errorf("level %d has %d categories, want at least %d", level, n, least)
		}
	}
}

func TestEveryMatterIsComplete(t *testing.T) {
	names := map[string]string{}
	for _, c := range Default().All(3) {
		if other, twice := names[c.Name]; twice {
			t.Errorf("%s and %s are both called %s", other, c.Code, c.Name)
		}
		names[c.Name] = c.Code
		if n := len(c.Keywords); n < 5 || n > 12 {
			t.Errorf("%s %s has %d keywords, want 5 to 12", c.Code, c.Name, n)
		}
		if !says(c, c.Example) {
			t.Errorf("%s %s: the example holds none of its keywords: %s", c.Code, c.Name, c.Example)
		}
		if path := Default().Path(c.Code); len(path) != 3 || path[2].Code != c.Code {
			t.Errorf("%s: path %v", c.Code, path)
		}
		if strings.ContainsAny(c.Definition+c.Example+c.Name, "{}|,;?!") {
			t.Errorf("%s %s: half-width punctuation or a slot in its texts", c.Code, c.Name)
		}
	}
}

func says(c Category, text string) bool {
	for _, k := range c.Keywords {
		if strings.Contains(text, k.Word) {
			return true
		}
	}
	return false
}

// The keywords are what a rule classifier has: on the examples, plain summing
// must find the right matter first nearly always.
func TestKeywordsTellTheExamplesApart(t *testing.T) {
	all := Default().All(3)
	right := 0
	for _, c := range all {
		best, top := "", 0.0
		for _, d := range all {
			score := 0.0
			for _, k := range d.Keywords {
				if strings.Contains(c.Example, k.Word) {
					score += k.Weight
				}
			}
			if score > top {
				best, top = d.Code, score
			}
		}
		if best == c.Code {
			right++
		} else if testing.Verbose() {
			t.Logf("%s %s taken for %s: %s", c.Code, c.Name, Default().PathName(best), c.Example)
		}
	}
	if share := float64(right) / float64(len(all)); share < 0.95 {
		t.Errorf("keywords find %.1f %% of the examples, want 95 %%", share*100)
	}
}

func TestSeason(t *testing.T) {
	got, err := parseSeason("11-2:3;6:1.5")
	want := [12]float64{3, 3, 1, 1, 1, 1.5, 1, 1, 1, 1, 3, 3}
	if err != "" || got != want {
		t.Errorf("got %v %s, want %v", got, err, want)
	}
	for _, bad := range []string{"11-13:2", "0:1", "6", "6:x", "a-b:1"} {
		if _, err := parseSeason(bad); err == "" {
			t.Errorf("%q was accepted", bad)
		}
	}
	heat, ok := Default().find("供热温度不达标")
	if !ok || heat.Weight(1) <= heat.Weight(7) {
		t.Errorf("heating weighs %v in January and %v in July", heat.Weight(1), heat.Weight(7))
	}
}

func (t *Tree) find(name string) (Category, bool) {
	for _, c := range t.list {
		if c.Name == name {
			return c, true
		}
	}
	return Category{}, false
}

func TestSearch(t *testing.T) {
	for _, tc := range []struct{ q, want string }{
		{"井盖缺失破损", "井盖缺失破损"}, {"停水", "停水与抢修"}, {"dlps", "道路破损坑洼"}, {"DLPS", "道路破损坑洼"}, {"010101", "道路破损坑洼"},
		{"农民工", "农民工欠薪"}, {"楼上漏水", "房屋漏水邻里纠纷"}, {"公租房", "公租房申请"},
	} {
		hits := Default().Search(tc.q, 5)
		if len(hits) == 0 || hits[0].Name != tc.want {
			t.Errorf("%s finds %v, want %s first", tc.q, namesOf(hits), tc.want)
		}
	}
	if hits := Default().Search("", 5); hits != nil {
		t.Errorf("nothing finds %v", namesOf(hits))
	}
	if hits := Default().Search("管理", 3); len(hits) != 3 {
		t.Errorf("limit 3 gives %d", len(hits))
	}
}

func namesOf(cs []Category) (out []string) {
	for _, c := range cs {
		out = append(out, c.Name)
	}
	return out
}

func TestTownsGetOnlyTheirList(t *testing.T) {
	listed := map[string]bool{}
	for code, item := range townItems() {
		listed[code] = item != ""
	}
	for _, c := range Default().All(3) {
		if (c.Lowest == Town) != listed[c.Code] || Default().TownMay(c.Code) != listed[c.Code] || (c.TownItem != "") != listed[c.Code] {
			t.Errorf("%s %s: lowest %s, on the list %v", c.Code, c.Name, c.Lowest, listed[c.Code])
		}
		if listed[c.Code] && c.Nature == Enforcement {
			t.Errorf("%s %s is enforcement and may not go to a township", c.Code, c.Name)
		}
	}
	for town, want := range map[string]string{"关山街道": "关山街道办事处", "周老嘴镇": "周老嘴镇人民政府", "三角山乡": "三角山乡人民政府", "沙洋农场": "沙洋农场管理委员会"} {
		if got := TownName(town); got != want {
			t.Errorf("%s: %s, want %s", town, got, want)
		}
	}
}

func TestDutyNames(t *testing.T) {
	for _, tc := range []struct{ duty, city, county, wantCity, wantCounty string }{
		{"chengguan", "武汉市", "洪山区", "武汉市城市管理执法委员会", "洪山区城市管理执法局"},
		{"gongan", "襄阳市", "谷城县", "襄阳市公安局", "谷城县公安局"},
		{"gongan", "武汉市", "洪山区", "武汉市公安局", "武汉市公安局洪山区分局"},
		{"gongdian", "恩施州", "利川市", "国网恩施供电公司", "国网利川供电公司"},
		{"shuiwu", "武汉市", "洪山区", "武汉市水务局", "洪山区水利和湖泊局"},
		{"ditie", "武汉市", "洪山区", "武汉地铁集团有限公司", ""},
		{"ditie", "黄石市", "阳新县", "", ""},
	} {
		d, ok := DutyOf(tc.duty)
		if !ok || d.CityName(tc.city) != tc.wantCity || d.CountyName(tc.city, tc.county) != tc.wantCounty {
			t.Errorf("%s in %s %s: %q %q", tc.duty, tc.city, tc.county, d.CityName(tc.city), d.CountyName(tc.city, tc.county))
		}
	}
	if n := len(Duties()); n < 60 {
		t.Errorf("%d duties, want 60", n)
	}
	for _, d := range Duties() {
		if d.Responsibilities == "" || d.Name() == "" || len(d.Levels()) == 0 || strings.Contains(d.CityName("宜昌市")+d.CountyName("宜昌市", "远安县"), "{") {
			t.Errorf("%s is not complete", d.Code)
		}
	}
}

func TestLimits(t *testing.T) {
	rows := Limits()
	for _, tc := range []struct{ key, typ, urgency, kind, want string }{
		{"standard", "咨询", "一般", "办理", "3工作日"},
		{"simple", "咨询", "一般", "办理", "1工作日"},
		{"complex", "投诉", "一般", "办理", "15工作日"},
		{"statutory7", "投诉", "一般", "办理", "7工作日"},
		{"statutory60", "投诉", "一般", "办理", "60工作日"},
		{"statutory60", "投诉", "特急", "办理", "2自然时"},
		{"urgent2h", "求助", "一般", "办理", "2自然时"},
		{"urgent2h", "求助", "特急", "签收", "15分钟"},
		{"urgent2h", "咨询", "一般", "签收", "4工作时"},
		{"urgent24h", "求助", "一般", "办理", "24自然时"},
		{"urgent24h", "求助", "特急", "办理", "2自然时"},
		{"standard", "求助", "紧急", "办理", "24自然时"},
		{"standard", "求助", "一般", "派单", "30分钟"},
		{"standard", "求助", "特急", "派单", "5分钟"},
		{"unknown", "求助", "一般", "办理", "5工作日"},
	} {
		r, ok := FindLimit(rows, tc.key, tc.typ, tc.urgency, tc.kind)
		if got := number(r.N) + r.Unit; !ok || got != tc.want {
			t.Errorf("%s %s %s %s: %s, want %s", tc.key, tc.typ, tc.urgency, tc.kind, got, tc.want)
		}
	}
	for _, key := range LimitKeys() {
		for _, typ := range Types {
			for _, u := range Urgencies {
				for _, kind := range LimitKinds {
					if r, ok := FindLimit(rows, key, typ, u, kind); !ok || r.Basis == "" {
						t.Errorf("no limit with a basis for %s %s %s %s", key, typ, u, kind)
					}
				}
			}
		}
	}
}

func number(n int) string { return strings.TrimSpace(string(mustJSON(n))) }

func mustJSON(v any) []byte {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return doc
}

func TestLimitsAreChecked(t *testing.T) {
	good := Limits()
	for name, change := range map[string]func(r *LimitRow){
		"zero":    func(r *LimitRow) { r.N = 0 },
		"unit":    func(r *LimitRow) { r.Unit = "个月" },
		"type":    func(r *LimitRow) { r.Type = "求援" },
		"urgency": func(r *LimitRow) { r.Urgency = "火急" },
		"class":   func(r *LimitRow) { r.Key = "none" },
		"kind":    func(r *LimitRow) { r.Kind = "跳过" },
	} {
		rows := append([]LimitRow(nil), good...)
		change(&rows[3])
		if err := CheckLimits(rows); !fault.Is(err, "limit_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckLimits(append(Limits(), good[0])); !fault.Is(err, "limit_invalid") {
		t.Errorf("twice the same row: %v", err)
	}
	if err := CheckLimits(good[1:]); !fault.Is(err, "limit_invalid") {
		t.Errorf("a step without a general limit: %v", err)
	}
}

func TestJSONKeepsTheTree(t *testing.T) {
	doc := mustJSON(Default())
	got, err := ParseJSON(doc)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default().list, got.list); d != "" || got.Version != DefaultVersion {
		t.Errorf("version %s, -want +got:\n%s", got.Version, d)
	}
}

func TestMistakesAreRefused(t *testing.T) {
	doc := string(mustJSON(Default()))
	for name, tc := range map[string][2]string{
		"twice the same code": {`"code":"010102"`, `"code":"010101"`},
		"parent is missing":   {`"code":"010101"`, `"code":"990101"`},
		"code with letters":   {`"code":"010101"`, `"code":"01010a"`},
		"unknown duty":        {`"duty":"chengguan"`, `"duty":"nobody"`},
		"unknown level":       {`"lowest":"county"`, `"lowest":"village"`},
		"unknown limit":       {`"limit":"standard"`, `"limit":"someday"`},
		"unknown type":        {`"types":["求助"`, `"types":["救援"`},
		"long name":           {`"name":"道路破损坑洼"`, `"name":"` + strings.Repeat("路", 21) + `"`},
		"empty name":          {`"name":"道路破损坑洼"`, `"name":" "`},
		"brother's name":      {`"name":"人行道破损"`, `"name":"道路破损坑洼"`},
		"bad keyword weight":  {`"路面坑洼*3"`, `"路面坑洼*x"`},
		"unknown field":       {`"version":`, `"colour":"red","version":`},
		"no version":          {`"version":"` + DefaultVersion + `"`, `"version":""`},
		"metro at the county": {`"duty":"ditie","lowest":"city"`, `"duty":"ditie","lowest":"county"`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(doc, tc[0]) {
				t.Fatalf("the document does not hold %s", tc[0])
			}
			_, err := ParseJSON([]byte(strings.Replace(doc, tc[0], tc[1], 1)))
			if fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Parse("v", map[string]string{"01.tsv": "010000\t城乡建设"}); !fault.Is(err, "category_invalid") {
		t.Errorf("short line: %v", err)
	}
	if _, err := Parse("v", nil); !fault.Is(err, "category_empty") {
		t.Errorf("nothing: %v", err)
	}
}
