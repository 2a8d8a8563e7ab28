package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"hotline/internal/fault"
)

func TestVisitorBehindProxies(t *testing.T) {
	proxies, err := ParseProxies("127.0.0.1, 10.0.0.0/8,fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, peer, forwarded, want string }{
		{"direct", "203.0.113.9:1000", "", "203.0.113.9:1000"},
		{"direct, with a header of one's own", "203.0.113.9:1000", "198.51.100.7", "203.0.113.9:1000"},
		{"one proxy", "127.0.0.1:1000", "198.51.100.7", "198.51.100.7:0"},
		{"two proxies", "127.0.0.1:1000", "198.51.100.7, 10.1.2.3", "198.51.100.7:0"},
		{"forged first hop", "127.0.0.1:1000", "8.8.8.8, 198.51.100.7", "198.51.100.7:0"},
		{"nothing said", "127.0.0.1:1000", "", "127.0.0.1:1000"},
		{"garbage", "127.0.0.1:1000", "x, 10.1.2.3", "10.1.2.3:0"},
		{"IPv6", "[fd00::1]:1000", "2001:db8::7", "[2001:db8::7]:0"},
		{"mapped IPv4", "[::ffff:127.0.0.1]:1000", "198.51.100.7", "198.51.100.7:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			var got string
			behind(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	if _, err := ParseProxies("10.0.0.0/99"); !fault.Is(err, "proxy_address") {
		t.Error(err)
	}
}
