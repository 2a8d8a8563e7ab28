package category

// townItems is the embedded 乡镇（街道）履职事项清单: the wording by category of
// the third level.
func townItems() map[string]string {
	text, err := embedded.ReadFile("data/town.tsv")
	if err != nil {
		panic(err)
	}
	out := map[string]string{}
	for _, f := range rows(string(text), 3) {
		out[f[0]] = f[2]
	}
	return out
}

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
