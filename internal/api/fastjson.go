package api

import (
	"bytes"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// appender is an answer that writes its own JSON. A page of a list has 1,600
// fields: reflection over them costs more than finding the rows. The tests hold
// each against encoding/json.
type appender interface{ AppendJSON(b []byte) []byte }

// bodies are the buffers of answers.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 16<<10)) }}

// quickFormats has answers that can write themselves do so.
func quickFormats(formats map[string]huma.Format) map[string]huma.Format {
	out := map[string]huma.Format{}
	for name, f := range formats {
		slow := f.Marshal
		if name == "application/json" || name == "json" {
			f.Marshal = func(w io.Writer, v any) error {
				b := bodies.Get().(*bytes.Buffer)
				defer bodies.Put(b)
				b.Reset()
				if a, ok := v.(appender); ok {
					b.Write(append(a.AppendJSON(b.AvailableBuffer()), '\n'))
				} else if err := slow(b, v); err != nil {
					return err
				}
				if whole, ok := w.(*held); ok {
					whole.size(b.Len())
				}
				_, err := w.Write(b.Bytes())
				return err
			}
		}
		out[name] = f
	}
	return out
}

type humaContext = huma.Context

// held is a request whose status waits for its body, so that the length of a
// whole body stands in the header (without it, net/http sends a long one in
// chunks, which costs both sides more system calls), and whose answer waits for
// the audit entries of what it shows.
type held struct {
	humaContext
	looks  *looks
	fail   func(error) // answers with an error instead
	status int         // not yet sent; 0 = sent
	failed bool        // an error was sent instead
}

// SetStatus serves huma.
func (a *held) SetStatus(code int) { a.status = code }

// Status serves huma.
func (a *held) Status() int {
	if a.status != 0 {
		return a.status
	}
	return a.humaContext.Status()
}

// BodyWriter serves huma.
func (a *held) BodyWriter() io.Writer { return a }

// Write sends the status before the first byte.
func (a *held) Write(p []byte) (int, error) {
	if a.end(); a.failed {
		return len(p), nil
	}
	return a.humaContext.BodyWriter().Write(p)
}

// size says how long the body will be that is written next.
func (a *held) size(n int) { a.SetHeader("Content-Length", strconv.Itoa(n)) }

// end sends the status, once what the answer shows is in the audit log.
func (a *held) end() {
	if a.status == 0 {
		return
	}
	status := a.status
	a.status = 0
	if err := a.looks.wait(a.Context()); err != nil {
		a.failed = true
		a.fail(err)
		return
	}
	a.humaContext.SetStatus(status)
}

// members writes the members of a JSON object.
type members struct {
	b     []byte
	begun bool
}

func (o *members) name(n string) {
	if o.begun {
		o.b = append(o.b, ',')
	} else {
		o.b = append(o.b, '{')
		o.begun = true
	}
	o.b = append(append(append(o.b, '"'), n...), '"', ':')
}

func (o *members) text(name, s string)      { o.name(name); o.b = appendText(o.b, s) }
func (o *members) int(name string, n int64) { o.name(name); o.b = strconv.AppendInt(o.b, n, 10) }
func (o *members) id(name string, id ID) {
	o.name(name)
	o.b = append(o.b, '"')
	if id != 0 {
		o.b = strconv.AppendInt(o.b, int64(id), 10)
	}
	o.b = append(o.b, '"')
}

func (o *members) texts(name string, list []string) {
	o.name(name)
	if list == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '[')
	for i, s := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendText(o.b, s)
	}
	o.b = append(o.b, ']')
}

// plainByte marks what stands for itself in any valid text. U+2028 and U+2029,
// which do not, begin with 0xE2.
var plainByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f && c != 0xE2
	}
	return t
}()

// appendText writes a string as encoding/json does, with <, > and & escaped.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	plain := 0
	for plain < len(s) && plainByte[s[plain]] {
		plain++
	}
	if plain == len(s) && utf8.ValidString(s) {
		return append(append(b, s...), '"')
	}
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
				b = append(b, s[from:i]...)
				b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
				from = i + n
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case 0x7f:
			b = append(b, c)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// AppendJSON serves quickFormats.
func (l TicketList) AppendJSON(b []byte) []byte {
	b = append(b, `{"items":`...)
	if l.Items == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i := range l.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = l.Items[i].appendJSON(b)
		}
		b = append(b, ']')
	}
	b = append(b, `,"next":`...)
	return append(appendText(b, l.Next), '}')
}

func (r *TicketRow) appendJSON(b []byte) []byte {
	o := members{b: b}
	o.id("id", r.ID)
	o.text("number", r.Number)
	o.text("type", r.Type)
	o.text("title", r.Title)
	o.text("category", r.Category)
	o.text("category_name", r.CategoryName)
	o.text("region", r.Region)
	o.text("region_name", r.RegionName)
	o.unit("unit", r.Unit)
	o.suggestion("suggestion", r.Suggestion)
	o.text("status", r.Status)
	o.text("status_label", r.StatusLabel)
	o.id("assignment", r.Assignment)
	o.text("role", r.Role)
	o.text("state", r.State)
	o.text("state_label", r.StateLabel)
	o.text("urgency", r.Urgency)
	o.text("label", r.Label)
	o.text("channel", r.Channel)
	o.text("line", r.Line)
	o.text("line_name", r.LineName)
	o.text("centre", r.Centre)
	o.int("leg", int64(r.Leg))
	o.text("due", r.Due)
	o.text("due_text", r.DueText)
	o.text("light", r.Light)
	o.text("accepted_at", r.AcceptedAt)
	o.int("version", r.Version)
	o.texts("flags", r.Flags)
	o.text("requester", r.Requester)
	o.text("phone", r.Phone)
	if r.Demo {
		o.name("demo")
		o.b = append(o.b, "true"...)
	}
	if r.Similar != nil {
		o.int("similar", *r.Similar)
	}
	return append(o.b, '}')
}
