package policy

import (
	"fmt"
	"sync"
	"time"
)

// Cached gives a function that answers the parsed document in force. Each
// version is parsed once. The kind must be registered: its default is parsed
// at once, and a default that does not parse is a defect of the build and
// panics at start. A published version that no longer parses (it was validated
// by another release) yields to the province's, then to the default, never to
// a zero value.
func Cached[T any](s *Store, kind string, parse func([]byte) (T, error)) func(platform int64, t time.Time) (T, Version) {
	dflt, ok := (*s.reg.Load())[kind]
	if !ok {
		panic("policy: Cached before Register: " + kind)
	}
	fallback, err := parse(dflt.doc)
	if err != nil {
		panic(fmt.Sprintf("policy: embedded default of %s: %v", kind, err))
	}
	type parsed struct {
		val T
		err error
	}
	var cache sync.Map // version id → parsed
	get := func(e entry) (T, bool) {
		if e.v.ID == 0 {
			return fallback, true
		}
		if p, ok := cache.Load(e.v.ID); ok {
			return p.(parsed).val, p.(parsed).err == nil
		}
		val, err := parse(e.doc)
		cache.Store(e.v.ID, parsed{val, err})
		return val, err == nil
	}
	return func(platform int64, t time.Time) (T, Version) {
		for _, p := range [...]int64{platform, Province} {
			e := s.at(kind, p, t)
			if val, ok := get(e); ok {
				return val, e.v
			}
		}
		return fallback, dflt.v
	}
}

// CachedByID is Cached for a pinned version: the ticket stays on the version
// it began under. An unknown id is an error.
func CachedByID[T any](s *Store, kind string, parse func([]byte) (T, error)) func(id int64) (T, error) {
	var cache sync.Map
	return func(id int64) (T, error) {
		if v, ok := cache.Load(id); ok {
			return v.(T), nil
		}
		var zero T
		_, doc, err := s.ByID(kind, id)
		if err != nil {
			return zero, err
		}
		val, err := parse(doc)
		if err != nil {
			return zero, fmt.Errorf("policy: %s version %d: %w", kind, id, err)
		}
		cache.Store(id, val)
		return val, nil
	}
}
