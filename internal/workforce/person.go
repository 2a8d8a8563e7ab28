package workforce

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/seal"
)

// Events of the room; subjects are "account", "certificate" and "roster".
const (
	EventCertified = "staff.certified"
	EventRevoked   = "staff.revoked"
	EventPublished = "roster.published"
	EventSwap      = "roster.swap"
)

// Service keeps people's shifts and skills. Built once by app.
type Service struct {
	d    *db.DB
	org  *org.Service
	log  *eventlog.Log
	ring *seal.Ring
}

// New builds the service; the ring seals the secrets of SIP phones.
func New(d *db.DB, log *eventlog.Log, o *org.Service, ring *seal.Ring) *Service {
	return &Service{d, o, log, ring}
}

// Person is what a seat can do.
type Person struct {
	Account int64
	No      string // 工号, spoken when a call is answered
	Phone   string // user of a SIP phone, "" = the browser
	Skills  map[string]int
	Remote  bool // 县级远程座席
}

// firstNo is where staff numbers begin: four digits are spoken.
const firstNo = 1001

// Person reads what an account can do, giving it a staff number when it has
// none. Skills come from certificates in force, and from the unit: people of a
// sub-centre serve its line.
func (s *Service) Person(ctx context.Context, a access.Actor) (Person, error) {
	tree := s.org.Tree()
	u, ok := tree.Get(a.Unit)
	if !ok {
		return Person{}, fault.Invalid("unit_unknown", "所在单位不存在。")
	}
	p := Person{Account: a.Account, Skills: map[string]int{"lang:zh": 90, "seat:" + fmt.Sprint(a.Account): 100}, Remote: u.Kind == org.KindSite}
	if u.Kind == org.KindSubcentre {
		if i := strings.LastIndexByte(u.Code, '-'); i > 0 {
			p.Skills["line:"+u.Code[i+1:]] = 100
		}
	}
	if a.Role == access.ShiftLead {
		p.Skills["role:lead"] = 100
	}
	platform := tree.Platform(a.Unit).ID
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		var no int64
		err := tx.QueryRow(`SELECT no, phone FROM staff_person WHERE account = $1`, a.Account).Scan(&no, &p.Phone)
		if errors.Is(err, sql.ErrNoRows) {
			if no, err = db.Int(tx, `SELECT COALESCE(MAX(no), CAST($2 AS BIGINT) - 1) + 1 FROM staff_person WHERE platform = $1`, platform, firstNo); err != nil {
				return err
			}
			_, err = tx.Exec(`INSERT INTO staff_person (account, platform, no, phone) VALUES ($1,$2,$3,'')`, a.Account, platform, no)
		}
		if err != nil {
			return err
		}
		p.No = fmt.Sprint(no)
		if p.Phone != "" {
			if _, err := s.usable(tx, a, p.Phone); err != nil { // taken away meanwhile
				p.Phone = ""
			}
		}
		certs, err := s.valid(tx, a.Account)
		for _, c := range certs {
			p.Skills[c.Skill] = max(p.Skills[c.Skill], c.Level)
		}
		return err
	})
	return p, err
}

// ByNo finds who has a staff number (工号) at a platform, 0 = nobody.
func (s *Service) ByNo(ctx context.Context, platform int64, no string) (account int64, err error) {
	n, err := strconv.ParseInt(no, 10, 64)
	if err != nil {
		return 0, nil // no number of ours
	}
	err = s.d.View(ctx, func(tx *db.Tx) error {
		account, err = db.Int(tx, `SELECT account FROM staff_person WHERE platform = $1 AND no = $2`, platform, n)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	return account, err
}

// SetPhone has a seat answer at a SIP phone; "" = in the browser again. The
// phone must be one that Usable gives, else it fails with handset_absent.
func (s *Service) SetPhone(ctx context.Context, a access.Actor, phone string) error {
	account := a.Account
	return s.d.Update(ctx, func(tx *db.Tx) error {
		if phone != "" {
			if _, err := s.usable(tx, a, phone); err != nil {
				return err
			}
		}
		n, err := tx.Exec(`UPDATE staff_person SET phone = $1 WHERE account = $2`, phone, account)
		if err == nil && n == 0 {
			return fault.NotFound("person_absent", "该账号还没有工号，请先登录一次座席。")
		}
		return err
	})
}

// Certificate opens a skill for a person until a day (上岗证书).
type Certificate struct {
	ID, Account int64
	Skill       string
	Level       int
	Document    string // number of the certificate
	Expires     int64
	Revoked     int64
	By, At      int64
}

const certColumns = `id, account, skill, level, document, expires, revoked, by_account, at`

func scanCert(sc db.Scanner) (c Certificate, err error) {
	return c, sc.Scan(&c.ID, &c.Account, &c.Skill, &c.Level, &c.Document, &c.Expires, &c.Revoked, &c.By, &c.At)
}

func (s *Service) valid(tx *db.Tx, account int64) ([]Certificate, error) {
	return db.All(tx, scanCert, `SELECT `+certColumns+` FROM staff_certificate WHERE account = $1 AND revoked = 0 AND expires > $2`, account, tx.NowMS())
}

// Certificates lists a person's certificates, newest first.
func (s *Service) Certificates(ctx context.Context, account int64) (out []Certificate, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanCert, `SELECT `+certColumns+` FROM staff_certificate WHERE account = $1 ORDER BY id DESC`, account)
		return err
	})
	return out, err
}

// skillKinds begin the names of skills that a certificate may open.
var skillKinds = []string{"line:", "lang:", "dialect:", "biz:"}

// Certify opens a skill. It fails with invalid skill_unknown, level_invalid,
// certificate_expired.
func (s *Service) Certify(ctx context.Context, by int64, c Certificate) (Certificate, error) {
	ok := false
	for _, k := range skillKinds {
		ok = ok || strings.HasPrefix(c.Skill, k) && len(c.Skill) > len(k) && len(c.Skill) < 60
	}
	switch {
	case !ok:
		return c, fault.Invalid("skill_unknown", "技能应为线路、语言、方言或业务，如 line:12333、lang:en、dialect:恩施话、biz:涉企。").At(fault.Field{Name: "skill", Detail: "请选择技能。"})
	case c.Level < 1 || c.Level > 100:
		return c, fault.Invalid("level_invalid", "技能等级应为1至100。").At(fault.Field{Name: "level", Detail: "应为1至100。"})
	case c.Expires <= clock.Millis(s.d.Clock().Now()):
		return c, fault.Invalid("certificate_expired", "有效期应晚于今天。").At(fault.Field{Name: "expires", Detail: "请选择以后的日期。"})
	}
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		c.ID, c.By, c.At, c.Revoked = tx.NewID(), by, tx.NowMS(), 0
		_, err := tx.Exec(`INSERT INTO staff_certificate (`+certColumns+`) VALUES ($1,$2,$3,$4,$5,$6,0,$7,$8)`, c.ID, c.Account, c.Skill, c.Level, c.Document, c.Expires, c.By, c.At)
		if err != nil {
			return err
		}
		return s.tell(tx, EventCertified, "account", c.Account, by, 0, fmt.Sprintf(`{"skill":%q,"level":%d}`, c.Skill, c.Level))
	})
	return c, err
}

// Revoke ends a certificate; the skill closes at the next sign-on of the seat.
func (s *Service) Revoke(ctx context.Context, by, id int64) error {
	return s.d.Update(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE staff_certificate SET revoked = $1 WHERE id = $2 AND revoked = 0`, tx.NowMS(), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("certificate_absent", "没有这份证书，或它已撤销。")
		}
		return s.tell(tx, EventRevoked, "certificate", id, by, 0, "{}")
	})
}

func (s *Service) tell(tx *db.Tx, kind, subject string, id, actor, unit int64, data string) error {
	_, err := s.log.Append(tx, eventlog.Event{Kind: kind, SubjectKind: subject, SubjectID: id, Actor: actor, Unit: unit, Data: data})
	return err
}

// CertificateOf is the person of a certificate.
func (s *Service) CertificateOf(ctx context.Context, id int64) (account int64, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		account, err = db.Int(tx, `SELECT account FROM staff_certificate WHERE id = $1`, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.NotFound("certificate_absent", "没有这份证书，或它已撤销。")
	}
	return account, err
}
