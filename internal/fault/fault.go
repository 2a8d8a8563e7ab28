// Package fault is the one vocabulary of errors.
//
// Every error that leaves a room is a *Error with a kind (mapped once to an
// HTTP status), a stable code that machines and the manual refer to, and a
// Chinese detail that says what happened and what to do. Anything else that
// reaches a face is a defect and is shown as code "internal".
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind tells what sort of failure an Error is.
type Kind string

const (
	KindInvalid         Kind = "invalid"         // the request cannot be understood or breaks a rule of form
	KindUnauthenticated Kind = "unauthenticated" // nobody is logged in, or no longer
	KindForbidden       Kind = "forbidden"       // the actor may not do this
	KindNotFound        Kind = "not_found"       // absent, or outside the actor's scope: the two look alike
	KindConflict        Kind = "conflict"        // the state or version moved on
	KindTooMany         Kind = "too_many"        // slow down
	KindUnavailable     Kind = "unavailable"     // a dependency is down; try again
	KindInternal        Kind = "internal"        // a defect of ours
)

// Status is the HTTP status of the kind (RFC 9110, RFC 6585); 500 for one that is none.
func (k Kind) Status() int {
	switch k {
	case KindInvalid:
		return http.StatusUnprocessableEntity
	case KindUnauthenticated:
		return http.StatusUnauthorized
	case KindForbidden:
		return http.StatusForbidden
	case KindNotFound:
		return http.StatusNotFound
	case KindConflict:
		return http.StatusConflict
	case KindTooMany:
		return http.StatusTooManyRequests
	case KindUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Field names one input that is wrong and says why, in Chinese.
type Field struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// Error is what every room returns.
type Error struct {
	Kind   Kind
	Code   string  // stable, snake_case, listed in docs/errors.md
	Detail string  // Chinese, for people
	Fields []Field // inputs at fault, if any
	Data   any     // machine-readable context, e.g. what changed on a conflict
	cause  error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
	}
	return e.Code + ": " + e.Detail
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// With attaches machine-readable context.
func (e *Error) With(data any) *Error { e.Data = data; return e }

// At names the inputs at fault.
func (e *Error) At(fields ...Field) *Error { e.Fields = append(e.Fields, fields...); return e }

// Because keeps the cause for logs; it is never shown to people.
func (e *Error) Because(err error) *Error { e.cause = err; return e }

func newError(k Kind, code, detail string, args []any) *Error {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Error{Kind: k, Code: code, Detail: detail}
}

// Invalid says that the request is malformed or breaks a rule of form.
func Invalid(code, detail string, args ...any) *Error {
	return newError(KindInvalid, code, detail, args)
}

// Unauthenticated says that no valid session or token came with the request.
func Unauthenticated(code, detail string, args ...any) *Error {
	return newError(KindUnauthenticated, code, detail, args)
}

// Forbidden says that the actor's role, scope or clearance does not allow it.
func Forbidden(code, detail string, args ...any) *Error {
	return newError(KindForbidden, code, detail, args)
}

// NotFound says that nothing is there, or nothing that the actor may know of.
func NotFound(code, detail string, args ...any) *Error {
	return newError(KindNotFound, code, detail, args)
}

// Conflict says that the state or version moved on; Data tells what changed.
func Conflict(code, detail string, args ...any) *Error {
	return newError(KindConflict, code, detail, args)
}

// TooMany says that a limit of rate or size in time was reached.
func TooMany(code, detail string, args ...any) *Error {
	return newError(KindTooMany, code, detail, args)
}

// Unavailable says that something we depend on is down for now.
func Unavailable(code, detail string, args ...any) *Error {
	return newError(KindUnavailable, code, detail, args)
}

// Internal wraps a defect: people see a neutral text, the log sees err.
func Internal(err error) *Error {
	return &Error{Kind: KindInternal, Code: "internal", Detail: "系统内部错误，已记录，请稍后重试；如仍不成功请联系系统管理员。", cause: err}
}

// As gives the *Error inside err; any other error becomes Internal.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(err)
}

// Is tells whether err carries the given code.
func Is(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// KindOf gives the kind of err; "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return As(err).Kind
}
