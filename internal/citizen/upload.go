package citizen

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"hotline/internal/fault"
)

const (
	maxBody = maxFiles*maxFileSize + 2<<20 // all files and the words
	maxText = 2 << 20                      // a form without files
	drain   = 256 << 20                    // read and thrown away so that the browser hears our answer
)

var errTooBig = fault.Invalid("upload_too_big", "附件太大：最多9个，每个不超过20MB。请减少或压缩后再试。").
	At(fault.Field{Name: "files", Detail: "附件太大：最多9个，每个不超过20MB。请减少或压缩后再试"})

// readForm parses a posted form within limits; done frees its temporary files.
func (h *site) readForm(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	done = func() {}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		r.Body = http.MaxBytesReader(w, r.Body, maxText)
		if err := r.ParseForm(); err != nil {
			return done, fault.Invalid("form_unreadable", "内容没有完整收到，请返回重试；内容特别长时请改用附件。").Because(err)
		}
		return done, nil
	}
	select {
	case h.uploads <- struct{}{}:
		defer func() { <-h.uploads }()
	default:
		return done, fault.Unavailable("uploads_busy", "现在上传附件的人较多，请稍等一分钟再试。")
	}
	if r.ContentLength > maxBody {
		io.CopyN(io.Discard, r.Body, drain)
		return done, errTooBig
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseMultipartForm(4 << 20); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return done, errTooBig
		}
		return done, fault.Invalid("form_unreadable", "内容没有完整收到，请检查网络后返回重试。").Because(err)
	}
	r.PostForm = r.MultipartForm.Value
	return func() { r.MultipartForm.RemoveAll() }, nil
}

// filesOf lists the uploads of a parsed form and what is wrong with them.
func filesOf(r *http.Request) (files []Upload, ps problems) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	for _, f := range r.MultipartForm.File["files"] {
		if f.Size == 0 && f.Filename == "" {
			continue // an input left empty
		}
		if f.Size > maxFileSize {
			ps = append(ps, problem{"files", "“" + f.Filename + "”超过20MB，请压缩后再选"})
			continue
		}
		files = append(files, Upload{Name: f.Filename, Size: f.Size, Open: opener(f)})
	}
	if len(files) > maxFiles {
		ps = append(ps, problem{"files", "附件最多9个，请减少后再选"})
	}
	return files, ps
}

func opener(f *multipart.FileHeader) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return f.Open() }
}
