package citizen

import (
	"net/http"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// progressView is the data of the look-up page.
type progressView struct {
	Number, Phone string
	CodeSent      bool // the phone has been sent a code: ask for it
	Challenge     *Challenge
	HasMine       bool // the browser already holds a phone look-up
	Errs          problems
}

// progressForm shows both ways to look a request up. A number may come with the
// address (a link in a notice); a query code never does.
func (h *site) progressForm(w http.ResponseWriter, r *http.Request) {
	h.showProgress(w, r, progressView{Number: digits(r.URL.Query().Get("number"))}, nil, 0)
}

func (h *site) toProgress(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/progress", http.StatusSeeOther)
}

func (h *site) showProgress(w http.ResponseWriter, r *http.Request, v progressView, errs problems, code int) {
	if c, need := h.s.Challenge(h.ip(r)); need {
		v.Challenge = c
	}
	v.HasMine = h.passOf(r).Phone != ""
	p := h.page(r, "progress", "查办理进度")
	p.Path = "/progress"
	p.Private = r.Method == http.MethodPost
	v.Errs = errs
	p.Errs, p.D, p.Status = errs, v, code
	h.render(w, r, "progress", p)
}

// narrow turns full-width letters and digits, as a Chinese keyboard types them,
// into plain ones.
func narrow(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '！' && c <= '～' {
			return c - '！' + '!'
		}
		return c
	}, s)
}

// digits keeps the digits of a number typed with blanks or dashes.
func digits(s string) string {
	var out strings.Builder
	for _, c := range narrow(s) {
		if c >= '0' && c <= '9' && out.Len() < 32 {
			out.WriteRune(c)
		}
	}
	return out.String()
}

// progressByNumber opens a ticket by 单号 and 查询码.
func (h *site) progressByNumber(w http.ResponseWriter, r *http.Request) {
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := progressView{Number: digits(r.PostForm.Get("number"))}
	code := strings.ToUpper(narrow(strings.Join(strings.Fields(zh.Clean(r.PostForm.Get("code"))), "")))
	var errs problems
	if v.Number == "" {
		errs = append(errs, problem{"number", "请填写15位单号"})
	}
	if code == "" || len(code) > 64 {
		errs = append(errs, problem{"code", "请填写查询码，它和单号一起发给了您"})
	}
	if len(errs) > 0 {
		h.showProgress(w, r, v, errs, http.StatusUnprocessableEntity)
		return
	}
	ip := h.ip(r)
	if err := h.s.VerifyChallenge(r.Context(), ip, Answer{Solution: r.PostForm.Get("proof")}); err != nil {
		h.showProgress(w, r, v, h.refused(r, err), fault.KindOf(err).Status())
		return
	}
	if _, err := h.s.Progress(r.Context(), Ref{Number: v.Number, Code: code, IP: ip}); err != nil {
		h.showProgress(w, r, v, h.refused(r, err), fault.KindOf(err).Status())
		return
	}
	h.keep(w, h.passOf(r).with(entry{N: v.Number, C: code}))
	http.Redirect(w, r, "/progress/t/"+h.box.alias(v.Number), http.StatusSeeOther)
}

// progressCode sends the code of the phone look-up.
func (h *site) progressCode(w http.ResponseWriter, r *http.Request) {
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := progressView{Phone: zh.Clean(r.PostForm.Get("phone"))}
	if !phoneLike(v.Phone) {
		h.showProgress(w, r, v, problems{{"phone", "请填写反映诉求时留下的手机号码"}}, http.StatusUnprocessableEntity)
		return
	}
	if err := h.s.SendCode(r.Context(), v.Phone, h.ip(r)); err != nil {
		h.showProgress(w, r, v, named(h.refused(r, err), "phone"), fault.KindOf(err).Status())
		return
	}
	v.CodeSent = true
	h.showProgress(w, r, v, nil, 0)
}

// named ties problems of no input to one.
func named(ps problems, name string) problems {
	for i := range ps {
		if ps[i].Name == "" {
			ps[i].Name = name
		}
	}
	return ps
}

// progressByPhone checks the code and lists the phone's tickets.
func (h *site) progressByPhone(w http.ResponseWriter, r *http.Request) {
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := progressView{Phone: zh.Clean(r.PostForm.Get("phone")), CodeSent: true}
	code := digits(r.PostForm.Get("smscode"))
	if code == "" {
		h.showProgress(w, r, v, problems{{"smscode", "请填写短信里的验证码"}}, http.StatusUnprocessableEntity)
		return
	}
	token, err := h.s.ByPhone(r.Context(), v.Phone, code, h.ip(r))
	if err != nil {
		h.showProgress(w, r, v, named(h.refused(r, err), "smscode"), fault.KindOf(err).Status())
		return
	}
	h.keep(w, pass{Phone: token})
	http.Redirect(w, r, "/progress/mine", http.StatusSeeOther)
}

// mineView is one line of the list with the address of its page.
type mineView struct {
	Summary
	Alias string
}

// mine lists the tickets of the phone that was proved.
func (h *site) mine(w http.ResponseWriter, r *http.Request) {
	ps := h.passOf(r)
	if ps.Phone == "" {
		h.over(w, r)
		return
	}
	list, err := h.s.Mine(r.Context(), ps.Phone)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if len(list) > passLimit {
		list = list[:passLimit]
	}
	var rows []mineView
	for _, s := range list {
		rows = append(rows, mineView{s, h.box.alias(s.Number)})
	}
	for i := len(list) - 1; i >= 0; i-- {
		ps = ps.with(entry{N: list[i].Number})
	}
	h.keep(w, ps)
	p := h.page(r, "progress", "我的诉求")
	p.Private, p.D = true, rows
	h.render(w, r, "mine", p)
}

// over says that the look-up has ended and what to do.
func (h *site) over(w http.ResponseWriter, r *http.Request) {
	h.fail(w, r, fault.Unauthenticated("look_up_over", "为了保护您的信息，查询30分钟不用就会结束；浏览器不允许保存Cookie时也看不到。请重新查询。"))
}

// leave forgets what the visitor looked up, for shared machines.
func (h *site) leave(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: h.cookieName("pass"), Path: "/", MaxAge: -1, HttpOnly: true, Secure: h.opt.Secure, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/progress", http.StatusSeeOther)
}

// follow opens the ticket of a link in a notice.
func (h *site) follow(w http.ResponseWriter, r *http.Request) {
	ref, err := h.s.Follow(r.Context(), r.PathValue("key"), h.ip(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.keep(w, h.passOf(r).with(entry{N: ref.Number, C: ref.Code, T: ref.Token}))
	to := "/progress/t/" + h.box.alias(ref.Number)
	if act := r.URL.Query().Get("do"); acts[act].Title != "" {
		to += "/" + act
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
