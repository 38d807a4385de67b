package console

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// failure is the shape of every error.
type failure struct {
	Error failureBody `json:"error"`
}

type failureBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// The refusals that come before a route is known.
var (
	errNoRoute = &chat.Error{Code: chat.CodeNotFound, Message: "there is no such path; the README of the console API lists them"}
	errMethod  = &chat.Error{Code: chat.CodeInvalid, Message: "this path is called by another method; the header Allow names it"}
)

// status is the table of the console API: code → status.
func status(err error) int {
	switch {
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	switch chat.ErrorCode(err) {
	case chat.CodeInvalid, chat.CodeMissing:
		return http.StatusBadRequest
	case chat.CodeUnauthorized:
		return http.StatusUnauthorized
	case chat.CodeForbidden:
		return http.StatusForbidden
	case chat.CodeNotFound:
		return http.StatusNotFound
	case chat.CodeConflict, chat.CodeClosed:
		return http.StatusConflict
	case chat.CodeLostPosition:
		return http.StatusGone
	case chat.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case chat.CodeThrottled:
		return http.StatusTooManyRequests
	case chat.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// answerError notes the error for the inbound-call log and answers it.
func (a *API) answerError(w http.ResponseWriter, r *http.Request, err error) {
	code := status(err)
	body := failureBody{Code: string(chat.ErrorCode(err)), Message: chat.ErrorMessage(err), Field: chat.ErrorField(err)}
	switch code {
	case http.StatusMethodNotAllowed:
		body.Code = "method_not_allowed"
	case http.StatusServiceUnavailable:
		body.Code = string(chat.CodeUnavailable)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if wait := retryAfter(err, code); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	if code != http.StatusInternalServerError {
		err = &chat.Error{Code: chat.Code(body.Code), Field: body.Field, Message: body.Message}
	}
	inbound.Note(r.Context(), err)
	a.write(w, r, code, failure{Error: body})
}

// retryAfter is how many seconds the caller should wait, 0 when it needn't.
func retryAfter(err error, code int) int {
	var throttled interface{ RetryAfter() time.Duration }
	switch {
	case errors.As(err, &throttled):
		return int(math.Ceil(throttled.RetryAfter().Seconds()))
	case code == http.StatusServiceUnavailable:
		return 1
	}
	return 0
}

func (a *API) write(w http.ResponseWriter, r *http.Request, code int, body any) {
	if err := httpjson.Write(w, code, body); err != nil {
		a.Log.DebugContext(r.Context(), "console.answer_lost", "route", r.Pattern, "error", err)
	}
}
