package zh

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// NormalizePhone brings a mainland number to its one form, digits only: a
// mobile as its 11 digits, a landline as area code and number ("02787654321").
// Full-width digits, spaces, dashes, brackets, +86 and an extension after a
// landline are accepted. ok is false for anything else, also for a landline
// without its area code, which only the caller can know.
func NormalizePhone(s string) (digits string, ok bool) {
	s = strings.Map(fold, norm.NFKC.String(s))
	for _, mark := range []string{"转", "ext", "EXT", "分机", "#"} {
		s, _, _ = strings.Cut(s, mark)
	}
	var b strings.Builder
	groups := 0
	gap := true
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if gap {
				groups++
				gap = false
			}
			b.WriteRune(r)
		case strings.ContainsRune(" \t-+()", r):
			gap = true
		default:
			return "", false
		}
	}
	d := b.String()
	for _, country := range []string{"0086", "86"} {
		if rest, cut := strings.CutPrefix(d, country); cut && (mobile(rest) || landline("0"+rest) || landline(rest)) {
			d = rest
			if !mobile(d) && !landline(d) {
				d = "0" + d
			}
			break
		}
	}
	if mobile(d) || landline(d) {
		return d, true
	}
	if groups > 2 && d != "" && d[0] == '0' { // 027-87654321-8001
		if i := strings.LastIndexAny(strings.TrimRight(s, " "), "- "); i > 0 {
			return NormalizePhone(s[:i])
		}
	}
	return "", false
}

// mobile: 1, then 3 to 9, then nine digits.
func mobile(d string) bool {
	return len(d) == 11 && d[0] == '1' && d[1] >= '3' && allDigits(d)
}

// landline: an area code of three digits (010, 02x) with eight, or of four
// with seven or eight; the number itself begins with 2 to 8.
func landline(d string) bool {
	if len(d) < 11 || len(d) > 12 || d[0] != '0' || !allDigits(d) {
		return false
	}
	area := 4
	if d[1] == '1' || d[1] == '2' {
		area = 3
		if len(d) != 11 || d[1] == '1' && d[2] != '0' {
			return false
		}
	}
	return d[1] != '0' && d[area] >= '2' && d[area] <= '8'
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

const idProvinces = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 "

// birthday tells whether yyyymmdd is a date on which a living person may have
// been born; the future is not checked, for that needs a clock.
func birthday(yyyymmdd string) bool {
	t, err := time.Parse("20060102", yyyymmdd)
	return err == nil && t.Year() >= 1880 && t.Year() < 2100
}

// ValidUSCC checks an 18-character unified social credit code (GB 32100).
func ValidUSCC(s string) bool {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	s = strings.ToUpper(s)
	if len(s) != 18 || !allDigits(s[2:8]) {
		return false
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return alphabet[(31-sum%31)%31] == s[17]
}

// luhn is the check of bank cards.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
