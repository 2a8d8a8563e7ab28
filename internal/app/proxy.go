package app

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"hotline/internal/fault"
)

// ParseProxies reads the addresses of the reverse proxies (反向代理) that stand
// before the platform: addresses or CIDR blocks, comma-separated.
func ParseProxies(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fault.Invalid("proxy_address", "反向代理地址“%s”无法识别：请写 IP 地址或网段（如 10.0.0.0/8），多个用逗号隔开。", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// behind puts the visitor's own address into RemoteAddr when a trusted proxy
// passes the request on: the last address in X-Forwarded-For that is not a
// trusted proxy. Whoever connects directly cannot choose what the audit says of him.
func behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && trusted(peer.Addr()) {
			hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			for i := len(hops) - 1; i >= 0; i-- {
				a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
				if err != nil {
					break
				}
				r.RemoteAddr = net.JoinHostPort(a.Unmap().String(), "0")
				if !trusted(a) {
					break
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}
