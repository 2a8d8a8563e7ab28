package sip

import (
	"strings"

	sg "github.com/emiago/sipgo/sip"
)

// caller is who calls. A trunk's P-Asserted-Identity (RFC 3325) goes before
// From; Privacy withholds either; what is not a number counts as withheld.
func caller(req *sg.Request, trusted bool) string {
	if trusted {
		for _, v := range values(req, "privacy") {
			for p := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
				switch strings.ToLower(p) {
				case "id", "user", "header", "critical":
					return ""
				}
			}
		}
		for _, v := range values(req, "p-asserted-identity") {
			for part := range splitList(v) {
				if n := Number(userOf(part)); n != "" {
					return n
				}
			}
		}
	}
	if h := req.From(); h != nil {
		return Number(user(&h.Address))
	}
	return ""
}

// called is the number that was dialled: request URI, else To, else
// P-Called-Party-ID (RFC 7315); the bare user when none is a number.
func called(req *sg.Request) string {
	uri := user(&req.Recipient)
	candidates := []string{uri}
	if h := req.To(); h != nil {
		candidates = append(candidates, user(&h.Address))
	}
	for _, v := range values(req, "p-called-party-id") {
		candidates = append(candidates, userOf(v))
	}
	for _, c := range candidates {
		if n := Number(c); n != "" {
			return n
		}
	}
	return clip(uri, 64)
}

// Number writes a telephone number as it is dialled within China: separators and
// the country's prefix are gone, an area code has its 0 again, a foreign number
// begins with 00. What is not a number is "".
func Number(s string) string {
	s, _, _ = strings.Cut(s, ";")
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9' || r == '*' || r == '#':
			b.WriteRune(r)
		case r == '+' && i == 0:
			b.WriteString("00")
		case r == '-' || r == '.' || r == '(' || r == ')' || r == ' ':
		default:
			return ""
		}
	}
	n := b.String()
	home := n
	for strings.HasPrefix(home, "0086") {
		home = home[4:]
	}
	switch {
	case len(n) > 32, home == "00", strings.Trim(home, "*#") == "":
		return ""
	case home == n:
		return n
	case len(home) <= 6, len(home) == 11 && home[0] == '1', strings.HasPrefix(home, "0"), strings.HasPrefix(home, "400"), strings.HasPrefix(home, "800"):
		return home // a short code, a mobile, a number that kept its 0, a toll-free number
	}
	return "0" + home
}

// user is the user part of a sip, sips or tel URI.
func user(u *sg.Uri) string {
	if u.User != "" {
		return u.User
	}
	return u.Raw()
}

// userOf is the user part of a header value that is an address.
func userOf(value string) string {
	var u sg.Uri
	if _, err := sg.ParseAddressValue(strings.TrimSpace(value), &u, nil); err != nil {
		return ""
	}
	return user(&u)
}

// splitList cuts at the commas that stand outside of quotes and angle brackets.
func splitList(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, bracket, from := false, false, 0
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '<':
				bracket = true
			case c == '>':
				bracket = false
			case c == ',' && !bracket:
				if !yield(strings.TrimSpace(s[from:i])) {
					return
				}
				from = i + 1
			}
		}
		yield(strings.TrimSpace(s[from:]))
	}
}

// carried are the headers of an INVITE that the platform may ask for: how the
// call was diverted (RFC 5806, RFC 7044) and what a neighbour platform attached.
func carried(req *sg.Request) map[string]string {
	out := map[string]string{}
	for _, h := range req.Headers() {
		name := canonical(h.Name())
		switch name {
		case "Diversion", "History-Info", "P-Called-Party-ID", "P-Asserted-Identity":
		default:
			if !strings.HasPrefix(name, "X-") {
				continue
			}
		}
		v := clip(h.Value(), 1024)
		if old, ok := out[name]; ok {
			v = clip(old+", "+v, 1024)
		} else if len(out) == 20 {
			continue
		}
		out[name] = v
	}
	return out
}

// canonical writes a header's name one way: each word's first letter large.
func canonical(name string) string {
	parts := strings.Split(strings.ToLower(clip(name, 64)), "-")
	for i, p := range parts {
		if p == "id" && i > 0 {
			parts[i] = "ID"
		} else if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}

func values(m sg.Message, name string) []string {
	var out []string
	for _, h := range m.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

func clip(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}
