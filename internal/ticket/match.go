package ticket

import (
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/zh"
)

// sealedLabels are the rows that no text index holds; they have an index of
// their own, whose condition this is.
const sealedLabels = "w.label IN ('informant', 'quarantine')"

// newestHits bounds the tickets that typed words are looked up in: the newest
// ones of the whole province that have them all.
const newestHits = 5000

// match turns a typed query into a subquery of the tickets that it means, as
// h(id): 单号, a tail of it, a former number, a phone, or words. The list looks
// only at these, and only in scope; "" = any.
func (s *Service) match(q string, sc access.Scope, args *[]any) string {
	arg := func(v any) string { *args = append(*args, v); return "$" + strconv.Itoa(len(*args)) }
	q = strings.TrimSpace(q)
	if q == "" {
		return ""
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(q, " ", ""), "-", "")
	if ValidNumber(digits) {
		return "SELECT n.id FROM ticket n WHERE " + numberIs("n", digits, args)
	}
	if phone, ok := zh.NormalizePhone(digits); ok {
		return "SELECT n.id FROM ticket n WHERE n.phone_bi = " + arg(s.PhoneIndex(access.Normal, phone))
	}
	if len(digits) >= 4 && strings.Trim(digits, "0123456789") == "" {
		tail := numberTail("n.number") + " = " + arg(digits[len(digits)-4:])
		if len(digits) > 4 {
			tail += " AND n.number LIKE " + arg("%"+digits)
		}
		return "SELECT n.id FROM ticket n WHERE " + tail + " UNION SELECT n.id FROM ticket n WHERE n.former = " + arg(digits) + " AND n.former <> ''"
	}
	like := "%" + strings.NewReplacer("%", "", "_", "").Replace(q) + "%"
	grams := zh.QueryGrams(q)
	if s.Words == nil || len(grams) == 0 {
		return "SELECT n.id FROM ticket n WHERE n.title_r LIKE " + arg(like)
	}
	hits := s.Words.Newest(s.DB.Engine(), grams, newestHits, arg)
	if sc.Cleared(access.Informant) || sc.Cleared(access.Quarantine) {
		hits += " UNION SELECT w.ticket AS id FROM worklist w JOIN ticket n ON n.id = w.ticket WHERE " + sc.SQL("w", args) + " AND " + sealedLabels + " AND n.title_r LIKE " + arg(like)
	}
	return hits
}

// numberTail is the indexed last four digits of a 单号, as they are spoken.
func numberTail(column string) string { return "substr(" + column + ", length(" + column + ") - 3)" }

// numberIs is the condition that a ticket has a 单号, by its one index, which
// begins with the tail. The last value that it adds to args is the number.
func numberIs(alias, number string, args *[]any) string {
	*args = append(*args, number[max(0, len(number)-4):], number)
	n := len(*args)
	return numberTail(alias+".number") + " = $" + strconv.Itoa(n-1) + " AND " + alias + ".number = $" + strconv.Itoa(n)
}
