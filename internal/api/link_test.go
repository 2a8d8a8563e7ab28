package api

import (
	"strconv"
	"testing"
)

// 关联前单：重复诉求计入重复，补充材料写进前单；知识库未命中登记给知识管理员。
func TestLinkAndMissAtTheDesk(t *testing.T) {
	w := newWorld(t)
	w.seed()
	old := w.id("waiting")
	body := func(kind string) map[string]any {
		return map[string]any{"way": "dispatch", "type": "求助", "title": "路灯还是不亮", "content": "上次反映的路灯还是不亮，灯杆编号已经拍照。", "category": "040101", "region": "420111",
			"requester": map[string]any{"phone": "13800001111"}, "link": map[string]any{"ticket": old, "kind": kind}}
	}
	for kind, word := range map[string]string{"repeat": "重复于", "supplement": "补充"} {
		before := ok[TicketOut](w, "agent", "GET", "/api/v1/tickets/"+old, nil).Version
		made := ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", body(kind))
		got := ok[TicketOut](w, "agent", "GET", "/api/v1/tickets/"+strconv.FormatInt(int64(made.ID), 10), nil)
		if len(got.Related) != 1 || got.Related[0].KindLabel != word {
			t.Errorf("%s: %+v", kind, got.Related)
		}
		after := ok[TicketOut](w, "agent", "GET", "/api/v1/tickets/"+old, nil).Version
		if grown := after > before; grown != (kind == "supplement") {
			t.Errorf("%s: the earlier ticket went from version %d to %d", kind, before, after)
		}
	}
	ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", map[string]any{"way": "answer", "type": "咨询", "title": "咨询外地人办老年证", "content": "外地户籍老人在本市能不能办老年优待证。",
		"category": "040101", "region": "420111", "requester": map[string]any{"phone": "13800001111"}, "answer": map[string]any{"text": "请到居住地社区咨询。", "miss": true, "miss_q": "外地户籍老年优待证"}})
	type list struct {
		Items []MissOut `json:"items"`
	}
	got := ok[list](w, "kb_admin", "GET", "/api/v1/knowledge/misses", nil)
	if len(got.Items) != 1 || got.Items[0].Words != "外地户籍老年优待证" || got.Items[0].CategoryName == "" {
		t.Fatalf("%+v", got.Items)
	}
	made := ok[KnowledgeDone](w, "kb_admin", "POST", "/api/v1/knowledge/misses/draft", map[string]any{"term": got.Items[0].Term})
	if made.State != "draft" {
		t.Errorf("%+v", made)
	}
	w.refused("knowledge_miss_drafted", "kb_admin", "POST", "/api/v1/knowledge/misses/draft", map[string]any{"term": got.Items[0].Term})
}
