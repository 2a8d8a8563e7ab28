package sip

import (
	"context"
	"net"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// begin sends a request in a client transaction.
func (s *Stack) begin(ctx context.Context, req *sg.Request) (*sg.ClientTx, error) {
	if s.closed.Load() {
		return nil, net.ErrClosed
	}
	if strings.EqualFold(req.Transport(), "udp") && long(req) && !s.tcpRefused(req.Destination()) {
		s.via(req, "TCP") // RFC 3261 18.1.1
		quick, cancel := context.WithTimeout(ctx, 2*time.Second)
		tx, err := s.tx.Request(quick, req)
		cancel()
		if err == nil {
			return tx, nil
		}
		s.log.Info("peer takes no TCP, the long request goes by UDP", "to", req.Destination())
		s.refusedTCP(req.Destination())
		s.via(req, "UDP")
		return s.tx.Request(ctx, req)
	}
	s.via(req, "")
	return s.tx.Request(ctx, req)
}

// long tells whether a request is above 1300 bytes. Only an INVITE, or one that
// passes many proxies, can be; the others are not written twice to learn it.
func long(req *sg.Request) bool {
	return (req.IsInvite() || len(req.GetHeaders("route")) > 4) && len(req.String()) > 1300
}

func (s *Stack) tcpRefused(dest string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.Now().Before(s.noTCP[dest])
}

func (s *Stack) refusedTCP(dest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.noTCP) > 1000 {
		clear(s.noTCP)
	}
	s.noTCP[dest] = s.clock.Now().Add(5 * time.Minute)
}

// via puts our Via on top, for another transport if one is given.
func (s *Stack) via(req *sg.Request, transport string) {
	if transport != "" {
		req.SetTransport(transport)
	}
	req.RemoveHeader("Via")
	port := s.port
	if strings.EqualFold(req.Transport(), "tls") {
		port = s.tlsAt
	}
	params := sg.HeaderParams{{K: "branch", V: s.branch()}, {K: "rport", V: ""}}
	req.PrependHeader(&sg.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(req.Transport()), Host: s.host, Port: port, Params: params})
	req.Laddr = sg.Addr{}
	if strings.EqualFold(req.Transport(), "udp") {
		req.Laddr = s.laddr // requests leave by the socket that we listen on
	}
}

// do sends a request that is no INVITE and waits for its final response.
func (s *Stack) do(ctx context.Context, req *sg.Request) (*sg.Response, error) {
	tx, err := s.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	return final(ctx, tx)
}

// finalOf is do for a request that has its Via (CANCEL).
func (s *Stack) finalOf(ctx context.Context, req *sg.Request) (*sg.Response, error) {
	tx, err := s.tx.Request(ctx, req)
	if err != nil {
		return nil, err
	}
	return final(ctx, tx)
}

func final(ctx context.Context, tx *sg.ClientTx) (*sg.Response, error) {
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if res.StatusCode >= 200 {
				return res, nil
			}
		case <-tx.Done():
			if err := tx.Err(); err != nil {
				return nil, err
			}
			return nil, sg.ErrTransactionTerminated
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
