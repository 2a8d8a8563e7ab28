package sip

import (
	"strconv"
	"strings"

	sg "github.com/emiago/sipgo/sip"
)

// phrases are the reason phrases we send.
var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 182: "Queued", 183: "Session Progress", 200: "OK", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized",
	403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway",
	503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
}

func phrase(code int) string {
	if p := phrases[code]; p != "" {
		return p
	}
	return "Unknown"
}

// Cause is the Q.850 cause of a SIP response (RFC 3398 8.2.6.1).
func Cause(code int) int {
	switch code {
	case 404, 485, 604:
		return 1 // unallocated number
	case 486, 600:
		return 17 // user busy
	case 408, 504:
		return 102 // recovery on timer expiry
	case 480:
		return 18 // no user responding
	case 487:
		return 16 // cleared by the caller
	case 603, 401, 402, 403, 407:
		return 21 // call rejected
	case 410:
		return 22 // number changed
	case 484:
		return 28 // invalid number format
	case 405:
		return 63
	case 415, 501:
		return 79 // service not implemented
	case 416, 420, 421, 423, 505, 513:
		return 127 // interworking
	case 482, 483:
		return 25 // exchange routing error
	case 488, 606:
		return 65 // bearer capability not implemented
	case 500, 491:
		return 41 // temporary failure
	case 502:
		return 38 // network out of order
	case 503:
		return 41
	}
	if code >= 200 && code < 300 || code == 0 {
		return 16
	}
	return 31 // normal, unspecified
}

// Code is the SIP response that refuses a call for a Q.850 cause (RFC 3398 7.2.4.1).
func Code(cause int) int {
	switch cause {
	case 1, 2, 3:
		return 404
	case 17:
		return 486
	case 18:
		return 408
	case 19, 20, 31:
		return 480
	case 21:
		return 603
	case 22, 23:
		return 410
	case 26:
		return 404
	case 27, 38:
		return 502
	case 28:
		return 484
	case 29:
		return 501
	case 34, 41, 42, 47:
		return 503
	case 55, 57:
		return 403
	case 58:
		return 503
	case 65, 70:
		return 488
	case 79:
		return 501
	case 87:
		return 403
	case 88:
		return 503
	case 102:
		return 504
	}
	return 480
}

// reason is the cause a message states itself (RFC 3326), else other.
func reason(m sg.Message, other int) int {
	for _, h := range m.GetHeaders("reason") {
		parts := strings.Split(h.Value(), ";")
		if !strings.EqualFold(strings.TrimSpace(parts[0]), "Q.850") {
			continue
		}
		for _, p := range parts[1:] {
			if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, "cause") {
				if n, err := strconv.Atoi(v); err == nil && n > 0 && n < 128 {
					return n
				}
			}
		}
	}
	return other
}

func reasonHeader(cause int) sg.Header {
	return sg.NewHeader("Reason", "Q.850;cause="+strconv.Itoa(cause))
}
