package region

import "testing"

// Every town whose name is its own is found by its full name in its own county, even
// behind the name of a city or of a wrong district.
func TestEveryTownGivesItsCounty(t *testing.T) {
	byName := map[string][]Region{}
	for _, r := range tree().list {
		if r.Level == LevelTown {
			byName[r.Name] = append(byName[r.Name], r)
		}
	}
	unique := 0
	for name, list := range byName {
		if len(list) > 1 {
			continue
		}
		unique++
		town := list[0]
		city, _ := Get(City(town.Code))
		for _, text := range []string{
			name + "某小区停水两天", "家住" + name + "，门口路灯不亮", city.Name + name + "有人占道经营", city.Short + "这边" + name + "垃圾没人清运", "市民来电反映" + name + "路面积水",
		} {
			for _, within := range []string{"", ProvinceCode, city.Code} {
				if m, ok := Place(text, within); !ok || m.Region.Code != town.Code {
					t.Errorf("%q within %q is %s %s, want %s", text, within, m.Region.Code, m.Region.Name, FullName(town.Code))
				}
			}
		}
	}
	if unique < 900 {
		t.Errorf("only %d towns have a name of their own", unique)
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct{ name, text, within, want string }{
		{"town of its own district", "珞珈山街道八一路路灯不亮", "420100", "420106013"},
		{"town beside its city", "武汉市珞珈山街道路灯不亮", "420100", "420106013"},
		{"the district said wrong", "洪山区珞珈山街道路灯不亮", "420100", "420106013"},
		{"county before its town", "我在黄梅县小池镇，停水了", "", "421127102"},
		{"two counties: the first", "江夏区的工地，噪音传到洪山区", "420100", "420115"},
		{"nothing", "请问社保怎么办", "420100", ""},
	} {
		if m, _ := Place(tt.text, tt.within); m.Region.Code != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, m.Region.Code, tt.want)
		}
	}
}
