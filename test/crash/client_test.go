package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// client is a person at a browser: it repeats a request that got no answer,
// with the same Idempotency-Key, until the platform answers.
type client struct {
	t       *testing.T
	base    string
	token   string
	http    *http.Client
	retries *atomic.Int64
}

// from binds connections to an address of their own: the public door counts
// requests by address.
func (s *server) from(ip string) *client {
	d := &net.Dialer{Timeout: 2 * time.Second}
	if ip != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip)}
	}
	return &client{t: s.t, base: "http://" + s.addr, retries: &atomic.Int64{},
		http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 16}}}
}

type answer struct {
	status int
	body   []byte
	code   string // of a problem
	detail string
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// once sends a request one time; err tells that no answer came.
func (c *client) once(method, path string, body any, head map[string]string) (answer, error) {
	var r io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case form:
		r, kind = bytes.NewReader(b.body), b.kind
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.base+path, r)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", kind)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, body: raw}
	if a.status >= 400 {
		var p struct{ Code, Detail string }
		_ = json.Unmarshal(raw, &p)
		a.code, a.detail = p.Code, p.Detail
	}
	return a, nil
}

type form struct {
	body []byte
	kind string
}

// send repeats until an answer comes that is not "unavailable".
func (c *client) send(method, path string, body any, head map[string]string) answer {
	c.t.Helper()
	var last string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		a, err := c.once(method, path, body, head)
		switch {
		case err != nil:
			last = err.Error()
		case a.status == http.StatusServiceUnavailable:
			last = string(a.body)
		default:
			return a
		}
		c.retries.Add(1)
	}
	c.t.Errorf("%s %s: no answer in a minute: %s", method, path, last)
	return answer{}
}

// ok sends and demands success.
func (c *client) ok(method, path string, body any, head map[string]string) answer {
	c.t.Helper()
	a := c.send(method, path, body, head)
	if a.status == 0 || a.status >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

// ticket is the state of a ticket as the last answer told it.
type ticket struct {
	ID        string `json:"id"`
	Number    string `json:"number"`
	QueryCode string `json:"query_code"`
	Version   int64  `json:"version"`
	Status    string `json:"status"`
	Message   string `json:"message"`
}

// act takes a step as of a version (0 = a free step).
func (c *client) act(id string, version int64, key, name string, fields map[string]any) answer {
	c.t.Helper()
	head := map[string]string{"Idempotency-Key": key}
	if version > 0 {
		head["If-Match"] = strconv.FormatInt(version, 10)
	}
	if fields == nil {
		fields = map[string]any{}
	}
	return c.send(http.MethodPost, "/api/v1/tickets/"+id+"/actions/"+name, fields, head)
}

// login enters with the first password and changes it, as the policy demands.
func (s *server) login(username, password string) *client {
	s.t.Helper()
	c := s.from("")
	var in struct {
		Token      string
		MustChange bool `json:"must_change"`
	}
	c.ok(http.MethodPost, "/api/v1/login", map[string]any{"username": username, "password": password}, nil).into(s.t, &in)
	c.token = in.Token
	if !in.MustChange {
		s.t.Errorf("%s need not change the first password", username)
	}
	next := "Cs9#" + password[2:]
	c.ok(http.MethodPost, "/api/v1/me/password", map[string]any{"old": password, "new": next}, nil)
	return c
}

// staff are the people of a city that take a request through its loop.
type staff map[string]*client

var posts = []struct{ name, role, unit string }{
	{"seat", "agent", "P420100"}, {"desk", "dispatcher", "P420100"}, {"desk2", "dispatcher", "P420100"}, {"handler", "handler", dept}, {"lead", "unit_lead", dept}, {"caller", "callback", "P420100"},
}

const dept = "D420100-chengguan"

// open founds an installation, hires its people and lets them in. The first
// account is made while the server runs, the others while it does not.
func (s *server) open() staff {
	s.t.Helper()
	s.start()
	passwords := map[string]string{}
	for i, p := range posts {
		passwords[p.name] = s.hire(p.name, p.role, p.unit)
		if i == 0 {
			s.stop()
		}
	}
	s.start()
	out := staff{}
	for _, p := range posts {
		out[p.name] = s.login(p.name, passwords[p.name])
	}
	return out
}

// unit finds the id of the 城管 unit of the code.
func (s staff) unit(code string) string {
	c := s["desk"]
	var list struct {
		Items []struct{ ID, Code string }
	}
	c.ok(http.MethodGet, "/api/v1/units?duty=chengguan", nil, nil).into(c.t, &list)
	for _, u := range list.Items {
		if u.Code == code {
			return u.ID
		}
	}
	c.t.Fatalf("no unit %s in %v", code, list)
	return ""
}

func intakeBody(n int) map[string]any {
	return map[string]any{"type": "投诉", "title": "夜间施工噪声扰民", "content": fmt.Sprintf("小区北侧工地连续三晚施工到凌晨，要求核查。第%d件。", n), "region": "420111", "name": "李小明", "phone": "13800002671"}
}

func staffBody(n int) map[string]any {
	return map[string]any{"way": "dispatch", "type": "投诉", "category": "040101", "title": "夜间施工噪声扰民", "content": fmt.Sprintf("小区北侧工地连续三晚施工到凌晨，要求核查。第%d件。", n),
		"region": "420111", "channel": "phone", "requester": map[string]any{"kind": "个人", "name": "李小明", "phone": "13800002671"}}
}

var (
	contacted = map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已电话联系诉求人，说明处理安排。"}
	replied   = map[string]any{"mode": "solved", "solved": "yes", "truth": "true", "reply_text": "经现场核查，已责令工地夜间停工并整改，感谢您的反映。"}
	passed    = map[string]any{"review_decision": "pass"}
	closing   = map[string]any{"close_decision": "pass"}
	happy     = map[string]any{"outcome": "reached", "citizen_solved": "yes", "satisfaction": "4"}
)
