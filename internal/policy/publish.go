package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Publication is a document to be put in force.
type Publication struct {
	Kind          string
	Platform      int64 // 0 = province-wide
	Doc           []byte
	EffectiveFrom time.Time // zero = now
	By            int64     // account; 0 = the system, which alone may date a version back (installation, seeds)
	Note          string
}

// maxDoc bounds a document; the largest real one is the dispatch catalogue.
const maxDoc = 8 << 20

// Publish validates the document and stores it as the next version, inside the
// caller's transaction. It is in force from EffectiveFrom once that commits.
//
// It fails with invalid policy_kind_unknown, policy_doc_invalid or
// policy_backdated, with whatever the kind's validator says, and with conflict
// policy_unchanged when the document equals the one then in force.
func (s *Store) Publish(tx *db.Tx, p Publication) (Version, error) {
	k, err := s.check(tx.Now(), &p)
	if err != nil {
		return Version{}, err
	}
	var parent []byte
	if p.Platform != Province {
		parent = s.at(p.Kind, Province, p.EffectiveFrom).doc
	}
	if k.Validate != nil {
		if err := k.Validate(p.Doc, parent); err != nil {
			return Version{}, err
		}
	}
	sum := digest(p.Doc)
	if e, ok := s.snap.Load().lines[lineKey{p.Kind, p.Platform}].at(p.EffectiveFrom); ok && e.v.Digest == sum {
		return Version{}, fault.Conflict("policy_unchanged", "内容与现行的第%d版完全相同，无需重复发布。", e.v.No)
	}
	// The counter row is locked by this update, so numbers are given in commit order.
	n, err := db.Int(tx, `UPDATE policy_change SET n = n + 1 WHERE one = 1 RETURNING n`)
	if err != nil {
		return Version{}, err
	}
	no, err := db.Int(tx, `SELECT COALESCE(MAX(no), 0) + 1 FROM policy_version WHERE kind = $1 AND platform = $2`, p.Kind, p.Platform)
	if err != nil {
		return Version{}, err
	}
	v := Version{
		ID: tx.NewID(), Kind: p.Kind, Platform: p.Platform, No: int(no),
		EffectiveFrom: clock.FromMillis(clock.Millis(p.EffectiveFrom)), PublishedBy: p.By,
		PublishedAt: clock.FromMillis(tx.NowMS()), Note: p.Note, Digest: sum,
	}
	_, err = tx.Exec(`INSERT INTO policy_version (id, kind, platform, no, effective_from, published_by, published_at, note, digest, doc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		v.ID, v.Kind, v.Platform, no, clock.Millis(v.EffectiveFrom), v.PublishedBy, tx.NowMS(), v.Note, v.Digest, string(p.Doc))
	if err != nil {
		return Version{}, err
	}
	doc := append([]byte(nil), p.Doc...)
	tx.AfterCommit(func() { s.published(entry{v, doc}, n) })
	return v, nil
}

// check judges the form of a publication and fills in its defaults.
func (s *Store) check(now time.Time, p *Publication) (Kind, error) {
	s.mu.Lock()
	k, ok := s.kinds[p.Kind]
	s.mu.Unlock()
	switch {
	case !ok:
		return k, unknownKind(p.Kind)
	case len(p.Doc) > maxDoc:
		return k, fault.Invalid("policy_doc_too_large", "规则内容不能超过8兆字节。")
	case !utf8.Valid(p.Doc) || !json.Valid(p.Doc):
		return k, fault.Invalid("policy_doc_invalid", "规则内容不是有效的数据格式，请检查后重新提交。")
	case utf8.RuneCountInString(p.Note) > 500:
		return k, fault.Invalid("policy_note_too_long", "发布说明不能超过500字。")
	}
	if p.EffectiveFrom.IsZero() {
		p.EffectiveFrom = now
	}
	// A minute of grace covers the time between filling the form and sending it.
	if p.By != 0 && p.EffectiveFrom.Before(now.Add(-time.Minute)) {
		return k, fault.Invalid("policy_backdated", "生效时间不能早于现在，已发生的业务按当时的规则执行。").
			At(fault.Field{Name: "effective_from", Detail: "请选择现在或以后的时间。"})
	}
	return k, nil
}

// published puts a committed version into memory. The counter is moved only
// when nothing was missed in between; otherwise the next Refresh loads all.
func (s *Store) published(e entry, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert([]entry{e})
	if n == s.seen+1 {
		s.seen = n
	}
}

// Loosened lists the platforms' versions that the province's document in force
// at t no longer allows: a stricter provincial version does not undo them, it
// makes them visible so that they are published anew.
func (s *Store) Loosened(kind string, t time.Time) []Version {
	s.mu.Lock()
	k := s.kinds[kind]
	s.mu.Unlock()
	if k.Validate == nil {
		return nil
	}
	parent := s.at(kind, Province, t).doc
	var out []Version
	for key, l := range s.snap.Load().lines {
		if key.kind != kind || key.platform == Province {
			continue
		}
		if e, ok := l.at(t); ok && k.Validate(e.doc, parent) != nil {
			out = append(out, e.v)
		}
	}
	sortVersions(out)
	return out
}

// Differences lists, in Chinese, how a platform's document in force at t
// differs from the province's; empty when it follows the province.
func (s *Store) Differences(kind string, platform int64, t time.Time) []string {
	return s.Compare(kind, s.at(kind, Province, t).doc, s.at(kind, platform, t).doc)
}

// Compare lists, in Chinese, what changes from old to new.
func (s *Store) Compare(kind string, old, new []byte) []string {
	s.mu.Lock()
	k := s.kinds[kind]
	s.mu.Unlock()
	if k.Diff != nil {
		return k.Diff(old, new)
	}
	return diffJSON(old, new)
}

func digest(doc []byte) string {
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}
