package crash

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// An installation from nothing, by its command line and over HTTP alone.
func TestOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.open()
		s.oneKeyOneEffect(t, p)
		s.twoPeopleOneVersion(t, p)
		s.loop(t, p)

		// A second process on the same directory is refused in one line.
		out, err := exec.Command(binary, append([]string{"serve", "--addr", "127.0.0.1:0"}, s.where()...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "正被另一个 hotline 进程使用") {
			t.Errorf("a second server: %v %s", err, out)
		}
		s.stop()
		s.intact()
		if said := s.log.String(); strings.Contains(said, "level=ERROR") {
			t.Errorf("the server complains of what is in order:\n%s", said)
		}
	})
}

// loop takes a request from the call to the citizen's verdict by the people
// who take part in it: 受理 派单 签收 联系 答复 审核 办结 回访 评价.
func (s *server) loop(t *testing.T, p staff) {
	unit := p.unit(dept)
	var tk ticket
	seat := p["seat"]
	hold := staffBody(1)
	hold["way"] = "hold"
	seat.ok(http.MethodPost, "/api/v1/tickets", hold, nil).into(t, &tk)
	receipt := tk
	step := func(who, name string, fields map[string]any) {
		t.Helper()
		a := p[who].act(tk.ID, tk.Version, "", name, fields)
		if a.status != http.StatusOK {
			t.Fatalf("%s by %s: %d %s", name, who, a.status, a.body)
		}
		a.into(t, &tk)
	}
	step("seat", "accept", nil)
	step("desk", "dispatch", map[string]any{"unit": unit})
	step("handler", "sign", nil)
	step("handler", "contact", contacted)
	step("handler", "reply", replied)
	step("lead", "review", passed)
	step("desk", "close", closing)
	step("caller", "callback", happy)
	if tk.Status != "closed" {
		t.Errorf("after the callback: %s", tk.Status)
	}
	if got := s.evaluate(receipt); !strings.Contains(got, "谢谢您的评价") {
		t.Errorf("evaluate: %s", got)
	}
	var view ticket
	seat.ok(http.MethodGet, "/api/v1/tickets/"+tk.ID, nil, nil).into(t, &view)
	if view.Version != tk.Version+1 {
		t.Errorf("version %d after the evaluation of %d", view.Version, tk.Version)
	}
}

// evaluate opens the progress page with 单号 and 查询码 and gives four stars.
func (s *server) evaluate(tk ticket) string {
	s.t.Helper()
	jar, _ := cookiejar.New(nil)
	c := http.Client{Jar: jar}
	res, err := c.PostForm("http://"+s.addr+"/progress", url.Values{"number": {tk.Number}, "code": {tk.QueryCode}})
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	res, err = c.PostForm(res.Request.URL.String()+"/evaluate", url.Values{"score": {"4"}, "solved": {"yes"}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// oneKeyOneEffect: many copies of one request with one key have one effect and
// one answer, also at the same moment; another request under the key is refused.
func (s *server) oneKeyOneEffect(t *testing.T, p staff) {
	seat, desk := p["seat"], p["desk"]
	same := func(n int, send func() answer) answer {
		t.Helper()
		got := make([]answer, n)
		var all sync.WaitGroup
		for i := range got {
			all.Add(1)
			go func() { defer all.Done(); got[i] = send() }()
		}
		all.Wait()
		for _, a := range got[1:] {
			if a.status != got[0].status || string(a.body) != string(got[0].body) {
				t.Errorf("answers differ: %d %s and %d %s", got[0].status, got[0].body, a.status, a.body)
			}
		}
		return got[0]
	}
	for round := range 10 {
		key := map[string]string{"Idempotency-Key": fmt.Sprintf("表单-%d", round)}
		made := same(8, func() answer { return seat.send(http.MethodPost, "/api/v1/tickets", staffBody(round), key) })
		if made.status != http.StatusCreated {
			t.Fatalf("create: %d %s", made.status, made.body)
		}
		var tk ticket
		made.into(t, &tk)
		if a := seat.send(http.MethodPost, "/api/v1/tickets", staffBody(round+1000), key); a.status != 422 || a.code != "idempotency_mismatch" {
			t.Errorf("another body: %d %s", a.status, a.body)
		}
		noted := same(8, func() answer {
			return desk.act(tk.ID, 0, "note", "note", map[string]any{"text": fmt.Sprintf("已电话核对%d。", round)})
		})
		if round == 0 && noted.status != http.StatusOK || round > 0 && noted.status != 422 { // the key was used on the first ticket
			t.Errorf("note %d: %d %s", round, noted.status, noted.body)
		}
		same(8, func() answer {
			return desk.act(tk.ID, tk.Version, fmt.Sprint("d", round), "reclassify", map[string]any{"category": "040102", "reason": "按内容改类。"})
		})
	}
	var list struct {
		Items []struct{ ID string }
	}
	desk.ok(http.MethodGet, "/api/v1/tickets?queue=to_dispatch&limit=200", nil, nil).into(t, &list)
	if len(list.Items) != 10 {
		t.Errorf("%d tickets for 10 keys", len(list.Items))
	}
}

// twoPeopleOneVersion: one wins, the other learns who did what and when.
func (s *server) twoPeopleOneVersion(t *testing.T, p staff) {
	unit := p.unit(dept)
	for round := range 5 {
		var tk ticket
		p["seat"].ok(http.MethodPost, "/api/v1/tickets", staffBody(round), nil).into(t, &tk)
		got := map[string]answer{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, who := range []string{"desk", "desk2"} {
			all.Add(1)
			go func() {
				defer all.Done()
				a := p[who].act(tk.ID, tk.Version, "one-"+who+tk.ID, "dispatch", map[string]any{"unit": unit})
				mu.Lock()
				got[who] = a
				mu.Unlock()
			}()
		}
		all.Wait()
		lost := "desk"
		if got["desk"].status == http.StatusOK {
			lost = "desk2"
		}
		won := map[string]string{"desk": "desk2", "desk2": "desk"}[lost]
		a := got[lost]
		if got[won].status != http.StatusOK || a.status != http.StatusConflict {
			t.Fatalf("won %d %s, lost %d %s", got[won].status, got[won].body, a.status, a.body)
		}
		var moved struct {
			Data struct {
				Version int64
				Changed []struct{ At, Actor, Label string }
			}
		}
		if err := json.Unmarshal(a.body, &moved); err != nil {
			t.Fatal(err)
		}
		c := moved.Data.Changed
		if moved.Data.Version != tk.Version+1 || len(c) != 1 || c[0].Actor != "测试dispatcher" || c[0].Label != "派单" || !strings.HasSuffix(c[0].At, "+08:00") {
			t.Errorf("the loser learns %s", a.body)
		}
	}
}
