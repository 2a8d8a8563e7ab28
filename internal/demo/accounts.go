package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"hotline/internal/access"
	"hotline/internal/org"
)

// Login is one line of DATA/accounts.json: an account that can log in.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Role     string `json:"role"`
	Unit     string `json:"unit"`   // code of the unit
	Region   string `json:"region"` // 6 digits
}

// accountsFile is where the logins of the demonstration are written down.
const accountsFile = "accounts.json"

// crowdBatch is how many accounts one transaction makes.
const crowdBatch = 2000

// makePeople creates every account. The passwords take 47 ms of a core each,
// so they are hashed while the accounts without one are written.
func makePeople(ctx context.Context, a *access.Service, t *org.Tree, dir string, p *people, told func(done, total int)) error {
	system := access.System("演示")
	have, err := standing(ctx, a)
	if err != nil {
		return err
	}
	var named, rest []access.NewAccount
	var logins []Login
	var old []access.Account
	for _, n := range namedAccounts(t) {
		u, _ := t.Get(n.Unit)
		n.Password = newPassword()
		if acc, ok := have[n.Username]; ok { // a first start was broken off
			if n.Password, err = a.ResetPassword(ctx, system, acc.ID); err != nil {
				return err
			}
			old = append(old, acc)
		} else {
			named = append(named, n)
		}
		logins = append(logins, Login{n.Username, n.Password, string(n.Role), u.Code, u.Region[:6]})
	}
	p.keep(old)
	for _, n := range crowd(t) {
		if _, ok := have[n.Username]; !ok {
			rest = append(rest, n)
		}
	}
	var made []access.Account
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() { made, failed = a.CreateAccounts(ctx, system, named) })
	var others []access.Account
	for from := 0; from < len(rest); from += crowdBatch {
		batch, err := a.CreateAccounts(ctx, system, rest[from:min(from+crowdBatch, len(rest))])
		if err != nil {
			wg.Wait()
			return fmt.Errorf("demo: accounts: %w", err)
		}
		others = append(others, batch...)
		told(len(others), len(rest)+len(named))
	}
	wg.Wait()
	if failed != nil {
		return fmt.Errorf("demo: accounts: %w", failed)
	}
	p.keep(made) // first, so that they are the first of their posts
	p.keep(others)
	told(len(made)+len(others), len(rest)+len(named))
	return writeLogins(dir, logins)
}

// standing gives the accounts that are there already: none at a first start
// that was not broken off.
func standing(ctx context.Context, a *access.Service) (map[string]access.Account, error) {
	have := map[string]access.Account{}
	for cursor := ""; ; {
		page, next, err := a.Accounts(ctx, access.Filter{}, cursor, 500)
		if err != nil {
			return nil, err
		}
		for _, acc := range page {
			have[acc.Username] = acc
		}
		if cursor = next; next == "" {
			return have, nil
		}
	}
}

// writeLogins writes accounts.json at once, readable by the owner only.
func writeLogins(dir string, logins []Login) error {
	doc, err := json.MarshalIndent(logins, "", " ")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, accountsFile)
	if err := os.WriteFile(name+".new", append(doc, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// newPassword draws a password of letters and digits that cannot be confused.
func newPassword() string {
	const letters, digits = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ", "23456789"
	var raw [14]byte
	_, _ = rand.Read(raw[:]) // never fails
	for i, b := range raw {
		if i%4 == 3 {
			raw[i] = digits[int(b)%len(digits)]
		} else {
			raw[i] = letters[int(b)%len(letters)]
		}
	}
	return string(raw[:])
}
