package citizen

import (
	"fmt"
	"html"
	"net/http"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// submitView is the data of the form, whole or one question of it.
type submitView struct {
	draft
	Types                   []TypeHint
	Cities, Counties, Towns []Region
	Secrecies               []Choice
	Challenge               *Challenge
	CodeSent                bool   // an SMS code is on its way for the way past the challenge
	ProofPhone              string // where to
	LostFiles               bool   // files were chosen and have to be chosen again
	Errs                    problems

	// 关怀版
	Step, Ask     string // the question shown
	No, Of        int
	State         string // the draft, sealed
	Limit, Place  string
	SecrecyForced bool
}

func (h *site) view(d draft) *submitView {
	d.settle(h.s)
	v := &submitView{draft: d, Types: h.s.TypeHints(), Cities: h.s.Regions(""), SecrecyForced: d.Type == typeReport}
	v.Counties, v.Towns = below(h.s, v.City), below(h.s, v.County)
	for _, c := range []Secrecy{SecrecyNormal, SecrecyAccused, SecrecyUnit} {
		v.Secrecies = append(v.Secrecies, Choice{string(c), secrecyLabels[c]})
	}
	return v
}

// submitForm shows the empty form.
func (h *site) submitForm(w http.ResponseWriter, r *http.Request) {
	d := draft{Key: randomKey()}
	if taste(r, "care") {
		h.showStep(w, r, d, steps[0], nil)
		return
	}
	h.showForm(w, r, h.view(d), nil, 0)
}

func (h *site) showForm(w http.ResponseWriter, r *http.Request, v *submitView, errs problems, code int) {
	if c, need := h.s.Challenge(h.ip(r)); need {
		v.Challenge = c
	}
	p := h.page(r, "submit", "我要反映")
	v.Errs, p.Errs, p.D, p.Status = errs, errs, v, code
	h.render(w, r, "submit", p)
}

// submitPost takes a posted form of either version.
func (h *site) submitPost(w http.ResponseWriter, r *http.Request) {
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if r.PostForm.Has("state") {
		h.stepPost(w, r)
		return
	}
	d := draft{Key: r.PostForm.Get("key")}
	d.take(r, allAnswers...)
	if len(d.Key) < 16 || len(d.Key) > 64 {
		d.Key = randomKey()
	}
	files, bad := filesOf(r)
	v := h.view(d)
	v.LostFiles = len(files) > 0
	switch r.PostForm.Get("stage") {
	case "region":
		h.showForm(w, r, v, nil, 0)
		return
	case "code":
		h.proofCode(r, v)
		h.showForm(w, r, v, v.Errs, codeOf(v.Errs))
		return
	}
	errs := append(v.check(h.s, allAnswers...), bad...)
	if len(errs) > 0 {
		h.showForm(w, r, v, errs, http.StatusUnprocessableEntity)
		return
	}
	if err := h.accept(w, r, v.draft, files, false); err != nil {
		h.proofSeen(r, v)
		h.showForm(w, r, v, h.refused(r, err), fault.KindOf(err).Status())
	}
}

// codeOf is the HTTP status of a form shown with these problems.
func codeOf(errs problems) int {
	if len(errs) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// refused turns a refusal into problems and reports what is a defect.
func (h *site) refused(r *http.Request, err error) problems {
	if fault.KindOf(err) == fault.KindInternal {
		h.opt.Report(r.Context(), err)
	}
	return of(err)
}

// proofCode sends the SMS code that stands in for the proof of work.
func (h *site) proofCode(r *http.Request, v *submitView) {
	h.proofSeen(r, v)
	if !phoneLike(v.ProofPhone) {
		v.Errs = problems{{"proofphone", "请填写能接收短信的手机号码"}}
		return
	}
	if err := h.s.SendCode(r.Context(), v.ProofPhone, h.ip(r)); err != nil {
		v.Errs = problems{{"proofphone", fault.As(err).Detail}}
		return
	}
	v.CodeSent = true
}

func (h *site) proofSeen(r *http.Request, v *submitView) {
	v.ProofPhone = zh.Clean(r.PostForm.Get("proofphone"))
	v.CodeSent = r.PostForm.Get("proofcode") != ""
}

// accept submits a complete draft and shows the receipt. The receipt is the
// answer to the post itself, so nobody loses the code for want of a cookie;
// sending it again shows the same receipt.
func (h *site) accept(w http.ResponseWriter, r *http.Request, d draft, files []Upload, care bool) error {
	ip := h.ip(r)
	answer := Answer{
		Solution: r.PostForm.Get("proof"), Phone: zh.Clean(r.PostForm.Get("proofphone")), Code: zh.Clean(r.PostForm.Get("proofcode")),
	}
	if err := h.s.VerifyChallenge(r.Context(), ip, answer); err != nil {
		return err
	}
	rec, err := h.s.Submit(r.Context(), d.submission(ip, files, care))
	if err != nil {
		return err
	}
	h.keep(w, h.passOf(r).with(entry{N: rec.Number, C: rec.Code}))
	p := h.page(r, "submit", "已经收到")
	p.Private = true
	p.D = map[string]any{
		"Receipt": rec, "Draft": d, "Alias": h.box.alias(rec.Number), "Files": len(files),
		"Copy": fmt.Sprintf("单号：%s 查询码：%s", rec.Number, rec.Code),
	}
	h.render(w, r, "done", p)
	return nil
}

// regions gives the options of the next list to the script of the form.
func (h *site) regions(w http.ResponseWriter, r *http.Request) {
	out := []byte(`<option value="">请选择</option>`)
	for _, c := range below(h.s, r.URL.Query().Get("parent")) {
		out = fmt.Appendf(out, `<option value="%s">%s</option>`, html.EscapeString(c.Code), html.EscapeString(c.Name))
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	write(w, r, http.StatusOK, "text/html; charset=utf-8", out, true)
}
