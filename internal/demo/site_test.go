package demo

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
)

// A visitor adds a photograph from the progress page, the button pressed twice,
// and hands the ticket to the demonstration without being anybody's staff.
func citizenHandsOver(t *testing.T, a *app.App, c *clock.Virtual, f *Face) {
	made := submitted(t, a, "投诉", "040101", "421202", nil)
	a.SetReady(true, "")
	site := httptest.NewServer(a.Serve(f))
	defer site.Close()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path, kind, body string) string {
		t.Helper()
		res, err := client.Post(site.URL+path, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
		return res.Header.Get("Location")
	}
	const form = "application/x-www-form-urlencoded"
	at := post("/progress", form, url.Values{"number": {made.Number}, "code": {made.QueryCode}}.Encode())

	var more bytes.Buffer
	m := multipart.NewWriter(&more)
	_ = m.WriteField("key", "supplement-of-one-visitor")
	_ = m.WriteField("text", "昨晚又施工到两点。")
	w, _ := m.CreateFormFile("files", "现场.png")
	_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 8, 8)))
	m.Close()
	for range 2 {
		post(at+"/supplement", m.FormDataContentType(), more.String())
	}
	if err := a.DB.View(context.Background(), func(tx *db.Tx) error {
		n, err := db.Int(tx, `SELECT count(*) FROM attachment WHERE ticket = $1`, made.ID)
		if n != 1 {
			t.Errorf("%d files of a form sent twice", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	post(at+"/play", form, url.Values{"key": {"play-for-one-visitor"}}.Encode())
	t.Logf("办结用时%s", closed(t, a, c, made.ID))
	res, err := client.Post(site.URL+at+"/play", form, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusConflict {
		t.Errorf("a closed ticket is played on: %d", res.StatusCode)
	}
}
