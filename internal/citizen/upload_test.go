package citizen

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"hotline/internal/fault"
)

// A visitor's file never lies on the disk in clear, however long it is, and
// nothing is left of it.
func TestUploadsRestEnciphered(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	photo := bytes.Repeat([]byte("举报材料，身份证420106199001011234。"), 100_000) // 5 MB
	short := []byte("一页说明")
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, text := range map[string]string{"content": "凌晨施工", "key": "k1"} {
		if err := m.WriteField(name, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range [][]byte{photo, short, nil} {
		name := "现场.jpg"
		if data == nil {
			name = "" // an input left empty
		}
		f, _ := m.CreateFormFile("files", name)
		_, _ = f.Write(data)
	}
	m.Close()
	r := httptest.NewRequest("POST", "/submit", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	h := &site{uploads: make(chan struct{}, 1)}
	done, err := h.readForm(httptest.NewRecorder(), r)
	if err != nil {
		t.Fatal(err)
	}
	if r.PostForm.Get("content") != "凌晨施工" || r.PostForm.Get("key") != "k1" {
		t.Errorf("the words: %v", r.PostForm)
	}
	files, bad := filesOf(r)
	if len(files) != 2 || len(bad) != 0 || files[0].Size != int64(len(photo)) {
		t.Fatalf("%d files, %v", len(files), bad)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("a file with a name: %v", left)
	}
	spool := uploaded(r)[0].spool
	raw, err := io.ReadAll(io.NewSectionReader(spool, 0, 1<<30))
	if err != nil || len(raw) < len(photo)-inMemory || bytes.Contains(raw, []byte("举报材料")) {
		t.Errorf("the spool holds %d bytes: %v", len(raw), err)
	}
	for i, want := range [][]byte{photo, short, photo} { // also a second time
		f, err := files[i%2].Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, want) {
			t.Errorf("file %d: %d bytes, want %d: %v", i, len(got), len(want), err)
		}
		f.Close()
	}
	done()
	if _, err := spool.Stat(); err == nil {
		t.Error("the spool is still open")
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	h := &site{uploads: make(chan struct{}, 1)}
	post := func(build func(*multipart.Writer)) (problems, error) {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		build(m)
		m.Close()
		r := httptest.NewRequest("POST", "/submit", &body)
		r.Header.Set("Content-Type", m.FormDataContentType())
		done, err := h.readForm(httptest.NewRecorder(), r)
		defer done()
		_, ps := filesOf(r)
		return ps, err
	}
	if ps, err := post(func(m *multipart.Writer) {
		f, _ := m.CreateFormFile("files", "长.mp4")
		_, _ = f.Write(make([]byte, maxFileSize+1))
	}); err != nil || len(ps) != 1 || !strings.Contains(ps[0].Text, "长.mp4") {
		t.Errorf("a long file: %v %v", ps, err)
	}
	if _, err := post(func(m *multipart.Writer) { _ = m.WriteField("content", strings.Repeat("长", maxText)) }); err == nil {
		t.Error("words without end")
	}
	if _, err := post(func(m *multipart.Writer) {
		for range maxParts + 1 {
			_ = m.WriteField("x", "y")
		}
	}); err == nil {
		t.Error("parts without end")
	}
}

// Words that are too long are read to their end, so that the answer arrives.
func TestLongWordsAreAnswered(t *testing.T) {
	long := strings.Repeat("灯", 4<<20) // 12 MB
	h := &site{uploads: make(chan struct{}, 1)}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if err := m.WriteField("content", long); err != nil {
		t.Fatal(err)
	}
	m.Close()
	for kind, text := range map[string]string{"application/x-www-form-urlencoded": "content=" + long, m.FormDataContentType(): body.String()} {
		rest := strings.NewReader(text)
		r := httptest.NewRequest("POST", "/submit", rest)
		r.Header.Set("Content-Type", kind)
		done, err := h.readForm(httptest.NewRecorder(), r)
		done()
		if !fault.Is(err, "text_too_long") || rest.Len() != 0 {
			t.Errorf("%s: %v, %d bytes unread", kind[:12], err, rest.Len())
		}
	}
}
