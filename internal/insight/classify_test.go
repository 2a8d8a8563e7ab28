package insight

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"hotline/internal/category"
)

// What citizens say in their own words, and the matter a clerk would choose.
var spoken = []struct{ text, code string }{
	{"洪山区关山大道保利时代小区旁边的工地每天夜里十二点还在施工，噪声很大，影响休息，希望处理。", "130301"},
	{"家里停水两天了，没人管", "170101"},
	{"社保卡丢了怎么补办", "080406"},
	{"隔壁餐馆油烟直排，味道很大", "130103"},
	{"小区物业乱收停车费", "040503"},
	{"老板拖欠工资三个月不给", "080102"},
	{"路上井盖不见了，很危险", "010103"},
	{"医保报销比例是多少", "100201"},
	{"孩子上小学划片问题", "110201"},
	{"我要举报某公司偷税漏税", "180504"},
	{"楼上邻居半夜放音乐扰民", "060302"},
	{"路灯坏了一个星期没人修", "010201"},
	{"楼下广场舞音响从晚上七点放到十点", "060302"},
}

func TestClassifyReadsWhatCitizensSay(t *testing.T) {
	cl := NewClassifier(category.Default())
	for _, s := range spoken {
		got := cl.Classify("", s.text, 3)
		if len(got) == 0 || got[0].Code != s.code {
			t.Errorf("%s: %v, want %s", s.text, got, s.code)
		}
	}
	for _, empty := range []string{"", "你好", "？？？", "hello"} {
		if got := cl.Classify(empty, empty, 3); len(got) > 0 && got[0].P >= 0.45 {
			t.Errorf("%q is nothing, yet %v", empty, got)
		}
	}
}

// firstLevel maps the seven labels of the labelled messages to our first level.
var firstLevel = map[string][]string{"城乡建设": {"01", "02", "03", "04", "14", "17"}, "劳动和社会保障": {"08", "10", "16"}, "教育文体": {"11", "12"},
	"商贸旅游": {"07", "12", "18", "19"}, "环境保护": {"13"}, "卫生计生": {"09", "10", "16"}, "交通运输": {"05"}}

// Real messages: the first guess names the right field for at least three in
// five, one of three guesses for four in five, and confidence is no boast.
func TestClassifyReadsRealMessages(t *testing.T) {
	f, err := os.Open("../../../shared/data/text/cls_raw_sample.jsonl")
	if err != nil {
		t.Log("没有共享语料，只用本仓库样例检验分类。")
		return
	}
	defer f.Close()
	cl := NewClassifier(category.Default())
	var n, one, three, sure, right int
	for s := bufio.NewScanner(f); s.Scan(); {
		var m struct{ Title, Body, Label string }
		if err := json.Unmarshal(s.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		n++
		in := func(g Guess) bool { return slices.Contains(firstLevel[m.Label], g.Code[:2]) }
		got := cl.Classify(m.Title, strings.TrimSpace(m.Body), 3)
		if slices.ContainsFunc(got, in) {
			three++
		}
		if len(got) == 0 {
			continue
		}
		if in(got[0]) {
			one++
		}
		if got[0].P >= 0.75 {
			sure++
			if in(got[0]) {
				right++
			}
		}
	}
	t.Logf("%d messages: first guess %d, in three %d; sure of %d, right %d", n, one, three, sure, right)
	if one*5 < n*3 || three*5 < n*4 || right*10 < sure*7 {
		t.Error("the classifier reads worse than measured before")
	}
}
