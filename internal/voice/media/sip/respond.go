package sip

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	sg "github.com/emiago/sipgo/sip"
)

const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER"

// describe takes the description out of a request's body; carriers wrap it in
// multipart/mixed beside ISUP.
func (s *Stack) describe(req *sg.Request, tx *sg.ServerTx) ([]byte, bool) {
	body := req.Body()
	if len(body) == 0 {
		return nil, true
	}
	kind, params, err := mime.ParseMediaType(header(req, "content-type", "c"))
	if enc := header(req, "content-encoding", "e"); err == nil && (enc == "" || strings.EqualFold(enc, "identity")) {
		switch kind {
		case "application/sdp":
			return body, true
		case "multipart/mixed", "multipart/alternative":
			if part := sdpPart(body, params["boundary"]); part != nil {
				return part, true
			}
		}
	}
	s.refuse(req, tx, 415, sg.NewHeader("Accept", "application/sdp"))
	return nil, false
}

func sdpPart(body []byte, boundary string) []byte {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range 8 {
		p, err := r.NextPart()
		if err != nil {
			return nil
		}
		if kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind == "application/sdp" {
			b, err := io.ReadAll(p)
			if err != nil {
				return nil
			}
			return b
		}
	}
	return nil
}

// response is a response of ours to req.
func (s *Stack) response(req *sg.Request, code int, body []byte, extra ...sg.Header) *sg.Response {
	res := sg.NewResponseFromRequest(req, code, phrase(code), nil)
	res.SipVersion = "SIP/2.0" // not whatever the request claimed
	if code > 100 && code < 300 && (req.IsInvite() || req.Method == sg.UPDATE) {
		res.AppendHeader(sg.NewHeader("Contact", s.contact(req.Transport())))
		res.AppendHeader(sg.NewHeader("Allow", allow))
		res.AppendHeader(sg.NewHeader("Supported", "timer, 100rel"))
	}
	if code == 405 || code == 200 && req.Method == sg.OPTIONS {
		res.AppendHeader(sg.NewHeader("Allow", allow))
	}
	for _, h := range extra {
		res.AppendHeader(h)
	}
	if len(body) > 0 {
		res.AppendHeader(sg.NewHeader("Content-Type", "application/sdp"))
	}
	res.SetBody(body)
	return res
}

// answer responds to a request that is no INVITE.
func (s *Stack) answer(req *sg.Request, tx *sg.ServerTx, code int, extra ...sg.Header) {
	if err := tx.Respond(s.response(req, code, nil, extra...)); err != nil {
		s.log.Debug("response not sent", "method", req.Method, "code", code, "err", err)
	}
}

// refuse answers without keeping state (RFC 3261 8.2.7): a repeated INVITE gets
// the same again, and nothing stays behind to wait for its ACK.
func (s *Stack) refuse(req *sg.Request, tx *sg.ServerTx, code int, extra ...sg.Header) {
	s.answer(req, tx, code, extra...)
	if req.IsInvite() {
		tx.Terminate()
	}
}

// sdpOf is the description in a message, without asking for one.
func sdpOf(m sg.Message) ([]byte, bool) {
	body := m.Body()
	if len(body) == 0 {
		return nil, false
	}
	var value string
	if hs := m.GetHeaders("content-type"); len(hs) > 0 {
		value = hs[0].Value()
	}
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		return nil, false
	}
	if strings.HasPrefix(kind, "multipart/") {
		body = sdpPart(body, params["boundary"])
		return body, body != nil
	}
	return body, kind == "application/sdp"
}
