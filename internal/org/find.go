package org

import (
	"strings"
	"sync"
	"unicode"

	"hotline/internal/region"
	"hotline/internal/zh"
)

// FindByDuty lists the units that answer for a duty (or category) in a region,
// the most local first: town, county, city, province. Dispatch calls it for
// every request; it is at most five map reads.
func (t *Tree) FindByDuty(duty, regionCode string) []Unit {
	var out []Unit
	for _, r := range upwards(regionCode) {
		if r == "" {
			continue
		}
		for _, i := range t.duties[dutyKey{duty, r}] {
			out = append(out, t.units[i])
		}
	}
	return out
}

// upwards is the chain of codes from a region to the province. The 省直管 are
// their own city, which region.City knows.
func upwards(code string) [5]string {
	var c [5]string // village, town, county, city, province
	if len(code) >= 12 {
		c[0] = code[:12]
	}
	if len(code) >= 9 {
		c[1] = code[:9]
	}
	if len(code) < 6 {
		return c
	}
	c[2], c[3] = code[:6], region.City(code[:6])
	if c[3] == c[2] {
		c[2] = ""
	}
	c[4] = code[:2] + "0000"
	if c[4] == c[3] {
		c[3] = ""
	}
	return c
}

// Search finds units in force below within (0 = everywhere) by code, by a part
// of the name, or by the pinyin initials of the short name. Exact beginnings
// come first. It returns at most limit units.
func (t *Tree) Search(q string, within int64, limit int) []Unit {
	q = strings.ToLower(strings.TrimSpace(q))
	if limit <= 0 {
		return nil
	}
	latin := q != "" && strings.IndexFunc(q, func(r rune) bool { return r > 127 }) < 0
	var first, rest []Unit
	for i := range t.units {
		u := &t.units[i]
		if !u.Active || within != 0 && !t.Under(within, u.ID) {
			continue
		}
		starts, holds := false, q == ""
		if latin {
			ini, code := t.initials.of(u.Short), strings.ToLower(u.Code)
			starts = strings.HasPrefix(ini, q) || strings.HasPrefix(code, q)
			holds = strings.Contains(ini, q) || strings.Contains(code, q)
		}
		if !holds && !starts && q != "" {
			starts = strings.HasPrefix(u.Short, q) || strings.HasPrefix(u.Name, q)
			holds = strings.Contains(u.Name, q) || strings.Contains(u.Short, q)
		}
		switch {
		case starts:
			if first = append(first, *u); len(first) == limit {
				return first
			}
		case holds && len(rest) < limit:
			rest = append(rest, *u)
		}
	}
	first = append(first, rest...)
	return first[:min(limit, len(first))]
}

// ConflictSet is whom a report against accused must never reach: the unit, all
// below it, and any unit that goes by the same name or short name in the same
// city (an alias in the books is still the accused). Informant dispatch refuses
// these; cell accounts of these units are refused as well.
func (t *Tree) ConflictSet(accused int64) map[int64]bool {
	out := map[int64]bool{}
	if _, ok := t.byID[accused]; !ok {
		return out
	}
	type alias struct{ city, name string }
	names := map[alias]bool{}
	for i := range t.units {
		u := &t.units[i]
		if t.Under(accused, u.ID) {
			out[u.ID] = true
			names[alias{region.City(u.Region), plain(u.Name)}] = true
		}
	}
	for i := range t.units {
		u := &t.units[i]
		if names[alias{region.City(u.Region), plain(u.Name)}] {
			out[u.ID] = true
		}
	}
	return out
}

// plain is a name without what a typist may add to it.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return r
	}, zh.Normalize(name))
}

// initialsCache keeps the pinyin initials of names across trees, so that a
// change of one unit does not cost six thousand conversions.
type initialsCache struct{ m sync.Map }

func (c *initialsCache) of(name string) string {
	if v, ok := c.m.Load(name); ok {
		return v.(string)
	}
	v := strings.ToLower(zh.Initials(name))
	c.m.Store(name, v)
	return v
}
