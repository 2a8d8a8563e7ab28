package workforce

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/seal"
	"hotline/internal/zh"
)

// Realm is the realm of the exchange's digest: a phone's secret is bound to it.
const Realm = "hotline"

// Handset is a SIP phone's account (话机): created by the administrator of a
// platform for one of its centres or sites, shown its password once, disabled
// and enabled, and given a new password; never deleted, since calls name it.
type Handset struct {
	ID       int64
	User     string // SIP user, unique in the exchange
	Platform int64
	Unit     int64  // centre or site where it stands
	Place    string // where in it: 3号席
	Account  int64  // the one person who may use it, 0 = anyone of the unit
	SRTP     bool   // its sound is encrypted (RFC 4568), or it is not called
	Enabled  bool
	By       int64
	At       int64 // created, ms
	Changed  int64 // password or state, ms
	dek      []byte
	ha1      seal.Field
}

// Credential is what the exchange's registrar needs of a phone.
type Credential struct {
	User, HA1 string
	SRTP      bool
}

const handsetColumns = `id, sip_user, platform, unit, place, account, dek, ha1, srtp, enabled, by_account, at, changed`

func scanHandset(sc db.Scanner) (h Handset, err error) {
	var srtp, enabled int64
	err = sc.Scan(&h.ID, &h.User, &h.Platform, &h.Unit, &h.Place, &h.Account, &h.dek, &h.ha1, &srtp, &enabled, &h.By, &h.At, &h.Changed)
	h.SRTP, h.Enabled = srtp == 1, enabled == 1
	return h, err
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

func ha1Place(id int64) string { return fmt.Sprintf("handset|%d|ha1", id) }

// secret makes a password that can be typed on a phone's keypad page: 20 letters
// and digits without those that look alike, 100 bits.
func secret() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	var b [20]byte
	var r [64]byte
	for n := 0; n < len(b); {
		rand.Read(r[:]) // never fails since Go 1.24
		for _, c := range r {
			if int(c) < 256/len(letters)*len(letters) && n < len(b) {
				b[n] = letters[int(c)%len(letters)]
				n++
			}
		}
	}
	return string(b[:])
}

// sealSecret gives h a new password and tells it, once.
func (s *Service) sealSecret(h *Handset) (string, error) {
	password := secret()
	sum := md5.Sum([]byte(h.User + ":" + Realm + ":" + password)) // what the digest of RFC 3261 is made of
	key, dek, err := s.ring.NewKey()
	if err != nil {
		return "", fmt.Errorf("workforce: key: %w", err)
	}
	h.dek, h.ha1 = dek, key.Seal(ha1Place(h.ID), hex.EncodeToString(sum[:]))
	return password, nil
}

// seatKinds are the units that have seats.
var seatKinds = []org.Kind{org.KindProvince, org.KindCity, org.KindCounty, org.KindSubcentre, org.KindSite}

// SeatUnits are the units under root that have seats, and so phones.
func (s *Service) SeatUnits(root int64) (out []org.Unit) {
	tree := s.org.Tree()
	for _, u := range tree.All() {
		if slices.Contains(seatKinds, u.Kind) && tree.Under(root, u.ID) {
			out = append(out, u)
		}
	}
	return out
}

// AddHandset creates a phone and gives its password, which is kept nowhere. It
// fails with invalid handset_user, handset_place, handset_unit and conflict
// handset_taken.
func (s *Service) AddHandset(ctx context.Context, by int64, h Handset) (Handset, string, error) {
	h.User, h.Place = strings.TrimSpace(h.User), strings.TrimSpace(h.Place)
	tree := s.org.Tree()
	u, known := tree.Get(h.Unit)
	switch {
	case len(h.User) < 3 || len(h.User) > 20 || strings.Trim(h.User, "0123456789") != "":
		return h, "", fault.Invalid("handset_user", "话机账号应为3至20位数字。").At(fault.Field{Name: "user", Detail: "应为3至20位数字。"})
	case zh.Len(h.Place) < 1 || zh.Len(h.Place) > 40:
		return h, "", fault.Invalid("handset_place", "安放位置应为1至40个字。").At(fault.Field{Name: "place", Detail: "应为1至40个字。"})
	case !known || !slices.Contains(seatKinds, u.Kind):
		return h, "", fault.Invalid("handset_unit", "话机应安放在热线中心、分中心、县级承办中心或远程座席点。").At(fault.Field{Name: "unit", Detail: "请选择有座席的单位。"})
	}
	h.Platform = tree.Platform(h.Unit).ID
	var password string
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		n, err := db.Int(tx, `SELECT count(*) FROM handset WHERE sip_user = $1`, h.User)
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Conflict("handset_taken", "话机账号%s已被使用，请换一个。", h.User).At(fault.Field{Name: "user", Detail: "已被使用。"})
		}
		h.ID, h.Enabled, h.By, h.At = tx.NewID(), true, by, tx.NowMS()
		h.Changed = h.At
		if password, err = s.sealSecret(&h); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO handset (`+handsetColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1,$10,$11,$12)`,
			h.ID, h.User, h.Platform, h.Unit, h.Place, h.Account, h.dek, h.ha1, flag(h.SRTP), h.By, h.At, h.Changed)
		return err
	})
	return h, password, err
}

func errNoHandset() error {
	return fault.NotFound("handset_absent", "没有这部话机，或它不在您的管理范围内。")
}

// Handsets lists the phones of the units under root, 0 = all, by SIP user.
func (s *Service) Handsets(ctx context.Context, root int64) (out []Handset, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		all, err := db.All(tx, scanHandset, `SELECT `+handsetColumns+` FROM handset ORDER BY length(sip_user), sip_user`)
		out = all[:0]
		for _, h := range all {
			if root == 0 || s.org.Tree().Under(root, h.Unit) {
				out = append(out, h)
			}
		}
		return err
	})
	return out, err
}

// change does something to a phone of the units under root.
func (s *Service) change(ctx context.Context, root, id int64, fn func(h *Handset) error) (h Handset, err error) {
	err = s.d.Update(ctx, func(tx *db.Tx) error {
		h, err = db.One(tx, scanHandset, `SELECT `+handsetColumns+` FROM handset WHERE id = $1`, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !s.org.Tree().Under(root, h.Unit) {
			return errNoHandset()
		}
		if err != nil {
			return err
		}
		if err = fn(&h); err != nil {
			return err
		}
		h.Changed = tx.NowMS()
		_, err = tx.Exec(`UPDATE handset SET dek = $1, ha1 = $2, enabled = $3, changed = $4 WHERE id = $5`, h.dek, h.ha1, flag(h.Enabled), h.Changed, h.ID)
		return err
	})
	return h, err
}

// ResetHandset gives a phone a new password; the old one ends at once.
func (s *Service) ResetHandset(ctx context.Context, root, id int64) (h Handset, password string, err error) {
	h, err = s.change(ctx, root, id, func(h *Handset) (err error) { password, err = s.sealSecret(h); return err })
	return h, password, err
}

// EnableHandset lets a phone register, or no longer.
func (s *Service) EnableHandset(ctx context.Context, root, id int64, on bool) (Handset, error) {
	return s.change(ctx, root, id, func(h *Handset) error { h.Enabled = on; return nil })
}

// Credentials are those of all enabled phones, for the exchange alone.
func (s *Service) Credentials(ctx context.Context) (out []Credential, err error) {
	all, err := s.Handsets(ctx, 0)
	for _, h := range all {
		if !h.Enabled {
			continue
		}
		key, err := s.ring.OpenKey(h.dek)
		if err != nil {
			return nil, fmt.Errorf("workforce: handset %d: %w", h.ID, err)
		}
		ha1, err := key.Open(ha1Place(h.ID), h.ha1)
		if err != nil {
			return nil, fmt.Errorf("workforce: handset %d: %w", h.ID, err)
		}
		out = append(out, Credential{h.User, ha1, h.SRTP})
	}
	return out, err
}

// fits tells whether a person may sit at a phone: his own, or one of his unit
// that is nobody's.
func fits(h *Handset, a access.Actor) bool {
	return h.Enabled && h.Unit == a.Unit && (h.Account == 0 || h.Account == a.Account)
}

// Usable lists the phones at which a person may answer.
func (s *Service) Usable(ctx context.Context, a access.Actor) (out []Handset, err error) {
	all, err := s.Handsets(ctx, a.Unit)
	for i := range all {
		if fits(&all[i], a) {
			out = append(out, all[i])
		}
	}
	return out, err
}

func (s *Service) usable(tx *db.Tx, a access.Actor, user string) (Handset, error) {
	h, err := db.One(tx, scanHandset, `SELECT `+handsetColumns+` FROM handset WHERE sip_user = $1`, user)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !fits(&h, a) {
		return h, fault.NotFound("handset_absent", "没有可供您使用的话机%s，请联系系统管理员。", zh.Truncate(user, 20))
	}
	return h, err
}
