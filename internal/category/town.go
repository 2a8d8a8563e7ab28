package category

import "sync"

// TownDuty is one entry of the 乡镇（街道）履职事项清单.
type TownDuty struct {
	Code string // category of the third level
	Item string // wording of the list
}

var townDuties = sync.OnceValue(func() []TownDuty {
	text, err := embedded.ReadFile("data/town.tsv")
	if err != nil {
		panic(err)
	}
	var out []TownDuty
	for _, f := range rows(string(text), 3) {
		out = append(out, TownDuty{Code: f[0], Item: f[2]})
	}
	return out
})

// TownDuties lists what a township may be given by default, with the wording
// of its 履职事项清单.
func TownDuties() []TownDuty { return append([]TownDuty(nil), townDuties()...) }

// TownMay tells whether the embedded list allows a matter to be given to a
// township; a published classification answers through Tree.TownMay.
func TownMay(code string) bool { return Default().TownMay(code) }

// TownName is the name of the unit that speaks for a township: 街道办事处 or 人民政府.
func TownName(town string) string {
	r := []rune(town)
	if n := len(r); n >= 2 && string(r[n-2:]) == "街道" {
		return town + "办事处"
	}
	if n := len(r); n > 0 && (r[n-1] == '镇' || r[n-1] == '乡') {
		return town + "人民政府"
	}
	return town + "管理委员会"
}
