package api

import "testing"

// A roster takes the people of one's own platform, and tells nothing of others.
func TestRosterTakesOwnPeopleOnly(t *testing.T) {
	w := newWorld(t)
	draft := func(name string) map[string]any {
		return map[string]any{"from": 20261201, "to": 20261201, "shifts": []map[string]any{{"account": ID(w.actor(name).Account), "from": "2026-12-01T08:00:00+08:00", "to": "2026-12-01T16:00:00+08:00"}}}
	}
	made := ok[RosterOut](w, "shift_lead", "POST", "/api/v1/rosters", draft("agent"))
	if len(made.Shifts) != 1 || made.Shifts[0].Name == "" || len(made.Gaps) != 2 {
		t.Errorf("%+v", made)
	}
	w.refused("account_unknown", "shift_lead", "POST", "/api/v1/rosters", draft("h-agent"))
	nobody := draft("agent")
	nobody["shifts"].([]map[string]any)[0]["account"] = "7"
	w.refused("account_unknown", "shift_lead", "POST", "/api/v1/rosters", nobody)
}
