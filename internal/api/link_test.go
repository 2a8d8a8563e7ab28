package api

import (
	"strconv"
	"testing"
	"time"

	"hotline/internal/insight"
)

// A request that goes with an earlier one: a repeat counts as such, a supplement is
// written into the earlier; what the knowledge base missed goes to its manager.
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

// Each line of 派单 says how many open tickets are about the same matter at the same
// place; those that are closed do not count.
func TestRowsCountSimilarTickets(t *testing.T) {
	w := newWorld(t)
	w.seed()
	var ids []string
	for _, content := range []string{"来电人反映关山街道锦程中路农贸市场旁路面坑洼，请尽快修补。", "锦程中路有一个大坑，晚上骑车经过险些摔倒。", "关山街道银杏路路面坑洼，请尽快修补。"} {
		made := ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", map[string]any{"way": "dispatch", "type": "求助", "content": content, "category": "010101",
			"region": "420111002", "requester": map[string]any{"phone": "13800001111"}})
		ids = append(ids, strconv.FormatInt(int64(made.ID), 10))
	}
	counted := func() map[string]int64 {
		w.counted()
		for {
			n, err := insight.FollowKinOnce(t.Context(), w.api.Log, w.api.Ticket)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		out := map[string]int64{}
		type list struct{ Items []TicketRow }
		for _, r := range ok[list](w, "dispatcher", "GET", "/api/v1/tickets?queue=to_dispatch&limit=50", nil).Items {
			out[strconv.FormatInt(int64(r.ID), 10)] = *r.Similar
		}
		return out
	}
	if n := counted(); n[ids[0]] != 1 || n[ids[1]] != 1 || n[ids[2]] != 0 {
		t.Errorf("%v of %v", n, ids)
	}
	if a := w.call(request{token: w.token["agent"], method: "POST", path: "/api/v1/tickets/" + ids[1] + "/actions/withdraw", body: map[string]any{"reason": "已经修好了，不用办了。"}, head: v1}); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	w.c.Advance(time.Second) // for so long counts are kept
	if n := counted(); n[ids[0]] != 0 {
		t.Errorf("a withdrawn ticket still counts: %v", n)
	}
}
