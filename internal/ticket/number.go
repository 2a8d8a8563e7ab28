package ticket

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
)

// 单号: 市州2 + YYMMDD + 流水6 + one check digit (ISO 7064 MOD 11,10), spoken
// 4-4-4-3. Each process leases blocks of 流水 per prefix and day, so issuing
// touches no row and an offline node can go on.
const (
	blockSize = 200
	maxSerial = 999999
)

// CheckDigit is the ISO 7064 MOD 11,10 digit of a run of decimal digits.
func CheckDigit(digits string) byte {
	p := 10
	for i := 0; i < len(digits); i++ {
		s := (p + int(digits[i]-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return byte('0' + (11-p)%10)
}

// ValidNumber tells whether s has the form and check digit of a 单号.
func ValidNumber(s string) bool {
	if len(s) != 15 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return CheckDigit(s[:14]) == s[14]
}

// Spoken groups a 单号 as it is read aloud: 4-4-4-3.
func Spoken(number string) string {
	if len(number) != 15 {
		return number
	}
	return strings.Join([]string{number[:4], number[4:8], number[8:12], number[12:]}, " ")
}

type block struct{ next, end int64 }

// numbers issues 单号 from leased blocks.
type numbers struct {
	db *db.DB
	mu sync.Mutex
	by map[string]*block
}

// issue gives the next number of the platform's region on the day of at.
func (n *numbers) issue(ctx context.Context, regionCode string, at time.Time) (string, error) {
	prefix, day := region.NumberPrefix(region.City(regionCode)), at.In(clock.Shanghai).Format("060102")
	key := prefix + day
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.by[key]
	if b == nil || b.next >= b.end {
		var err error
		if b, err = n.lease(ctx, prefix, day); err != nil {
			return "", err
		}
		if len(n.by) > 4096 {
			n.by = map[string]*block{}
		}
		n.by[key] = b
	}
	if b.next > maxSerial {
		return "", fault.Unavailable("number_exhausted", "当日单号已用完，请联系系统管理员。")
	}
	body := fmt.Sprintf("%s%s%06d", prefix, day, b.next)
	b.next++
	return body + string(CheckDigit(body)), nil
}

func (n *numbers) lease(ctx context.Context, prefix, day string) (*block, error) {
	b := &block{}
	err := n.db.UpdateLane(ctx, db.LaneHigh, func(tx *db.Tx) error {
		end, err := db.Int(tx, `INSERT INTO number_block (prefix, day, next) VALUES ($1, $2, $3)
 ON CONFLICT (prefix, day) DO UPDATE SET next = number_block.next + $4 RETURNING next`, prefix, day, 1+blockSize, blockSize)
		b.next, b.end = end-blockSize, end
		return err
	})
	return b, err
}

// issueTx gives one number inside a transaction, for the rare ticket that is
// born in the middle of a step.
func (n *numbers) issueTx(tx *db.Tx, city string, at time.Time) (string, error) {
	prefix, day := region.NumberPrefix(city), at.In(clock.Shanghai).Format("060102")
	next, err := db.Int(tx, `INSERT INTO number_block (prefix, day, next) VALUES ($1, $2, 2)
 ON CONFLICT (prefix, day) DO UPDATE SET next = number_block.next + 1 RETURNING next`, prefix, day)
	if err != nil {
		return "", err
	}
	body := fmt.Sprintf("%s%s%06d", prefix, day, next-1)
	return body + string(CheckDigit(body)), nil
}
