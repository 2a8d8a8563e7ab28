package report

import (
	"context"
	"fmt"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// mostRows bounds a list; a longer one is a matter of the database, not of a sheet.
const mostRows = 100_000

// filter reads the parameters of a list export.
func (s *Service) filter(p Params) (f ticket.Filter, err error) {
	f = ticket.Filter{Queue: p.str("queue"), Query: p.str("q"), Status: p.str("status"), Region: region6(p.str("region")), Type: p.str("type"), Category: p.str("category"), Urgency: p.str("urgency"), Limit: 200}
	if f.Unit, err = p.id("unit"); err != nil {
		return f, err
	}
	from, err := p.day("from")
	if err != nil {
		return f, err
	}
	to, err := p.day("to")
	if err != nil {
		return f, err
	}
	if !from.IsZero() {
		f.From = clock.Millis(from)
	}
	if !to.IsZero() {
		f.To = clock.Millis(to.AddDate(0, 0, 1))
	}
	if f.To > 0 && f.To <= f.From {
		return f, fault.Invalid("period_invalid", "结束日期不能早于开始日期。").At(fault.Field{Name: "to", Detail: "请重新选择。"})
	}
	return f, nil
}

// region6 drops the zeros of a whole city or province, so that the filter
// covers everything inside.
func region6(code string) string {
	for len(code) == 6 && code[4:] == "00" || len(code) == 4 && code[2:] == "00" {
		code = code[:len(code)-2]
	}
	return code
}

// tickets writes the actor's own list, masked as on the screen.
func (s *Service) tickets(ctx context.Context, j *job.Running, o order) (string, *book, error) {
	f, err := s.filter(o.Params)
	if err != nil {
		return "", nil, err
	}
	actor := o.actor()
	scope := s.Access.ScopeOf(actor)
	b, err := newBook()
	if err != nil {
		return "", nil, err
	}
	w, err := b.sheet("工单清单", 1, 20, 8, 40, 28, 20, 24, 10, 8, 18, 18, 18, 10, 10, 14)
	if err != nil {
		return "", nil, err
	}
	if err := w.heading("单号", "诉求类型", "标题（脱敏）", "事项分类", "事发地", "承办单位", "状态", "紧急程度", "受理时间", "办理时限", "办结时间", "密级", "诉求人", "联系电话"); err != nil {
		return "", nil, err
	}
	for n := 0; n < mostRows; {
		rows, next, err := s.Ticket.List(ctx, actor, scope, f)
		if err != nil {
			return "", nil, err
		}
		for _, r := range rows {
			if err := w.line(s.ticketLine(actor, r.Ticket)...); err != nil {
				return "", nil, err
			}
			n++
			b.lines++
		}
		j.Progress(int64(n), 0, fmt.Sprintf("已写入%d件", n))
		if next == "" {
			break
		}
		f.Cursor = next
	}
	if err := w.end(); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("工单清单_%s.xlsx", clock.FromMillis(o.At).Format("20060102_1504")), b, nil
}

func (s *Service) ticketLine(actor access.Actor, t *ticket.Ticket) []any {
	when := func(ms int64) string {
		if ms == 0 {
			return ""
		}
		return clock.FromMillis(ms).Format("2006-01-02 15:04")
	}
	title, name, phone := t.TitleR, "", ""
	if access.MaskOf(actor.Role, t.Label, access.FieldContent) == access.Absent {
		title = "（无权查看内容）"
	}
	if access.MaskOf(actor.Role, t.Label, access.FieldName) >= access.Masked {
		name = t.MaskName
	}
	if access.MaskOf(actor.Role, t.Label, access.FieldPhone) >= access.Masked {
		phone = t.MaskPhone
	}
	return []any{t.Number, t.Type, title, s.Ticket.Categories(t.Platform).PathName(t.Category), region.FullName(t.Region), s.Org.Tree().Name(t.Unit),
		s.Ticket.RulesNow(t.Platform).StatusWord(t.Status), t.Urgency, when(t.Accepted), when(t.Due), when(t.ClosedAt), t.Label.Word(), name, phone}
}
