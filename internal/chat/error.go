package chat

import (
	"errors"
	"fmt"
)

// Code classifies an Error. Every dialect has one table from Code to its own
// status and body; nothing else about an error may decide a status.
type Code string

// The codes. CodeInternal is the code of every error that is not an *Error;
// its text never leaves the server.
const (
	CodeInvalid      Code = "invalid"       // the input is wrong; Field names the part
	CodeMissing      Code = "missing"       // a required field is absent; Field names it
	CodeUnauthorized Code = "unauthorized"  // no credential, or not a valid one
	CodeForbidden    Code = "forbidden"     // a valid credential that may not do this
	CodeNotFound     Code = "not_found"     // no such thing for this tenant
	CodeConflict     Code = "conflict"      // the state does not allow it; somebody else was first
	CodeClosed       Code = "closed"        // the session or task takes nothing any more
	CodeTooLarge     Code = "too_large"     // over a limit named in the message
	CodeThrottled    Code = "throttled"     // too many tries; later is fine
	CodeUnavailable  Code = "unavailable"   // the server can't take it now; retry is safe
	CodeTimeout      Code = "timeout"       // what was waited for did not come in time
	CodeLostPosition Code = "lost_position" // the position can't be honoured: reload
	CodeInternal     Code = "internal"
)

// Error is the only error type that crosses the core's border on purpose.
// Message is written for the person who made the call: what was wrong and what
// to do. Err, the cause, is for the log and never leaves the server.
type Error struct {
	Code    Code
	Field   string
	Message string
	Err     error
}

// Error returns the message, with the field in front when there is one.
func (e *Error) Error() string {
	msg := e.Message
	if e.Field != "" {
		msg = e.Field + ": " + msg
	}
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error without a field.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error of one wrong field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of err: "" for nil, CodeInternal for any error
// that is not an *Error.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns the text that may be shown to the caller.
func ErrorMessage(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Code != CodeInternal {
		return e.Message
	}
	return "internal error; the log of the server has the cause"
}

// ErrorField returns the field that err names, or "".
func ErrorField(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}
