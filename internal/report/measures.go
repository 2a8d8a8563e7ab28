package report

import (
	"context"
	"fmt"
	"time"

	"hotline/internal/clock"
	"hotline/internal/job"
	"hotline/internal/measure"
	"hotline/internal/policy"
)

// query reads the parameters of a measures export.
func (s *Service) query(p Params) (q measure.Query, err error) {
	q = measure.Query{Name: p.str("name"), By: p.str("by"), Region: p.str("region"), Category: p.str("category"), Type: p.str("type")}
	if q.Name != "" {
		if _, err = s.Measure.Definition(q.Name); err != nil {
			return q, err
		}
	}
	if q.By == "" {
		q.By = measure.ByRegion
	}
	if q.Unit, err = p.id("unit"); err != nil {
		return q, err
	}
	if q.From, err = p.day("from"); err != nil {
		return q, err
	}
	q.To, err = p.day("to")
	return q, err
}

// byWords names the ways to group.
var byWords = map[string]string{measure.ByUnit: "单位", measure.ByRegion: "区划", measure.ByDay: "日期", measure.ByType: "诉求类型", measure.ByCategory: "事项分类"}

// measures writes one measure, or all of them, each on a sheet of its own.
func (s *Service) measures(ctx context.Context, j *job.Running, o order) (string, *book, error) {
	q, err := s.query(o.Params)
	if err != nil {
		return "", nil, err
	}
	names := []string{q.Name}
	if q.Name == "" {
		names = nil
		for _, d := range s.Measure.Definitions(policy.Province).Measures {
			names = append(names, d.Name)
		}
	}
	b, err := newBook()
	if err != nil {
		return "", nil, err
	}
	v := s.Measure.ViewerOf(o.actor())
	label := "统计指标"
	for i, name := range names {
		j.Progress(int64(i), int64(len(names)), "正在统计")
		q.Name = name
		a, err := s.Measure.Value(ctx, v, q)
		if err != nil {
			return "", nil, err
		}
		if len(names) == 1 {
			label = a.Definition.Label
		}
		if err := measureSheet(b, a, q, clock.FromMillis(o.At)); err != nil {
			return "", nil, err
		}
	}
	return fmt.Sprintf("%s_%s.xlsx", label, clock.FromMillis(o.At).Format("20060102_1504")), b, nil
}

func measureSheet(b *book, a measure.Answer, q measure.Query, at time.Time) error {
	w, err := b.sheet(a.Definition.Label, 5, 30, 12, 12, 14, 12, 12, 14, 12)
	if err != nil {
		return err
	}
	d := a.Definition
	day := func(t time.Time, def time.Time) string {
		if t.IsZero() {
			t = def
		}
		return t.Format("2006年1月2日")
	}
	head := [][]any{
		{d.Label, "单位：" + d.Unit},
		{"口径", d.Formula},
		{"排除", d.Exclusions},
		{"期间", day(q.From, at.AddDate(0, 0, -6)) + "至" + day(q.To, at)},
	}
	for _, h := range head {
		if err := w.line(h...); err != nil {
			return err
		}
	}
	if err := w.heading(byWords[q.By], "分子", "分母", "数值", "原始分子", "原始分母", "原始值", "排除数"); err != nil {
		return err
	}
	b.lines += int64(len(a.Items))
	for _, it := range append(a.Items, a.Total) {
		if it.Hidden {
			err = w.line(it.Name, "少于5件", "", "", "", "", "", "")
		} else {
			err = w.line(it.Name, it.Num, it.Den, it.Value, it.RawNum, it.RawDen, it.Raw, it.Excluded)
		}
		if err != nil {
			return err
		}
	}
	return w.end()
}
