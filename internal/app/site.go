package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"hotline/internal/access"
	"hotline/internal/citizen"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/line"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// site answers what the public site asks of the platform.
type site struct{ a *App }

var _ citizen.Services = (*site)(nil)

func (s *site) Now() time.Time { return s.a.Clock.Now() }

func (s *site) Counts(ctx context.Context) (citizen.Counts, error) {
	p, err := s.a.Measure.Portal(ctx)
	return citizen.Counts{Accepted: p.Accepted, Handling: p.Handling, Closed: p.Closed, OnTimePct: p.OnTimePct, AsOf: p.AsOf}, err
}

// typeHelp explains the request types to citizens.
var typeHelp = map[string]string{
	"咨询": "想了解政策、办事流程或公共服务信息", "求助": "生活中遇到困难，需要有关单位帮助解决", "投诉": "对公共服务或经营者不满意，要求处理", "举报": "反映违法违规线索，身份严格保密",
	"建议": "对城市管理和公共服务提出意见建议", "表扬": "对工作人员或单位表示感谢", "其他": "不确定属于哪一类，由工作人员判断",
}

func (s *site) TypeHints() []citizen.TypeHint {
	var out []citizen.TypeHint
	for _, t := range ticket.Types {
		out = append(out, citizen.TypeHint{Type: t, Help: typeHelp[t], Limit: s.Limit(context.Background(), t, "")})
	}
	return out
}

func (s *site) Limit(_ context.Context, typ, code string) string {
	platform := s.a.Org.Tree().Province().ID
	if u, ok := s.a.Org.Tree().CityPlatform(code); ok {
		platform = u.ID
	}
	l, ok := s.a.Ticket.Limit(platform, "", typ, "", ticket.ClockHandle)
	if !ok {
		return ""
	}
	return l.String()
}

func (s *site) Regions(parent string) []citizen.Region {
	var out []citizen.Region
	if parent == "" {
		parent = region.ProvinceCode
	}
	for _, r := range region.Children(parent) {
		out = append(out, citizen.Region{Code: r.Code, Name: r.Name})
	}
	if parent == region.ProvinceCode {
		out = append(out, citizen.Region{Code: region.ProvinceCode, Name: "全省或不确定"})
	}
	return out
}

func (s *site) Submit(ctx context.Context, in citizen.Submission) (citizen.Receipt, error) {
	actor := access.AsCitizen(0, in.IP)
	r := intake.Request{Type: in.Type, Content: in.Content, Region: in.Region, Address: in.Address, Object: in.Target, Secrecy: string(in.Secrecy), Channel: "web", Public: true,
		NoticeVersion: in.NoticeVersion, Visitor: s.a.Demo, Requester: ticket.Requester{Kind: "个人", Name: in.Name, Phone: in.Phone}}
	if in.Company != "" {
		r.Requester.Kind, r.Requester.Company = "企业", in.Company
	}
	if in.Anonymous {
		r.Secrecy = ticket.SecrecyAnonymous
	}
	if in.Suspect {
		r.Way = intake.WayHold
	}
	files, err := s.store(ctx, actor, in.Files)
	if err != nil {
		return citizen.Receipt{}, err
	}
	defer s.drop(ctx, files)
	r.Attach = idsOf(files)
	made, repeated, err := s.a.Intake.SubmitOnce(ctx, actor, r, in.Key, ticket.Digest(in.Type, in.Region, in.Content, in.Phone), nil)
	if err != nil {
		return citizen.Receipt{}, rename(err)
	}
	return citizen.Receipt{Number: made.Number, Code: made.QueryCode, Limit: s.Limit(ctx, in.Type, in.Region), Repeated: repeated}, nil
}

// rename maps intake's field names to those of the public form.
func rename(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		for i, x := range f.Fields {
			if x.Name == "object" {
				f.Fields[i].Name = "target"
			}
		}
	}
	return err
}

const maxFile = 20 << 20

// drop removes those of some files that no ticket took: a refused form, and one
// sent twice, leave nothing behind.
func (s *site) drop(ctx context.Context, files []ticket.Attachment) {
	if len(files) == 0 {
		return
	}
	if err := s.a.Ticket.Drop(context.WithoutCancel(ctx), files, s.a.removeFile); err != nil {
		slog.Warn("files of a refused form stay until the next collection", "err", err)
	}
}

func idsOf(files []ticket.Attachment) (ids []int64) {
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	return ids
}

// store checks and keeps uploaded files, all of them or none; every one that
// cannot be kept is named.
func (s *site) store(ctx context.Context, actor access.Actor, files []citizen.Upload) (kept []ticket.Attachment, err error) {
	defer func() {
		if err != nil {
			s.drop(ctx, kept)
		}
	}()
	var refused *fault.Error
	for _, f := range files {
		at, err := s.storeOne(ctx, actor, f)
		var fe *fault.Error
		switch {
		case err == nil:
			kept = append(kept, at)
		case !errors.As(err, &fe) || fe.Kind != fault.KindInvalid:
			return kept, err
		case refused == nil:
			refused = fe.At(fault.Field{Name: "files", Detail: fe.Detail})
		default:
			refused.Fields = append(refused.Fields, fault.Field{Name: "files", Detail: fe.Detail})
		}
	}
	if refused != nil {
		return kept, refused
	}
	return kept, nil
}

func (s *site) storeOne(ctx context.Context, actor access.Actor, f citizen.Upload) (ticket.Attachment, error) {
	r, err := f.Open()
	if err != nil {
		return ticket.Attachment{}, fault.Invalid("file_unreadable", "文件“%s”无法读取，请重新选择。", f.Name)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil || len(data) > maxFile {
		return ticket.Attachment{}, fault.Invalid("file_too_large", "文件“%s”超过20兆字节，请压缩后再上传。", f.Name)
	}
	return s.a.API.StoreFile(ctx, actor, f.Name, data)
}

func (s *site) Lines(context.Context) ([]citizen.Line, error) {
	var out []citizen.Line
	for _, l := range s.a.Lines.All(s.Now()) {
		c := citizen.Line{Number: l.Number, Name: l.Name, Department: l.Department, Mode: l.Mode.Word(), State: l.State}
		if l.Until != "" && l.State == line.StateTransition {
			c.Until, _ = time.ParseInLocation("2006-01-02", l.Until, s.Now().Location())
		}
		switch {
		case l.State == line.StateCancelled:
			c.Advice = "号码已取消，请拨打12345"
		case l.Mode == line.Merged:
			c.Advice = "过渡期内自动转接12345"
		default:
			c.Advice = "可继续拨打，也可拨打12345"
		}
		if l.Mode == line.Merged { // the name is one for all that were merged (方案 一)
			c.Former, c.Name = l.Name, line.Hotline+line.HotlineName
		}
		if l.Region != region.ProvinceCode {
			c.Place = region.FullName(l.Region)
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *site) DemoEnabled() bool { return s.a.Demo }

func (s *site) DemoPhones(ctx context.Context, phone string) ([]citizen.Message, error) {
	if !s.a.Demo {
		return nil, fault.NotFound("not_found", "没有这个页面。")
	}
	list, err := s.a.Notify.OfPhone(ctx, phone, 30)
	var out []citizen.Message
	for _, m := range list {
		out = append(out, citizen.Message{At: timeOf(m.At), From: "12345", Text: m.Text, Link: m.Link})
	}
	return out, err
}
