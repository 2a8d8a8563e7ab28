package intake

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// ImportOptions says where a file of requests comes from and who takes them in.
type ImportOptions struct {
	Source   string         // import source; with a line's no it is the identity of a request. "" = "import"
	Platform int64          // receiving platform; 0 = the actor's, else the province's
	Progress func(done int) // told after every line; may be nil
}

// Report is what became of an import (导入结果).
type Report struct {
	Imported, Skipped, Rejected int
	Repeated                    int // of the imported: same words as an earlier one, linked to it
	Dispatchable                int // of the imported: wait for 派单, the others for 受理
	Errors                      []LineError
}

// LineError is a rejected line with what was in it and why.
type LineError struct {
	Line                        int
	No, User, Title, Time, Body string
	Reason                      string // Chinese
}

// importLine is one line of a file of requests.
type importLine struct {
	No    flexible `json:"no"`
	User  flexible `json:"user"`
	Title string   `json:"title"`
	Time  string   `json:"time"`
	Body  string   `json:"body"`

	line   int
	digest [32]byte

	repeat int64
}

// flexible is a text that some systems write as a number.
type flexible string

// UnmarshalJSON takes a string or a number.
func (f *flexible) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(f))
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*f = flexible(n)
	return nil
}

const (
	importPart    = 512 // lines looked at together
	importWriters = 32  // so that commits are shared
	maxImportLine = 1 << 20
	maxImportNo   = 64
)

// importer is one run of Import.
type importer struct {
	s     *Service
	actor access.Actor
	opt   ImportOptions
	seen  map[[32]byte]int64 // digest of a text → first ticket with it
	nos   map[string]bool    // numbers met in this file
	mu    sync.Mutex
	rep   Report
	done  int
}

// Import takes requests from another system in, one JSON line each: {"no",
// "user", "title", "time", "body"}. Each goes through the checks of a web
// request; one without a phone is anonymous. Its time is kept as 原始时间 while
// the clocks start now. A request that is there already, by source and no, is
// skipped, so a second run does nothing; one in the same words as another is
// linked to it and never dropped. Rejected lines are reported; err tells only
// of what stops the import.
func (s *Service) Import(ctx context.Context, actor access.Actor, r io.Reader, opt ImportOptions) (Report, error) {
	if opt.Source == "" {
		opt.Source = "import"
	}
	m := &importer{s: s, actor: actor, opt: opt, seen: map[[32]byte]int64{}, nos: map[string]bool{}}
	in := bufio.NewReaderSize(r, 1<<16)
	var part []*importLine
	for no := 1; ; no++ {
		raw, long, err := readLine(in)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return m.rep, fmt.Errorf("import: read line %d: %w", no, err)
		}
		if len(raw) > 0 || long {
			if l := m.parse(no, raw, long); l != nil {
				part = append(part, l)
			}
		}
		if len(part) >= importPart || end {
			if err := m.take(ctx, part); err != nil {
				return m.rep, err
			}
			part = part[:0]
		}
		if end {
			return m.rep, nil
		}
	}
}

// readLine reads a line without its end; long says that it was cut off.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		piece, err := in.ReadSlice('\n')
		if len(line)+len(piece) > maxImportLine {
			long = true
		} else {
			line = append(line, piece...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff"))), long, err
	}
}

// parse reads a line; nil when it was rejected or met before in this file.
func (m *importer) parse(no int, raw []byte, long bool) *importLine {
	l := &importLine{line: no}
	if long {
		return m.reject(l, "一行超过1兆字节，无法导入。")
	}
	if err := json.Unmarshal(raw, l); err != nil {
		l.Body = zh.Truncate(strings.ToValidUTF8(string(raw), ""), 500)
		return m.reject(l, whyNotRead(err))
	}
	l.No = flexible(strings.TrimSpace(string(l.No)))
	switch {
	case l.No == "":
		return m.reject(l, "缺少编号，无法判断是否已导入。")
	case utf8.RuneCountInString(string(l.No)) > maxImportNo:
		return m.reject(l, "编号不能超过64个字符。")
	case strings.TrimSpace(l.Body) == "":
		return m.reject(l, "缺少正文。")
	case m.nos[string(l.No)]:
		m.mu.Lock()
		m.rep.Skipped++
		m.mu.Unlock()
		m.told()
		return nil
	}
	m.nos[string(l.No)] = true
	l.digest = textDigest(l.Body)
	return l
}

// importWords names the inputs of a line.
var importWords = map[string]string{"no": "编号", "user": "用户", "title": "标题", "time": "时间", "body": "正文"}

// whyNotRead says which input of a line is of the wrong kind, or that it is no
// JSON at all.
func whyNotRead(err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) && importWords[typ.Field] != "" {
		return "“" + importWords[typ.Field] + "”应为文字（加引号）。"
	}
	return "不是有效的JSON，应为一行一个对象，含编号、用户、标题、时间和正文。"
}

// textDigest is the same for texts that differ in spacing, punctuation and
// width only.
func textDigest(body string) [32]byte {
	return sha256.Sum256([]byte(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) {
			return -1
		}
		return r
	}, zh.Normalize(body))))
}

// take brings in one part of the file: first the texts that are new, at many
// at a time, then those that repeat one of them.
func (m *importer) take(ctx context.Context, part []*importLine) error {
	fresh, err := m.skipKnown(ctx, part)
	if err != nil {
		return err
	}
	var once, again []*importLine
	here := map[[32]byte]bool{}
	for _, l := range fresh {
		if m.seen[l.digest] != 0 || here[l.digest] {
			again = append(again, l)
			continue
		}
		here[l.digest] = true
		once = append(once, l)
	}
	if err := m.each(ctx, once); err != nil {
		return err
	}
	return m.each(ctx, again)
}

// skipKnown leaves out what an earlier run brought in.
func (m *importer) skipKnown(ctx context.Context, part []*importLine) (fresh []*importLine, err error) {
	known := make([]int64, len(part))
	err = m.s.tickets.DB.View(ctx, func(tx *db.Tx) error {
		for i, l := range part {
			ids, err := db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) },
				`SELECT id FROM ticket WHERE source = $1 AND source <> '' AND source_no = $2`, m.opt.Source, string(l.No))
			if err != nil {
				return err
			}
			if len(ids) > 0 {
				known[i] = ids[0]
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, l := range part {
		if known[i] == 0 {
			fresh = append(fresh, l)
			continue
		}
		if m.seen[l.digest] == 0 {
			m.seen[l.digest] = known[i]
		}
		m.rep.Skipped++
		m.told()
	}
	return fresh, nil
}

// each brings lines in, many at a time so that they share commits.
func (m *importer) each(ctx context.Context, lines []*importLine) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan *importLine)
	var wg sync.WaitGroup
	for range min(importWriters, len(lines)) {
		wg.Go(func() {
			for l := range next {
				if err := m.one(ctx, l); err != nil {
					cancel(fmt.Errorf("import: line %d: %w", l.line, err))
				}
			}
		})
	}
	for _, l := range lines {
		if ctx.Err() != nil {
			break
		}
		next <- l
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// one takes a line in; what the request is to blame for rejects it.
func (m *importer) one(ctx context.Context, l *importLine) error {
	m.mu.Lock()
	l.repeat = m.seen[l.digest]
	m.mu.Unlock()
	q, why := m.request(l)
	if why != "" {
		m.reject(l, why)
		return nil
	}
	n, err := m.s.Decide(m.actor, q)
	if e := businessFault(err); e != nil {
		m.reject(l, e.Detail)
		return nil
	}
	if err != nil {
		return err
	}
	if clearEnough(&n) {
		n.Status = ticket.ToDispatch
	}
	d, err := m.s.tickets.Prepare(ctx, m.actor, n)
	if err == nil {
		err = m.s.tickets.DB.UpdateLane(ctx, db.LaneLow, d.Write)
	}
	m.mu.Lock()
	switch {
	case db.IsUnique(err): // another import of the same file was faster
		err = nil
		m.rep.Skipped++
	case err == nil:
		m.rep.Imported++
		if n.Status == ticket.ToDispatch {
			m.rep.Dispatchable++
		}
		if l.repeat != 0 {
			m.rep.Repeated++
		} else if m.seen[l.digest] == 0 {
			m.seen[l.digest] = d.Receipt.ID
		}
	}
	m.mu.Unlock()
	if err == nil {
		m.told()
	}
	return err
}

// request turns a line into what a door hands in; why is the reason to refuse.
func (m *importer) request(l *importLine) (q Request, why string) {
	original, ok := originalTime(l.Time, m.s.tickets.DB.Clock().Now())
	if !ok {
		return q, "时间格式不正确或晚于现在，应如2026-11-22 09:30:00。"
	}
	typ, _, _ := insight.TypeOf(l.Title, l.Body)
	if typ == "" {
		// Whoever writes to the government without praise, question, complaint
		// or proposal wants something done: 求助. 其他 would hide it from the
		// units' limits.
		typ = "求助"
	}
	q = Request{Type: typ, Title: l.Title, Content: l.Body, Secrecy: ticket.SecrecyAnonymous, Channel: "import", Platform: m.opt.Platform,
		Source: m.opt.Source, SourceNo: string(l.No), Former: string(l.No), Original: original, RepeatOf: l.repeat}
	if phone, ok := zh.NormalizePhone(string(l.User)); ok {
		q.Requester.Phone, q.Secrecy = phone, ""
	}
	return q, ""
}

// clearEnough tells whether an imported request may go straight to 派单. Unlike
// one from the web its place is often only the platform's own region; that
// does not hold it up, because the duty names the department at that level
// and the ticket stays marked 地址待核.
func clearEnough(n *ticket.Intake) bool {
	return n.Status == ticket.Received && n.Suggestion != nil && n.Suggestion.Unit != 0 && n.Suggestion.Confidence >= 0.45*0.8 &&
		n.Type != "举报" && insight.Redirect(n.Title+n.Content) == nil
}

// timeForms are the ways in which systems write a moment.
var timeForms = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02", "2006/1/2"}

// originalTime reads the moment of a request; none is no fault.
func originalTime(s string, now time.Time) (ms int64, ok bool) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, true
	}
	for _, f := range timeForms {
		if t, err := time.ParseInLocation(f, s, clock.Shanghai); err == nil {
			return clock.Millis(t), t.Year() >= 1990 && t.Before(now.Add(24*time.Hour))
		}
	}
	return 0, false
}

func (m *importer) reject(l *importLine, why string) *importLine {
	m.mu.Lock()
	m.rep.Rejected++
	m.rep.Errors = append(m.rep.Errors, LineError{l.line, string(l.No), string(l.User), l.Title, l.Time, l.Body, why})
	m.mu.Unlock()
	m.told()
	return nil
}

func (m *importer) told() {
	m.mu.Lock()
	m.done++
	n := m.done
	m.mu.Unlock()
	if m.opt.Progress != nil {
		m.opt.Progress(n)
	}
}

// businessFault is the error when the request is to blame for it.
func businessFault(err error) *fault.Error {
	var e *fault.Error
	if errors.As(err, &e) && e.Kind == fault.KindInvalid {
		return e
	}
	return nil
}
