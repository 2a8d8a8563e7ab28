package insight

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"hotline/internal/category"
	"hotline/internal/fault"
)

type fileAnswer struct {
	ID   json.RawMessage
	Hits []struct {
		ID    json.RawMessage
		Score float64
	}
	Label      string
	Confidence float64
	Top        []struct {
		Label string
		P     float64
	}
	Why []string
}

func answers(t *testing.T, out *bytes.Buffer) (all []fileAnswer) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var a fileAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, a)
	}
	return all
}

const requests = `{"id":"r1","title":"保利时代夜间施工噪声扰民","content":"关山街道保利时代小区北侧工地连续三晚施工到凌晨，严重影响居民休息，要求核查。"}
{"id":2,"title":"路灯不亮","content":"民族大道与雄楚大道交叉口路灯坏了三盏，晚上出行不安全。"}
{"id":"r3","title":"小区停水","content":"洪山区南湖花园小区已经停水两天，没有任何通知。"}
`

func TestSimilarFileFindsReReports(t *testing.T) {
	queries := `{"id":"q1","title":"工地半夜施工","content":"保利时代北侧工地又施工到凌晨，影响居民休息。"}
{"id":2,"title":"路灯不亮","content":"民族大道与雄楚大道交叉口路灯坏了三盏，晚上出行不安全。"}
{"id":"r3","title":"停水了","content":"南湖花园小区停水两天了。"}
{"id":"q4","title":"","content":"zzz"}
`
	var out bytes.Buffer
	if err := SimilarFile(strings.NewReader(requests), strings.NewReader(queries), &out, 2); err != nil {
		t.Fatal(err)
	}
	got := answers(t, &out)
	if len(got) != 4 || len(got[0].Hits) == 0 || string(got[0].Hits[0].ID) != `"r1"` || got[0].Hits[0].Score <= 0.1 || got[0].Hits[0].Score > 1 {
		t.Errorf("a re-report: %+v", got[0])
	}
	for _, h := range got[1].Hits {
		if string(h.ID) == "2" {
			t.Error("a request is similar to itself")
		}
	}
	if len(got[2].Hits) == 0 || string(got[2].Hits[0].ID) != `"r3"` {
		t.Errorf("same id, other words: %+v", got[2])
	}
	if got[3].Hits == nil || len(got[3].Hits) != 0 {
		t.Errorf("nothing in common: %+v", got[3])
	}
	if err := SimilarFile(strings.NewReader("{"), strings.NewReader(queries), &out, 2); !fault.Is(err, "jsonl_invalid") {
		t.Errorf("broken corpus: %v", err)
	}
	if err := SimilarFile(strings.NewReader(requests), strings.NewReader(queries), &out, 0); !fault.Is(err, "similar_k_invalid") {
		t.Errorf("k of 0: %v", err)
	}
}

func TestClassifyFileNamesTheField(t *testing.T) {
	var out bytes.Buffer
	tree := category.Default()
	if err := ClassifyFile(tree, strings.NewReader(requests+`{"id":4,"title":"","content":"呵呵"}`), &out); err != nil {
		t.Fatal(err)
	}
	got := answers(t, &out)
	known := map[string]bool{}
	for _, c := range tree.Children("") {
		known[c.Name] = true
	}
	for i, a := range got {
		if !known[a.Label] || a.Confidence < 0 || a.Confidence > 1 {
			t.Errorf("%d: %+v", i, a)
		}
		if i < 3 && (len(a.Top) == 0 || a.Top[0].Label != a.Label || a.Top[0].P != a.Confidence || len(a.Why) == 0) {
			t.Errorf("%d gives no reason: %+v", i, a)
		}
	}
	if got[2].Label != "公用事业" {
		t.Errorf("停水 is %s", got[2].Label)
	}
	if a := got[3]; a.Label != "其他" || a.Confidence != 0 || a.Why == nil || a.Top == nil {
		t.Errorf("no sign: %+v", a)
	}
}
