package sip_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sip"
)

// A flood is held at the bound: new calls get 503, calls in progress go on, and
// when it is over calls come in again.
func TestFloodIsBounded(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t, func(c *sip.Config) { c.Transactions = 20 })
	e.when(ring)
	w := dialWire(t, e)
	refused := 0
	for i := range 60 {
		w.send(strings.ReplaceAll(w.request("INVITE", 1, fmt.Sprint("f", i), ""), "Call-ID: wire", fmt.Sprintf("Call-ID: %d", i)))
	}
	for m := w.read(time.Second); m != ""; m = w.read(300 * time.Millisecond) {
		if strings.HasPrefix(m, "SIP/2.0 503") {
			refused++
		}
	}
	if n := e.heard("invite"); n > 20 || refused < 10 {
		t.Errorf("%d calls came in, %d refused", n, refused)
	}
	for _, c := range e.all() {
		_ = c.Reject(486, "")
	}
	for m := w.read(time.Second); m != ""; m = w.read(300 * time.Millisecond) { // each refusal wants its ACK
		if strings.HasPrefix(m, "SIP/2.0 486") {
			ack := respond(m, 200)
			ack = "ACK sip:12345@127.0.0.1 SIP/2.0" + ack[strings.Index(ack, "\n"):]
			w.send(strings.Replace(ack, "1 INVITE", "1 ACK", 1))
		}
	}
	e.empty()
	if n := e.stack.Transactions(); n > 2 {
		t.Errorf("%d transactions left", n)
	}
	e.when(accept)
	run(t, "in.xml", e).wait()
}

// A call in over TLS, and one out whose certificate is checked.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	port := free(t)
	e := start(t, func(c *sip.Config) {
		c.TLS = sip.TLS{Listen: fmt.Sprintf("127.0.0.1:%d", port), Cert: cert, Key: key, CA: cert}
	})
	e.when(accept)
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{RootCAs: roots(t, cert)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := dialWire(t, e)
	say := func(s string) {
		s = strings.ReplaceAll(strings.Replace(s, "SIP/2.0/UDP", "SIP/2.0/TLS", 1), "\n", "\r\n")
		if _, err := conn.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	in := bufio.NewReader(conn)
	say(w.request("INVITE", 1, "a", ""))
	ok := read(t, conn, in, "SIP/2.0 200")
	if !strings.Contains(ok, "transport=tls") {
		t.Errorf("the Contact does not lead back to TLS\n%s", ok)
	}
	say(w.request("ACK", 1, "b", tag(t, ok)))
	e.expect("answered")
	say(w.request("BYE", 2, "c", tag(t, ok)))
	read(t, conn, in, "SIP/2.0 200")
	e.expect("ended 0 16 party")

	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", free(t)), &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e.configure(nil, media.Trunk{Name: "far", Address: l.Addr().String(), Transport: "tls"})
	e.dial("13800138000")
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	invite := read(t, far, bufio.NewReader(far), "INVITE")
	if _, err := far.Write([]byte(strings.ReplaceAll(respond(invite, 486), "\n", "\r\n"))); err != nil {
		t.Fatal(err)
	}
	e.expect("ended 486 17 party")
}

// read is the next message on a stream that begins with what.
func read(t *testing.T, c net.Conn, r *bufio.Reader, what string) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(8 * time.Second))
	for {
		var b strings.Builder
		for !strings.HasSuffix(b.String(), "\r\n\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("no %q: %v", what, err)
			}
			b.WriteString(line)
		}
		head := b.String()
		_, length, _ := strings.Cut(head, "Content-Length: ")
		length, _, _ = strings.Cut(length, "\r\n")
		n, err := strconv.Atoi(length)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Discard(n); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(head, what) {
			return head
		}
	}
}

// certificate is one of this machine's for an hour.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hotline"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func roots(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(b)
	return p
}
