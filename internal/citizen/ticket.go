package citizen

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// act is one thing a citizen may do with a ticket on a page of its own.
type act struct {
	Title, Button string
	Lead          string // one sentence under the title
	Done          string // said on the ticket page afterwards
	may           func(Progress) Permission
	do            func(*site, *http.Request, Ref) (problems, error) // problems: inputs missing, nothing done
}

var acts = map[string]act{
	"supplement": {
		Title: "补充材料", Button: "提交补充", Done: "补充的内容已经转给承办单位。",
		Lead: "可以补写情况，也可以添加照片等附件。补充的内容会转给正在办理的单位。",
		may:  func(p Progress) Permission { return p.MaySupplement }, do: (*site).doSupplement,
	},
	"urge": {
		Title: "催办", Button: "提交催办", Done: "催办已经记录，并通知正在办理的单位和热线。",
		Lead: "催办会通知正在办理的单位和热线，并记入办理过程。",
		may:  func(p Progress) Permission { return p.MayUrge }, do: (*site).doUrge,
	},
	"evaluate": {
		Title: "评价", Button: "提交评价", Done: "谢谢您的评价，热线会认真核实。",
		Lead: "请按您的真实感受评价。评价由热线收集，承办单位不能代您评价。",
		may:  func(p Progress) Permission { return p.MayEvaluate }, do: (*site).doEvaluate,
	},
	"message": {
		Title: "回复承办单位", Button: "发送", Done: "您的话已经转给承办单位。",
		Lead: "由12345中转，承办单位看不到您的姓名和电话。",
		may:  func(p Progress) Permission { return p.MayMessage }, do: (*site).doMessage,
	},
	"withdraw": {
		Title: "撤回诉求", Button: "确认撤回", Done: "诉求已经撤回。",
		Lead: "撤回后不再办理，也不能恢复；需要时可以重新反映。",
		may:  func(p Progress) Permission { return p.MayWithdraw }, do: (*site).doWithdraw,
	},
	"play": {
		Title: "演示：请系统扮演其余角色", Button: "开始扮演", Done: "系统已开始扮演其余角色，约一分钟内办结；刷新本页可以看到进展。",
		Lead: "派单、办理、审核、回访各步由系统代为办理，只用于演示。",
		may:  func(p Progress) Permission { return p.MayPlay },
		do:   func(h *site, r *http.Request, ref Ref) (problems, error) { return nil, h.s.Play(r.Context(), ref) },
	},
}

// actOf finds an act of the site; the last of them is the demonstration's alone.
func (h *site) actOf(name string) (act, bool) {
	a, known := acts[name]
	return a, known && (name != "play" || h.s.DemoEnabled())
}

// actOrder is the order of the acts on the ticket page.
var actOrder = []string{"evaluate", "message", "supplement", "urge", "withdraw", "play"}

// actView is one act as the ticket page offers it.
type actView struct {
	Name, Title, Reason string
	Allowed             bool
}

// ticket shows the progress of one request.
func (h *site) ticket(w http.ResponseWriter, r *http.Request) {
	ps := h.passOf(r)
	ref, ok := h.ref(r, ps)
	if !ok {
		h.over(w, r)
		return
	}
	prog, err := h.s.Progress(r.Context(), ref)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.keep(w, ps)
	var offered []actView
	for _, name := range actOrder {
		if may := acts[name].may(prog); may.Allowed || may.Reason != "" {
			offered = append(offered, actView{name, acts[name].Title, may.Reason, may.Allowed})
		}
	}
	prog.Steps = slices.Clone(prog.Steps)
	slices.Reverse(prog.Steps) // people ask for the latest first
	p := h.page(r, "progress", "办理进度")
	p.Query = nil
	p.Private, p.Done = true, acts[r.URL.Query().Get("ok")].Done
	p.D = map[string]any{"P": prog, "K": r.PathValue("k"), "Acts": offered, "Mine": ps.Phone != "", "Stages": stages(prog.Stage)}
	h.render(w, r, "ticket", p)
}

// stageView is one part of the road of a ticket.
type stageView struct {
	Label        string
	Done, Active bool
}

// stages is the road as far as it was gone; nil where it was left (撤回、无效、转接).
func stages(at int) []stageView {
	if at == 0 {
		return nil
	}
	var out []stageView
	for i, label := range []string{"受理", "派单", "办理", "答复", "评价"} {
		out = append(out, stageView{label, i+1 < at, i+1 == at})
	}
	return out
}

// actForm shows the page of one act.
func (h *site) actForm(w http.ResponseWriter, r *http.Request) { h.showAct(w, r, nil, 0) }

func (h *site) showAct(w http.ResponseWriter, r *http.Request, errs problems, code int) {
	a, known := h.actOf(r.PathValue("act"))
	if !known {
		h.elsewhere(w, r)
		return
	}
	ps := h.passOf(r)
	ref, ok := h.ref(r, ps)
	if !ok {
		h.over(w, r)
		return
	}
	prog, err := h.s.Progress(r.Context(), ref)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.keep(w, ps)
	key := randomKey()
	if r.Method == http.MethodPost {
		key = writeKey(r)
	}
	p := h.page(r, "progress", a.Title)
	p.Query = nil
	p.Private, p.Errs, p.Status = true, errs, code
	p.D = map[string]any{
		"P": prog, "K": r.PathValue("k"), "Name": r.PathValue("act"), "Act": a, "May": a.may(prog), "Key": key, "Errs": errs,
		"Form": r.PostForm, "Scores": Scores, "Solved": SolvedChoices, "Reasons": DissatisfiedReasons, "Withdraw": WithdrawReasons,
		"LostFiles": len(uploaded(r)) > 0,
	}
	h.render(w, r, "act", p)
}

func writeKey(r *http.Request) string {
	if k := r.PostForm.Get("key"); len(k) >= 16 && len(k) <= 64 {
		return k
	}
	return randomKey()
}

// actPost carries an act out and goes back to the ticket.
func (h *site) actPost(w http.ResponseWriter, r *http.Request) {
	a, known := h.actOf(r.PathValue("act"))
	if !known {
		h.elsewhere(w, r)
		return
	}
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	ps := h.passOf(r)
	ref, ok := h.ref(r, ps)
	if !ok {
		h.over(w, r)
		return
	}
	ref.Key = writeKey(r)
	errs, err := a.do(h, r, ref)
	if err != nil {
		h.showAct(w, r, h.refused(r, err), fault.KindOf(err).Status())
		return
	}
	if len(errs) > 0 {
		h.showAct(w, r, errs, http.StatusUnprocessableEntity)
		return
	}
	http.Redirect(w, r, "/progress/t/"+r.PathValue("k")+"?ok="+r.PathValue("act"), http.StatusSeeOther)
}

// words reads the free text of an act and checks its length in characters.
func words(r *http.Request, least, most int, ask string) (string, problems) {
	text := zh.Clean(r.PostForm.Get("text"))
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		return text, problems{{"text", ask}}
	case n > most:
		return text, problems{{"text", "写得太长，请控制在" + strconv.Itoa(most) + "字以内"}}
	}
	return text, nil
}

func (h *site) doSupplement(r *http.Request, ref Ref) (problems, error) {
	files, errs := filesOf(r)
	least := 2
	if len(files) > 0 {
		least = 0
	}
	text, bad := words(r, least, maxContent, "请写下要补充的情况，或者添加附件")
	if errs = append(errs, bad...); len(errs) > 0 {
		return errs, nil
	}
	return nil, h.s.Supplement(r.Context(), ref, text, files)
}

func (h *site) doUrge(r *http.Request, ref Ref) (problems, error) {
	text, errs := words(r, 2, 500, "请写明催办的原因")
	if len(errs) > 0 {
		return errs, nil
	}
	return nil, h.s.Urge(r.Context(), ref, text)
}

func (h *site) doMessage(r *http.Request, ref Ref) (problems, error) {
	text, errs := words(r, 1, 2000, "请写下要说的话")
	if len(errs) > 0 {
		return errs, nil
	}
	return nil, h.s.Message(r.Context(), ref, text)
}

func (h *site) doEvaluate(r *http.Request, ref Ref) (problems, error) {
	e := Evaluation{Solved: r.PostForm.Get("solved")}
	var errs problems
	if e.Score = len(Scores) - index(Scores, r.PostForm.Get("score")); e.Score > len(Scores) {
		errs = append(errs, problem{"score", "请选择满意程度"})
	}
	if index(SolvedChoices, e.Solved) < 0 {
		errs = append(errs, problem{"solved", "请选择问题是否解决"})
	}
	for _, c := range r.PostForm["reasons"] {
		if index(DissatisfiedReasons, c) >= 0 && !slices.Contains(e.Reasons, c) {
			e.Reasons = append(e.Reasons, c)
		}
	}
	if e.Score <= 2 && len(e.Reasons) == 0 {
		errs = append(errs, problem{"reasons", "请选择不满意的原因，可以选多项"})
	}
	least := 0
	if slices.Contains(e.Reasons, "other") {
		least = 2
	}
	text, bad := words(r, least, 1000, "您选择了“其他原因”，请写明")
	if errs = append(errs, bad...); len(errs) > 0 {
		return errs, nil
	}
	e.Text = text
	if e.Score > 2 {
		e.Reasons = nil
	}
	return nil, h.s.Evaluate(r.Context(), ref, e)
}

func (h *site) doWithdraw(r *http.Request, ref Ref) (problems, error) {
	reason := r.PostForm.Get("reason")
	if index(WithdrawReasons, reason) < 0 {
		return problems{{"reason", "请选择撤回的原因"}}, nil
	}
	text, errs := words(r, 0, 500, "")
	if len(errs) > 0 {
		return errs, nil
	}
	if reason == "other" && text == "" {
		return problems{{"text", "您选择了“其他原因”，请写明"}}, nil
	}
	return nil, h.s.Withdraw(r.Context(), ref, reason, text)
}

// index finds a code among choices; -1 when it is none of them.
func index(cs []Choice, code string) int {
	return slices.IndexFunc(cs, func(c Choice) bool { return c.Code == code })
}
