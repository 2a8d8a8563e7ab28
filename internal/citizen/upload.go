package citizen

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"hotline/internal/fault"
)

const (
	maxBody  = maxFiles*maxFileSize + 2<<20 // all files and the words
	maxText  = 2 << 20                      // a form without files
	maxParts = 200                          // of a form with files
	inMemory = 256 << 10                    // of a file; what is longer is spooled
	drain    = 256 << 20                    // read and thrown away so that the browser hears our answer
)

var (
	errTooBig = fault.Invalid("upload_too_big", "附件太大：最多9个，每个不超过20MB。请减少或压缩后再试。").
			At(fault.Field{Name: "files", Detail: "附件太大：最多9个，每个不超过20MB。请减少或压缩后再试"})
	errLongText = fault.Invalid("text_too_long", "内容太长，没有提交。请控制在20000字以内，更多材料可以作为附件。")
)

// readForm parses a posted form within limits; done frees its files.
func (h *site) readForm(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	done = func() {}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		body := r.Body
		r.Body = http.MaxBytesReader(nil, body, maxText) // nil: the rest is still read, so that the browser hears our answer
		if err := r.ParseForm(); err != nil {
			var long *http.MaxBytesError
			if errors.As(err, &long) {
				io.CopyN(io.Discard, body, drain)
				return done, errLongText
			}
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
	words, files, err := readParts(r)
	done = func() {
		for _, f := range files {
			f.free()
		}
	}
	if err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return done, errTooBig
		}
		if errors.Is(err, errLongText) {
			io.CopyN(io.Discard, r.Body, drain)
			return done, errLongText
		}
		return done, fault.Invalid("form_unreadable", "内容没有完整收到，请检查网络后返回重试。").Because(err)
	}
	r.PostForm = words
	*r = *r.WithContext(context.WithValue(r.Context(), filesKey{}, files))
	return done, nil
}

// readParts reads a form with files as it comes, so that no file ever lies on
// the disk in clear, as it would with the standard library's parser.
func readParts(r *http.Request) (words url.Values, files []*received, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	words = url.Values{}
	left := int64(maxText)
	for range maxParts {
		p, err := parts.NextPart()
		if err == io.EOF {
			return words, files, nil
		}
		if err != nil {
			return nil, files, err
		}
		if p.FileName() == "" && p.Header.Get("Content-Type") == "" {
			text, err := io.ReadAll(io.LimitReader(p, left+1))
			if left -= int64(len(text)); err != nil || left < 0 {
				return nil, files, errors.Join(err, errLongText)
			}
			words.Add(p.FormName(), string(text))
			continue
		}
		f := &received{field: p.FormName(), name: p.FileName()}
		files = append(files, f)
		if err := f.take(p); err != nil {
			return nil, files, err
		}
	}
	return nil, files, errLongText
}

type filesKey struct{}

// uploaded are the files of a parsed form under the name "files", without the
// inputs left empty.
func uploaded(r *http.Request) (out []*received) {
	all, _ := r.Context().Value(filesKey{}).([]*received)
	for _, f := range all {
		if f.field == "files" && (f.size > 0 || f.name != "") {
			out = append(out, f)
		}
	}
	return out
}

// received is a file of a form: its first bytes in memory and the rest in a
// spool, a file without a name, enciphered under a key that only this process
// has and only as long as the request lasts.
type received struct {
	field, name string
	size        int64
	head        []byte
	spool       *os.File
	block       cipher.Block
}

// take reads a part to its end and keeps at most what a file may have.
func (f *received) take(r io.Reader) error {
	var err error
	if f.head, err = io.ReadAll(io.LimitReader(r, inMemory)); err != nil {
		return err
	}
	f.size = int64(len(f.head))
	if f.size < inMemory {
		return nil
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	if f.block, err = aes.NewCipher(key[:]); err != nil {
		return err
	}
	if f.spool, err = os.CreateTemp("", "hotline-spool-"); err != nil {
		return err
	}
	if err := os.Remove(f.spool.Name()); err != nil {
		return err
	}
	n, err := io.Copy(cipher.StreamWriter{S: f.stream(), W: f.spool}, io.LimitReader(r, maxFileSize+1-inMemory))
	if err != nil {
		return err
	}
	rest, err := io.Copy(io.Discard, r) // too long: filesOf says so
	f.size += n + rest
	return err
}

// stream is the key stream of the spool; a key serves one file, so it starts at 0.
func (f *received) stream() cipher.Stream {
	return cipher.NewCTR(f.block, make([]byte, aes.BlockSize))
}

func (f *received) open() (io.ReadCloser, error) {
	head := strings.NewReader(string(f.head))
	if f.spool == nil {
		return io.NopCloser(head), nil
	}
	rest := cipher.StreamReader{S: f.stream(), R: io.NewSectionReader(f.spool, 0, maxFileSize)}
	return io.NopCloser(io.MultiReader(head, rest)), nil
}

func (f *received) free() {
	if f.spool != nil {
		f.spool.Close()
	}
}

// filesOf lists the uploads of a parsed form and what is wrong with them.
func filesOf(r *http.Request) (files []Upload, ps problems) {
	for _, f := range uploaded(r) {
		if f.size > maxFileSize {
			ps = append(ps, problem{"files", "“" + f.name + "”超过20MB，请压缩后再选"})
			continue
		}
		files = append(files, Upload{Name: f.name, Size: f.size, Open: f.open})
	}
	if len(files) > maxFiles {
		ps = append(ps, problem{"files", "附件最多9个，请减少后再选"})
	}
	return files, ps
}
