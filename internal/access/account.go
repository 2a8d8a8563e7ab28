package access

import (
	"context"
	"regexp"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
)

// States of an account.
const (
	StatePending  = "pending"  // proposed, waits for the security administrator
	StateActive   = "active"   // 启用
	StateDisabled = "disabled" // 停用
)

// Account is one person's way in (账号). It is created by CreateAccount, gets
// another role only through ProposeGrant and DecideGrant, and is disabled, but
// never deleted: events name it.
type Account struct {
	ID         int64
	Username   string // lower case, unique
	Name       string
	Role       Role
	Unit       int64
	Region     string
	Skills     []string
	Contractor bool
	State      string
	PasswordAt time.Time // zero = no password: cannot log in with one
	MustChange bool
	TOTP       bool
	LoginAt    time.Time
	CreatedAt  time.Time
	Version    int64

	hash     string
	totpKey  []byte
	totp     []byte
	totpStep int64
}

// NewAccount is what an account is created from. Without a password nobody can
// log in with one. Person is the staff number or the like by which accounts of
// one person are held to one side of the separation of duties; empty = the
// username.
type NewAccount struct {
	Username, Name string
	Role           Role
	Unit           int64
	Region         string // empty = the unit's
	Skills         []string
	Contractor     bool
	Person         string
	Password       string
	MustChange     bool // the password was chosen by somebody else
}

const accountColumns = `id, username, name, role, unit, region, skills, contractor, state, password_hash, password_at, must_change,
totp_key, totp_secret, totp_on, totp_step, login_at, created_at, version`

func scanAccount(r db.Scanner) (Account, error) {
	var a Account
	var skills string
	var password, login, created int64
	err := r.Scan(&a.ID, &a.Username, &a.Name, &a.Role, &a.Unit, &a.Region, &skills, &a.Contractor, &a.State, &a.hash, &password, &a.MustChange,
		&a.totpKey, &a.totp, &a.TOTP, &a.totpStep, &login, &created, &a.Version)
	a.Skills = strings.FieldsFunc(skills, func(r rune) bool { return r == ',' })
	if a.hash != "" {
		a.PasswordAt = clock.FromMillis(password)
	}
	if login != 0 {
		a.LoginAt = clock.FromMillis(login)
	}
	a.CreatedAt = clock.FromMillis(created)
	return a, err
}

func (a *Account) actor() Actor {
	return Actor{Account: a.ID, Username: a.Username, Name: a.Name, Role: a.Role, Unit: a.Unit, Region: a.Region, Contractor: a.Contractor}
}

// needsChange tells whether the password must be changed before anything else.
func (a *Account) needsChange(r Rules, now time.Time) bool {
	if a.hash == "" {
		return false
	}
	return r.ForceFirst && a.MustChange || r.MaxAgeDays > 0 && now.Sub(a.PasswordAt) >= time.Duration(r.MaxAgeDays)*24*time.Hour
}

var usernameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,39}$`)

// Username is the form in which login names are kept and compared.
func Username(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// CreateAccount sets up an account. By the system it is active at once; by a
// system administrator it waits until a security administrator approves its
// role. It fails with invalid account_invalid or password_weak, conflict
// username_taken or admin_roles_exclusive, and forbidden outside the
// administrator's platform.
func (s *Service) CreateAccount(ctx context.Context, by Actor, n NewAccount) (Account, error) {
	out, err := s.CreateAccounts(ctx, by, []NewAccount{n})
	if err != nil {
		return Account{}, err
	}
	return out[0], nil
}

// CreateAccounts sets up many accounts, all or none. Passwords are hashed two
// at a time before the transaction begins.
func (s *Service) CreateAccounts(ctx context.Context, by Actor, list []NewAccount) ([]Account, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tree := s.org.Tree()
	hashes := make([]string, len(list))
	units := make([]org.Unit, len(list))
	for i := range list {
		n := &list[i]
		n.Username, n.Name = Username(n.Username), strings.TrimSpace(n.Name)
		var err error
		if units[i], err = s.checkNew(tree, by, n); err != nil {
			return nil, err
		}
	}
	if err := hashAll(ctx, list, hashes); err != nil {
		return nil, err
	}
	out := make([]Account, len(list))
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		for i := range list {
			a, err := s.insertAccount(tx, by, &list[i], units[i], hashes[i])
			if err != nil {
				return err
			}
			out[i] = a
		}
		e := entry(by, "account.create", out[0].ID)
		e.Count = len(out)
		return s.log.Record(tx, e)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkNew judges a new account and finds its unit.
func (s *Service) checkNew(tree *org.Tree, by Actor, n *NewAccount) (org.Unit, error) {
	invalid := func(field, detail string, args ...any) (org.Unit, error) {
		e := fault.Invalid("account_invalid", detail, args...)
		return org.Unit{}, e.At(fault.Field{Name: field, Detail: e.Detail})
	}
	u, ok := tree.Get(n.Unit)
	switch {
	case !usernameForm.MatchString(n.Username):
		return invalid("username", "登录名应为2至40个小写字母、数字、点、横线或下划线，以字母或数字开头。")
	case n.Name == "" || len([]rune(n.Name)) > 40:
		return invalid("name", "姓名应为1至40个字。")
	case !n.Role.Valid() || n.Role == Citizen:
		return invalid("role", "请选择角色。")
	case !ok || !u.Active:
		return invalid("unit", "所属单位不存在或已停用。")
	case len(n.Person) > 64 || strings.ContainsAny(strings.Join(n.Skills, ""), ", "):
		return invalid("skills", "人员编号或技能代码不符合要求。")
	case u.Kind == org.KindVendor && !n.Contractor:
		n.Contractor = true // everyone of a vendor is a contractor
	}
	if !s.mayAdminister(tree, by, n.Unit) {
		return org.Unit{}, errNotYours()
	}
	if n.Region == "" {
		n.Region = u.Region
		if len(n.Region) > 6 {
			n.Region = n.Region[:6]
		}
	}
	if n.Person == "" {
		n.Person = n.Username
	}
	if n.Password != "" {
		if err := s.Rules(n.Unit).judge(n.Username, n.Password); err != nil {
			return org.Unit{}, err
		}
	}
	return u, nil
}

// mayAdminister holds a system administrator to the platform it belongs to;
// the province's reaches all.
func (s *Service) mayAdminister(tree *org.Tree, by Actor, unit int64) bool {
	if by.System {
		return true
	}
	p := tree.Platform(by.Unit)
	return by.May(UserAdmin) && p.ID != 0 && tree.Under(p.ID, unit)
}

func errNotYours() error {
	return fault.Forbidden("account_outside_scope", "只能管理本平台及下级单位的账号。")
}

// hashAll fills hashes for those that have a password.
func hashAll(ctx context.Context, list []NewAccount, hashes []string) error {
	errs := make(chan error, cap(hashing))
	next := make(chan int)
	for range cap(hashing) {
		go func() {
			var first error
			for i := range next {
				h, err := HashPassword(ctx, list[i].Password)
				if hashes[i] = h; err != nil && first == nil {
					first = err
				}
			}
			errs <- first
		}()
	}
	for i := range list {
		if list[i].Password != "" {
			next <- i
		}
	}
	close(next)
	var first error
	for range cap(hashing) {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (s *Service) insertAccount(tx *db.Tx, by Actor, n *NewAccount, u org.Unit, hash string) (Account, error) {
	if err := holdToFamily(tx, n.Person, n.Role); err != nil {
		return Account{}, err
	}
	now := tx.NowMS()
	a := Account{ID: tx.NewID(), Username: n.Username, Name: n.Name, Role: n.Role, Unit: u.ID, Region: n.Region, Skills: n.Skills,
		Contractor: n.Contractor, State: StateActive, MustChange: n.MustChange, CreatedAt: tx.Now(), Version: 1, hash: hash}
	if !by.System {
		a.State = StatePending
	}
	var passwordAt int64
	if hash != "" {
		passwordAt, a.PasswordAt = now, tx.Now()
	}
	_, err := tx.Exec(`INSERT INTO account (id, username, name, role, unit, region, skills, contractor, state, person, password_hash, password_at,
must_change, totp_on, totp_step, login_at, created_at, created_by, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0, $14, $15, 1)`,
		a.ID, a.Username, a.Name, string(a.Role), a.Unit, a.Region, strings.Join(a.Skills, ","), flag(a.Contractor), a.State, n.Person, hash, passwordAt,
		flag(a.MustChange), now, by.Account)
	if db.IsUnique(err) {
		return Account{}, fault.Conflict("username_taken", "登录名“%s”已被使用，请换一个。", n.Username).Because(err)
	}
	if err != nil {
		return Account{}, err
	}
	if hash != "" {
		if err := keepPassword(tx, a.ID, hash); err != nil {
			return Account{}, err
		}
	}
	if !by.System {
		err = s.insertGrant(tx, by, &Grants{Account: a.ID, Role: a.Role, Unit: a.Unit, Region: a.Region, Reason: "新建账号"})
	}
	return a, err
}

// holdToFamily enters the person on one side of the separation of duties; the
// primary key of account_person makes two sides impossible.
func holdToFamily(tx *db.Tx, person string, role Role) error {
	if _, err := tx.Exec(`INSERT INTO account_person (person, family) VALUES ($1, $2) ON CONFLICT (person) DO NOTHING`, person, role.Family()); err != nil {
		return err
	}
	var family string
	if err := tx.QueryRow(`SELECT family FROM account_person WHERE person = $1`, person).Scan(&family); err != nil {
		return err
	}
	if family != role.Family() {
		return fault.Conflict("admin_roles_exclusive", "系统管理员、安全管理员、审计管理员相互排斥，且不得兼任业务角色，请另指定人员。")
	}
	return nil
}

// SamePerson tells whether two accounts belong to one person, who may hold an
// account of several roles on one side of the separation of duties.
func SamePerson(tx *db.Tx, a, b int64) (bool, error) {
	n, err := db.Int(tx, `SELECT count(*) FROM account x JOIN account y ON y.person = x.person WHERE x.id = $1 AND y.id = $2`, a, b)
	return n > 0, err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
