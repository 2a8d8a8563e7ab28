package citizen

import (
	"net/http"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// textView is the data of a conversation's page.
type textView struct {
	Token, Key, Text string
	Talk             Talk
	Err              string
}

// textPage shows the conversation of a link in a text message (文字会话). It works
// without a script: the visitor refreshes it.
func (h *site) textPage(w http.ResponseWriter, r *http.Request) {
	h.showText(w, r, textView{}, nil, 0)
}

func (h *site) showText(w http.ResponseWriter, r *http.Request, v textView, errs problems, code int) {
	v.Token = r.PathValue("token")
	t, err := h.s.Talk(r.Context(), v.Token, h.holder(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if v.Key == "" {
		v.Key = randomKey()
	}
	v.Talk, v.Err = t, errs.On("text")
	p := h.page(r, "", "文字会话")
	p.Path = r.URL.EscapedPath()
	p.Private, p.Errs, p.D, p.Status = true, errs, v, code
	h.render(w, r, "text", p)
}

// textPost sends what the visitor wrote. The first message binds the link to
// this browser.
func (h *site) textPost(w http.ResponseWriter, r *http.Request) {
	done, err := h.readForm(w, r)
	defer done()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := textView{Text: strings.TrimSpace(zh.Clean(r.PostForm.Get("text"))), Key: r.PostForm.Get("key")}
	token := r.PathValue("token")
	keep, err := h.s.WriteTalk(r.Context(), token, h.holder(r), v.Key, v.Text)
	if err != nil {
		switch fault.KindOf(err) {
		case fault.KindInvalid, fault.KindTooMany, fault.KindConflict:
			ps := of(err)
			h.showText(w, r, v, named(ps, "text"), fault.KindOf(err).Status())
		default:
			h.fail(w, r, err)
		}
		return
	}
	http.SetCookie(w, &http.Cookie{Name: h.cookieName("text"), Value: keep, Path: "/text/" + token, MaxAge: 24 * 3600, HttpOnly: true, Secure: h.opt.Secure, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/text/"+token+"#text", http.StatusSeeOther)
}

// holder is the secret by which this browser holds the link; "" for none.
func (h *site) holder(r *http.Request) string {
	if c, err := r.Cookie(h.cookieName("text")); err == nil {
		return c.Value
	}
	return ""
}
