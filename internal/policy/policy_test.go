package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// sign is a toy kind: days to sign; a city may ask for fewer, never for more.
type sign struct{ Days int }

func parseSign(doc []byte) (sign, error) {
	var v sign
	return v, json.Unmarshal(doc, &v)
}

func signKind() Kind {
	return Kind{
		Label:   "签收时限",
		Default: func() []byte { return []byte(`{"Days":3}`) },
		Validate: func(doc, parent []byte) error {
			v, err := parseSign(doc)
			if err != nil || v.Days < 1 {
				return fault.Invalid("sign_days", "天数应为正整数。")
			}
			if parent != nil {
				if p, _ := parseSign(parent); v.Days > p.Days {
					return fault.Invalid("policy_loosened", "市级只能收紧，不能放宽：省级为%d天。", p.Days)
				}
			}
			return nil
		},
	}
}

func newStore(t *testing.T, d *db.DB) *Store {
	t.Helper()
	s := New(d)
	s.Register("sign", signKind())
	if err := s.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t *testing.T, d *db.DB, s *Store, p Publication) (v Version, err error) {
	t.Helper()
	p.Kind = "sign"
	err = d.Update(context.Background(), func(tx *db.Tx) error {
		v, err = s.Publish(tx, p)
		return err
	})
	return v, err
}

func days(s *Store, platform int64, at time.Time) (int, int64) {
	v, doc := s.At("sign", platform, at)
	x, _ := parseSign(doc)
	return x.Days, v.ID
}

func TestInForce(t *testing.T) {
	dbtest.Each(t, []db.Schema{Schema()}, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s := newStore(t, d)
		const wuhan = 420100
		start := c.Now()
		must := func(p Publication) Version {
			t.Helper()
			v, err := publish(t, d, s, p)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if n, id := days(s, wuhan, start); n != 3 || id != 0 {
			t.Fatalf("default: %d days, id %d", n, id)
		}
		must(Publication{Doc: []byte(`{"Days":2}`), By: 7, Note: "收紧"})
		later := must(Publication{Doc: []byte(`{"Days":4}`), By: 7, EffectiveFrom: start.Add(48 * time.Hour)})
		city := must(Publication{Doc: []byte(`{"Days":1}`), By: 8, Platform: wuhan, EffectiveFrom: start.Add(24 * time.Hour)})

		for _, tc := range []struct {
			name     string
			platform int64
			after    time.Duration
			want     int
		}{
			{"发布前按默认", Province, -time.Hour, 3},
			{"省级生效", Province, time.Hour, 2},
			{"市级未发布时随省", wuhan, time.Hour, 2},
			{"市级生效", wuhan, 25 * time.Hour, 1},
			{"其他市不受影响", 420200, 25 * time.Hour, 2},
			{"省级新版到期生效", 420200, 49 * time.Hour, 4},
		} {
			if got, _ := days(s, tc.platform, start.Add(tc.after)); got != tc.want {
				t.Errorf("%s: got %d days, want %d", tc.name, got, tc.want)
			}
		}
		if later.No != 2 || city.No != 1 {
			t.Errorf("numbers: province %d, city %d", later.No, city.No)
		}
		v, doc, err := s.ByID("sign", city.ID)
		if err != nil || v.ID != city.ID || string(doc) != `{"Days":1}` {
			t.Errorf("by id: %v %s %v", v, doc, err)
		}
		for _, tc := range []struct {
			name, want string
			v          Version
		}{
			{"省级首版接替内置", `{"Days":3}`, mustHistory(t, s)[1]},
			{"省级后一版接替前一版", `{"Days":2}`, later},
			{"市级首版接替当时省定的", `{"Days":2}`, city},
		} {
			if _, doc := s.Before(tc.v); string(doc) != tc.want {
				t.Errorf("%s: %s", tc.name, doc)
			}
		}
		hist, err := s.History(context.Background(), "sign", Province)
		if err != nil || len(hist) != 2 || hist[0].ID != later.ID {
			t.Errorf("history: %v %v", hist, err)
		}

		// Another process sees the same after it looks.
		other := newStore(t, d)
		if diff := cmp.Diff(hist, mustHistory(t, other), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Error(diff)
		}
		c.Advance(72 * time.Hour)
		must(Publication{Doc: []byte(`{"Days":5}`), By: 7})
		if err := other.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got, _ := days(other, Province, c.Now()); got != 5 {
			t.Errorf("other process: %d days", got)
		}
	})
}

func mustHistory(t *testing.T, s *Store) []Version {
	t.Helper()
	h, err := s.History(context.Background(), "sign", Province)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRefusals(t *testing.T) {
	dbtest.Each(t, []db.Schema{Schema()}, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s := newStore(t, d)
		if _, err := publish(t, d, s, Publication{Doc: []byte(`{"Days":2}`), By: 7}); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name, code string
			p          Publication
		}{
			{"市级放宽", "policy_loosened", Publication{Doc: []byte(`{"Days":9}`), Platform: 1, By: 7}},
			{"内容未变", "policy_unchanged", Publication{Doc: []byte(`{"Days":2}`), By: 7}},
			{"倒签", "policy_backdated", Publication{Doc: []byte(`{"Days":1}`), By: 7, EffectiveFrom: c.Now().Add(-time.Hour)}},
			{"不是数据", "policy_doc_invalid", Publication{Doc: []byte(`天`), By: 7}},
			{"校验不过", "sign_days", Publication{Doc: []byte(`{"Days":0}`), By: 7}},
		} {
			if _, err := publish(t, d, s, tc.p); !fault.Is(err, tc.code) {
				t.Errorf("%s: got %v, want %s", tc.name, err, tc.code)
			}
		}
		if _, err := publish(t, d, s, Publication{Doc: []byte(`{"Days":1}`), EffectiveFrom: c.Now().Add(-time.Hour)}); err != nil {
			t.Errorf("the system may date back: %v", err)
		}
	})
}

func TestLoosenedByAStricterProvince(t *testing.T) {
	d, c := dbtest.SQLite(t, Schema())
	s := newStore(t, d)
	for _, p := range []Publication{
		{Doc: []byte(`{"Days":2}`), Platform: 42, By: 1},
		{Doc: []byte(`{"Days":1}`), By: 1},
	} {
		if _, err := publish(t, d, s, p); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Loosened("sign", c.Now())
	if len(got) != 1 || got[0].Platform != 42 {
		t.Fatalf("got %v", got)
	}
	if diff := cmp.Diff([]string{"Days：1 → 2"}, s.Differences("sign", 42, c.Now())); diff != "" {
		t.Error(diff)
	}
}

func TestCachedParsesOnce(t *testing.T) {
	d, c := dbtest.SQLite(t, Schema())
	s := newStore(t, d)
	parses := 0
	in := Cached(s, "sign", func(doc []byte) (sign, error) {
		parses++
		v, err := parseSign(doc)
		if err == nil && v.Days == 99 {
			err = fmt.Errorf("from another release")
		}
		return v, err
	})
	for range 5 {
		if v, ver := in(7, c.Now()); v.Days != 3 || ver.ID != 0 {
			t.Fatalf("default: %v %v", v, ver)
		}
	}
	v2, err := publish(t, d, s, Publication{Doc: []byte(`{"Days":2}`)})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if v, ver := in(7, c.Now()); v.Days != 2 || ver.ID != v2.ID {
			t.Fatalf("published: %v %v", v, ver)
		}
	}
	if parses != 2 {
		t.Errorf("parsed %d times", parses)
	}
	c.Advance(time.Second)
	if _, err := publish(t, d, s, Publication{Doc: []byte(`{"Days":99}`)}); err != nil {
		t.Fatal(err)
	}
	if v, ver := in(7, c.Now()); v.Days != 3 || ver.ID != 0 {
		t.Errorf("a version that does not parse yields: %v %v", v, ver)
	}
	pinned := CachedByID(s, "sign", parseSign)
	if v, err := pinned(v2.ID); err != nil || v.Days != 2 {
		t.Errorf("pinned: %v %v", v, err)
	}
}

func TestDiffJSON(t *testing.T) {
	old := `{"limits":[{"code":"a","n":5,"unit":"工作日"},{"code":"b","n":1}],"open":true}`
	new := `{"limits":[{"code":"b","n":1},{"code":"a","n":3,"unit":"工作日"},{"code":"c","n":2}],"open":false}`
	want := []string{"limits/a/n：5 → 3", `limits/c：新增 {"code":"c","n":2}`, "open：是 → 否"}
	if diff := cmp.Diff(want, diffJSON([]byte(old), []byte(new))); diff != "" {
		t.Error(diff)
	}
}
