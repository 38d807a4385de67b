package selarti

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// success is the vendor's envelope of an answer.
type success struct {
	Status   string `json:"status"`
	Response any    `json:"response"`
}

// failure is the vendor's first envelope of an error (specs/selarti.md §3.1).
type failure struct {
	StatusCode int         `json:"statusCode"`
	Body       failureBody `json:"body"`
}

type failureBody struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// badToken is the other shape, of a bad or expired token only.
type badToken struct {
	ErrorClass  string            `json:"error_class"`
	Args        map[string]string `json:"args"`
	Message     *string           `json:"message"` // always null
	Translation string            `json:"translation"`
}

// The two refusals that come before a workflow is known to be right.
var (
	errUnknownWorkflow = errors.New("no such workflow")
	errMethod          = errors.New("wrong method")
)

// answers is the dialect's one table: code → status and keyword. A task that
// is unknown or closed is a wrong parameter here (specs/selarti.md §3.3).
func answers(err error) (status int, keyword string) {
	switch {
	case errors.Is(err, errUnknownWorkflow):
		return http.StatusNotFound, "NOT_FOUND"
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "UNAVAILABLE"
	}
	switch chat.ErrorCode(err) {
	case chat.CodeMissing:
		return http.StatusBadRequest, "MISSING_DATA"
	case chat.CodeInvalid, chat.CodeNotFound, chat.CodeClosed:
		return http.StatusBadRequest, "INVALID_DATA"
	case chat.CodeUnauthorized:
		return http.StatusUnauthorized, "UNAUTHORIZED"
	case chat.CodeForbidden:
		return http.StatusForbidden, "FORBIDDEN"
	case chat.CodeConflict, chat.CodeLostPosition:
		return http.StatusConflict, "CONFLICT"
	case chat.CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "TOO_LARGE"
	case chat.CodeThrottled:
		return http.StatusTooManyRequests, "TOO_MANY_REQUESTS"
	case chat.CodeUnavailable:
		return http.StatusServiceUnavailable, "UNAVAILABLE"
	default:
		return http.StatusInternalServerError, "INTERNAL_ERROR"
	}
}

func (d *Dialect) answer(w http.ResponseWriter, r *http.Request, response any) {
	d.write(w, r, http.StatusOK, success{Status: "success", Response: response})
}

// answerError notes the refusal for the inbound-call log and answers in the
// vendor's shape.
func (d *Dialect) answerError(w http.ResponseWriter, r *http.Request, wf workflow, err error) {
	status, keyword := answers(err)
	note(r.Context(), wf, status, err)
	if status == http.StatusUnauthorized && wf.bearer {
		w.Header().Set("WWW-Authenticate", "Bearer")
		d.write(w, r, status, d.badToken(r))
		return
	}
	if wait := retryAfter(err); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	d.write(w, r, status, failure{StatusCode: status, Body: failureBody{Status: keyword, Message: explain(wf, err)}})
}

func (d *Dialect) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	if err := httpjson.Write(w, status, body); err != nil {
		d.Log.DebugContext(r.Context(), "selarti.answer_lost", "error", err)
	}
}

// note tells the inbound-call log why the call failed: internal causes as they
// are, refusals in the words of the answer, but nothing of an unknown path.
func note(ctx context.Context, wf workflow, status int, err error) {
	switch status {
	case http.StatusInternalServerError:
	case http.StatusNotFound:
		err = &chat.Error{Code: chat.CodeNotFound, Message: "there is no such workflow"}
	default:
		err = &chat.Error{Code: refusalCode(err), Field: chat.ErrorField(err), Message: explain(wf, err)}
	}
	inbound.Note(ctx, err)
}

func refusalCode(err error) chat.Code {
	switch {
	case errors.Is(err, errUnknownWorkflow):
		return chat.CodeNotFound
	case errors.Is(err, errMethod):
		return chat.CodeInvalid
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return chat.CodeUnavailable
	}
	return chat.ErrorCode(err)
}

// explain writes the message of the first envelope. The wording of a missing
// parameter is the vendor's.
func explain(wf workflow, err error) string {
	switch {
	case errors.Is(err, errUnknownWorkflow):
		return "Workflow not found: " + strconv.Quote(clip(wf.name))
	case errors.Is(err, errMethod):
		return "Workflow " + wf.name + " is called by POST"
	}
	field := chat.ErrorField(err)
	switch {
	case chat.ErrorCode(err) == chat.CodeMissing:
		return fmt.Sprintf("Missing parameter for workflow %s: parameter %s", wf.name, field)
	case field != "":
		return fmt.Sprintf("Invalid parameter for workflow %s: parameter %s: %s", wf.name, clip(field), chat.ErrorMessage(err))
	}
	return fmt.Sprintf("Workflow %s: %s", wf.name, chat.ErrorMessage(err))
}

// badToken repeats the token, as the vendor does, up to a sane length.
func (d *Dialect) badToken(r *http.Request) badToken {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return badToken{
		ErrorClass:  "Unauthorized",
		Args:        map[string]string{"code": d.errorID()},
		Translation: "Invalid or expired token: " + clip(token),
	}
}

// errorID names one error in the form of the vendor's ids.
func (d *Dialect) errorID() string {
	var b [8]byte
	if _, err := io.ReadFull(d.Random, b[:]); err != nil {
		d.Log.Error("selarti.no_random", "error", err) // the id is a courtesy: answer all the same
	}
	return BubbleID(chat.MicrosOf(d.Now()), chat.ID(binary.BigEndian.Uint64(b[:])%maxID+1))
}

// retryAfter is how many seconds the caller should wait, 0 when it needn't.
func retryAfter(err error) int {
	var throttled interface{ RetryAfter() time.Duration }
	if errors.As(err, &throttled) {
		return int(math.Ceil(throttled.RetryAfter().Seconds()))
	}
	if code := chat.ErrorCode(err); code == chat.CodeUnavailable || code == chat.CodeThrottled {
		return 1
	}
	return 0
}

// clip bounds what is repeated of a request.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
