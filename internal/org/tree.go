package org

import (
	"sort"
	"strconv"
	"time"

	"hotline/internal/clock"
	"hotline/internal/region"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Tree is the organisation at one moment; immutable, safe for all readers.
type Tree struct {
	at       int64
	next     int64 // the next moment at which it stops being true; 0 = none known
	units    []Unit
	byID     map[int64]int32
	byCode   map[string]int32
	children map[int64][]int32
	duties   map[dutyKey][]int32
	cities   map[string]int32 // 市州 code → its platform
	province int32            // -1 while nothing exists
	initials *initialsCache
}

// dutyKey finds who answers for a duty in exactly one region.
type dutyKey struct{ duty, region string }

// buildTree makes the tree of the moment at (ms) out of all rows.
func buildTree(rows map[rowKey]row, at int64, ini *initialsCache) *Tree {
	t := &Tree{
		at: at, byID: make(map[int64]int32, len(rows)), byCode: make(map[string]int32, len(rows)),
		children: make(map[int64][]int32), duties: make(map[dutyKey][]int32), cities: make(map[string]int32),
		province: -1, initials: ini,
	}
	soon := func(ms int64) {
		if ms > at && (t.next == 0 || ms < t.next) {
			t.next = ms
		}
	}
	t.units = make([]Unit, 0, len(rows))
	closed := map[int64]row{} // newest ended row of units that are not in force
	for _, r := range rows {
		soon(r.from)
		soon(r.to)
		switch {
		case r.from > at:
		case r.to == 0 || r.to > at:
			t.units = append(t.units, r.unit(true))
		default:
			if old, ok := closed[r.id]; !ok || r.from > old.from {
				closed[r.id] = r
			}
		}
	}
	sort.Slice(t.units, func(i, j int) bool { return less(&t.units[i], &t.units[j]) })
	for i := range t.units {
		t.byID[t.units[i].ID] = int32(i)
	}
	active := len(t.units)
	for id, r := range closed { // closed units stay readable by id: old tickets name them
		if _, ok := t.byID[id]; !ok {
			t.byID[id] = int32(len(t.units))
			t.units = append(t.units, r.unit(false))
		}
	}
	for i := range t.units {
		u := &t.units[i]
		u.Path = t.path(u)
		u.Platform = t.platformOf(u)
		if i >= active {
			if _, ok := t.byCode[u.Code]; !ok {
				t.byCode[u.Code] = int32(i)
			}
			continue
		}
		t.index(u, int32(i))
	}
	return t
}

// Holds tells whether the tree is also the organisation at another moment.
func (t *Tree) Holds(at time.Time) bool {
	ms := clock.Millis(at)
	return ms >= t.at && (t.next == 0 || ms < t.next)
}

// index enters a unit in force into the look-ups.
func (t *Tree) index(u *Unit, i int32) {
	t.byCode[u.Code] = i
	if u.Parent != 0 {
		t.children[u.Parent] = append(t.children[u.Parent], i)
	}
	switch u.Kind {
	case KindProvince:
		t.province = i
	case KindCity:
		t.cities[u.Region] = i
	}
	if !u.Kind.Handles() {
		return
	}
	seen := map[string]bool{}
	for k := -1; k < len(u.Duties); k++ {
		d := u.Duty
		if k >= 0 {
			d = u.Duties[k]
		}
		if d != "" && !seen[d] {
			seen[d] = true
			key := dutyKey{d, u.Region}
			t.duties[key] = append(t.duties[key], i)
		}
	}
}

func (r *row) unit(active bool) Unit {
	return Unit{ID: r.id, Code: r.code, Name: r.name, Short: r.short, Kind: r.kind, Parent: r.parent, Region: r.region,
		Duty: r.duty, Duties: r.duties, Responsibilities: r.responsibilities, Phone: r.phone, Contact: r.contact,
		From: r.from, To: r.to, Active: active, Version: r.rev}
}

// less orders units as government lists do: by level, region, then code.
func less(a, b *Unit) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	if a.Region != b.Region {
		return a.Region < b.Region
	}
	return a.Code < b.Code
}

func rank(u *Unit) int {
	switch u.Kind {
	case KindProvince:
		return 0
	case KindCity:
		return 1
	case KindCounty, KindCountyPlatform:
		return 2
	case KindDepartment:
		return 3
	case KindCountyDepartment:
		return 4
	case KindTown:
		return 5
	case KindEnterprise:
		return 6
	case KindSubcentre:
		return 7
	case KindSite:
		return 8
	}
	return 9
}

const maxDepth = 12

func (t *Tree) path(u *Unit) []int64 {
	var up [maxDepth]int64
	n := 0
	for n < maxDepth {
		up[n] = u.ID
		n++
		i, ok := t.byID[u.Parent]
		if u.Parent == 0 || !ok {
			break
		}
		u = &t.units[i]
	}
	path := make([]int64, n)
	for i := range n {
		path[i] = up[n-1-i]
	}
	return path
}

func (t *Tree) platformOf(u *Unit) int64 {
	for i := len(u.Path) - 1; i >= 0; i-- {
		if j, ok := t.byID[u.Path[i]]; ok && t.units[j].Kind.Platform() {
			return u.Path[i]
		}
	}
	return 0
}

// Get finds a unit by id, also one that is closed by now (Active false).
func (t *Tree) Get(id int64) (Unit, bool) {
	i, ok := t.byID[id]
	if !ok {
		return Unit{}, false
	}
	return t.units[i], true
}

// ByCode finds a unit by its code.
func (t *Tree) ByCode(code string) (Unit, bool) {
	i, ok := t.byCode[code]
	if !ok {
		return Unit{}, false
	}
	return t.units[i], true
}

// Name is the unit's name, or "" if there is none of that id.
func (t *Tree) Name(id int64) string {
	if i, ok := t.byID[id]; ok {
		return t.units[i].Name
	}
	return ""
}

// Children lists the units directly below id that are in force.
func (t *Tree) Children(id int64) []Unit { return t.pick(t.children[id]) }

// Ancestors lists the units above id, nearest first.
func (t *Tree) Ancestors(id int64) []Unit {
	i, ok := t.byID[id]
	if !ok {
		return nil
	}
	path := t.units[i].Path
	out := make([]Unit, 0, len(path))
	for k := len(path) - 2; k >= 0; k-- {
		if u, ok := t.Get(path[k]); ok {
			out = append(out, u)
		}
	}
	return out
}

// Under tells whether id is ancestor itself or somewhere below it.
func (t *Tree) Under(ancestor, id int64) bool {
	i, ok := t.byID[id]
	if !ok {
		return false
	}
	for _, p := range t.units[i].Path {
		if p == ancestor {
			return true
		}
	}
	return false
}

// Platform is the platform that owns what is dispatched to id; the zero Unit
// if id is unknown.
func (t *Tree) Platform(id int64) Unit {
	i, ok := t.byID[id]
	if !ok {
		return Unit{}
	}
	u, _ := t.Get(t.units[i].Platform)
	return u
}

// Province is the province platform; the zero Unit while none exists.
func (t *Tree) Province() Unit {
	if t.province < 0 {
		return Unit{}
	}
	return t.units[t.province]
}

// CityPlatform finds the platform of the 市州 in which a region lies.
func (t *Tree) CityPlatform(regionCode string) (Unit, bool) {
	i, ok := t.cities[region.City(regionCode)]
	if !ok {
		return Unit{}, false
	}
	return t.units[i], true
}

// All lists every unit in force in the order of government lists.
func (t *Tree) All() []Unit {
	out := make([]Unit, 0, len(t.units))
	for i := range t.units {
		if t.units[i].Active {
			out = append(out, t.units[i])
		}
	}
	return out
}

// At is the moment the tree shows.
func (t *Tree) At() int64 { return t.at }

func (t *Tree) pick(idx []int32) []Unit {
	out := make([]Unit, len(idx))
	for k, i := range idx {
		out[k] = t.units[i]
	}
	return out
}
