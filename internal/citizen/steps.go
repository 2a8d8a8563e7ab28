package citizen

import (
	"net/http"
	"slices"
	"strings"
)

// The 关怀版 asks one question per page. Every page holds the answers so far in
// one sealed field, so it works without a script, without a cookie and with the
// browser's own back button.

var steps = []string{"type", "city", "county", "town", "address", "content", "target", "secrecy", "phone", "name", "check"}

// stepsOf are the questions that this draft needs.
func (h *site) stepsOf(d draft) []string {
	return slices.DeleteFunc(slices.Clone(steps), func(step string) bool {
		switch step {
		case "county":
			return d.City != "" && len(below(h.s, d.City)) == 0
		case "town":
			return d.City != "" && (d.County == "" && len(below(h.s, d.City)) == 0 || d.County != "" && len(below(h.s, d.County)) == 0)
		case "target":
			return d.Type != "" && d.Type != "投诉" && d.Type != typeReport
		case "secrecy":
			return d.Type == typeReport
		case "name":
			return d.Anonymous
		}
		return false
	})
}

func (h *site) showStep(w http.ResponseWriter, r *http.Request, d draft, step string, errs problems) {
	d.settle(h.s)
	if step == "check" {
		d.Check = true
	}
	v := h.view(d)
	list := h.stepsOf(d)
	v.Step, v.Ask, v.No, v.Of = step, step, slices.Index(list, step)+1, len(list)
	v.State = h.box.seal("draft", d)
	v.Errs = errs
	p := h.page(r, "submit", "我要反映")
	if step == "check" {
		v.Place = d.place(h.s)
		v.Limit = h.s.Limit(r.Context(), d.Type, d.region())
		v.LostFiles = len(uploaded(r)) > 0 && len(errs) > 0
		if c, need := h.s.Challenge(h.ip(r)); need {
			v.Challenge = c
		}
		h.proofSeen(r, v)
		v.CodeSent = v.CodeSent || r.PostForm.Get("go") == "code" && len(errs) == 0
	}
	p.Care, p.Errs, p.D = true, errs, v
	if len(errs) > 0 {
		p.Status = http.StatusUnprocessableEntity
	}
	h.render(w, r, "step", p)
}

// stepPost takes the answer to one question and shows the one asked for by the
// button: the next, the one before, or any from the last page.
func (h *site) stepPost(w http.ResponseWriter, r *http.Request) {
	var d draft
	step := r.PostForm.Get("step")
	if !h.box.open("draft", r.PostForm.Get("state"), &d) || !slices.Contains(steps, step) {
		h.failStatus(w, r, http.StatusUnprocessableEntity, "请重新填写", "这一页已经失效，没有提交任何内容。请回到首页，点“我要反映”重新填写。")
		return
	}
	d.take(r, step)
	d.settle(h.s)
	list := h.stepsOf(d)
	at := max(slices.Index(list, step), 0)
	switch wish := r.PostForm.Get("go"); {
	case wish == "back":
		h.showStep(w, r, d, list[max(at-1, 0)], nil)
	case strings.HasPrefix(wish, "edit:") && slices.Contains(list, wish[5:]):
		h.showStep(w, r, d, wish[5:], nil)
	case wish == "code":
		v := &submitView{draft: d}
		h.proofCode(r, v)
		h.showStep(w, r, d, "check", v.Errs)
	case step == "check":
		h.stepSubmit(w, r, d)
	default:
		if errs := d.check(h.s, step); len(errs) > 0 {
			h.showStep(w, r, d, step, errs)
			return
		}
		h.showStep(w, r, d, h.next(d, list, at), nil)
	}
}

// next is the question after list[at]; after an edit from the last page it is
// the last page, unless the place changed and its parts have to be named.
func (h *site) next(d draft, list []string, at int) string {
	following := list[min(at+1, len(list)-1)]
	if !d.Check {
		return following
	}
	if following == "county" || following == "town" && d.County != "" {
		return following
	}
	if errs := d.check(h.s, list...); len(errs) > 0 {
		return errs[0].Name
	}
	return "check"
}

func (h *site) stepSubmit(w http.ResponseWriter, r *http.Request, d draft) {
	list := h.stepsOf(d)
	files, errs := filesOf(r)
	errs = append(d.check(h.s, list...), errs...)
	if len(errs) == 0 {
		err := h.accept(w, r, d, files, true)
		if err == nil {
			return
		}
		errs = h.refused(r, err)
	}
	h.showStep(w, r, d, "check", errs)
}
