package measure

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// Behind is a page of the tickets behind a line of an answer. Total is all of
// them, each once, though the line may count one more often; only the first page
// says it.
type Behind struct {
	IDs   []int64
	Next  string
	Total int64
}

// Tickets lists the tickets behind a line of an answer, newest first: those of
// the denominator, or of the numerator where the measure is a plain number.
// The caller shows only what is in the reader's scope.
func (s *Service) Tickets(ctx context.Context, v Viewer, q Query, key, cursor string, limit int) (out Behind, err error) {
	d, err := s.Definition(q.Name)
	if err != nil {
		return out, err
	}
	if err := q.check(s.DB.Clock().Now()); err != nil {
		return out, err
	}
	place := q.Region
	if key != "" {
		if err := s.narrow(v, &q, key); err != nil {
			return out, err
		}
	}
	sp, err := s.span(v, q)
	if err != nil {
		return out, err
	}
	if place == "" {
		place = sp.root.Region
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	at, tk, err := parseAt(cursor)
	if err != nil {
		return out, err
	}
	var args []any
	parts := s.behind(sp, d, key, place, &args)
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	text := `SELECT ticket, max(t) AS at FROM (` + strings.Join(parts, " UNION ALL ") + `) b GROUP BY ticket`
	count, counted := `SELECT count(*) FROM (`+text+`) c`, slices.Clone(args)
	if cursor != "" {
		text += ` HAVING max(t) < ` + arg(at) + ` OR (max(t) = ` + arg(at) + ` AND ticket < ` + arg(tk) + `)`
	}
	text += ` ORDER BY at DESC, ticket DESC LIMIT ` + arg(limit+1)
	type hit struct{ ticket, at int64 }
	var hits []hit
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if cursor == "" {
			if out.Total, err = db.Int(tx, count, counted...); err != nil {
				return err
			}
		}
		hits, err = db.All(tx, func(sc db.Scanner) (h hit, err error) { return h, sc.Scan(&h.ticket, &h.at) }, text, args...)
		return err
	})
	if err != nil {
		return out, err
	}
	if len(hits) > limit {
		hits = hits[:limit]
		last := hits[limit-1]
		out.Next = fmt.Sprintf("%d.%d", last.at, last.ticket)
	}
	for _, h := range hits {
		out.IDs = append(out.IDs, h.ticket)
	}
	return out, nil
}

// narrow turns the key of a line into a filter; what is no line of the question
// is refused, not answered with nothing or with everything.
func (s *Service) narrow(v Viewer, q *Query, key string) error {
	bad := fault.Invalid("key_invalid", "统计分组无效，请重新选择。").At(fault.Field{Name: "key", Detail: "请重新选择。"})
	switch q.By {
	case ByUnit: // the condition is that of fold, in behind
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return bad
		}
		if !v.Tree.Under(v.Root, id) {
			return fault.NotFound("unit_unknown", "单位不存在，或不在您的查看范围内。")
		}
	case ByRegion:
		if _, ok := region.Get(key); !ok {
			return bad
		}
		q.Region = key
	case ByType:
		if !slices.Contains(ticket.Types, key) {
			return bad
		}
		q.Type = key
	case ByCategory:
		if key == unclassified { // no category can be asked for; the condition is in behind
			return nil
		}
		if _, ok := s.Ticket.Categories(v.Tree.Platform(v.Root).ID).Get(key); !ok {
			return bad
		}
		q.Category = key
	case ByDay:
		t, err := parseDay(key)
		if err != nil || t.Before(q.From) || t.After(q.To) {
			return bad
		}
		q.From, q.To = t, t
	default: // a total has no lines
		return bad
	}
	return nil
}

// behind is one SELECT (ticket, t) for each moment that the line counts. The
// line of the asked place itself is what is known to lie in it and no nearer.
func (s *Service) behind(sp span, d Definition, key, place string, args *[]any) (parts []string) {
	names, minus := d.Den, slices.Concat(d.ExDen, d.Less)
	if len(names) == 0 || d.perHead() {
		names = d.Num
	}
	for _, n := range names {
		i, ok := atomIndex[n]
		if !ok { // taken away or no atom
			continue
		}
		a := atoms[i]
		col := momentColumn[a.when]
		if a.when == live {
			col = "received"
		}
		cond := []string{sp.where(args, a.when), a.where()}
		for _, m := range minus {
			if j, ok := atomIndex[m]; ok && atoms[j].when == a.when {
				cond = append(cond, "NOT ("+atoms[j].where()+")")
			}
		}
		if !sp.whole {
			cond = append(cond, "unit IN ("+marksFor(args, sp.subtree(sp.root.ID))+")")
		}
		if sp.q.By == ByUnit && key != "" {
			cond = append(cond, sp.ofUnit(d, key, args))
		}
		if sp.q.By == ByRegion && key == place {
			cond = append(cond, "region IN ("+marksFor(args, []string{key})+")")
		}
		if sp.q.By == ByCategory && key == unclassified {
			cond = append(cond, "category = ''")
		}
		parts = append(parts, `SELECT ticket, `+col+` AS t FROM stat_row WHERE `+strings.Join(cond, " AND "))
	}
	return parts
}

// ofUnit is the condition of a line by unit, the counterpart of fold: a unit
// below the root with all that is below it, or what the root does itself.
func (sp span) ofUnit(d Definition, key string, args *[]any) string {
	id, _ := strconv.ParseInt(key, 10, 64)
	if d.platformSide() && sp.whole {
		return "platform IN (" + marksFor(args, []int64{id}) + ")"
	}
	units := []int64{id}
	if id != sp.root.ID {
		units = sp.subtree(id)
	}
	return "(unit IN (" + marksFor(args, units) + ") OR unit = 0 AND platform IN (" + marksFor(args, []int64{id}) + "))"
}

// subtree is a unit and all below it.
func (sp span) subtree(id int64) []int64 {
	out := []int64{id}
	for i := 0; i < len(out); i++ {
		for _, c := range sp.tree.Children(out[i]) {
			out = append(out, c.ID)
		}
	}
	return out
}

func parseAt(cursor string) (at, ticket int64, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	a, b, _ := strings.Cut(cursor, ".")
	at, err1 := strconv.ParseInt(a, 10, 64)
	ticket, err2 := strconv.ParseInt(b, 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
	}
	return at, ticket, nil
}
