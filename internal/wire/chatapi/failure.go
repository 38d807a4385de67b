package chatapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// failure is the body of every error (specs/chatapi.md §10).
type failure struct {
	Timestamp string `json:"timestamp"`
	Status    int    `json:"status"`
	Error     string `json:"error"`
	Exception string `json:"exception"`
	Message   string `json:"message"`
	Path      string `json:"path"`
}

// The refusals that come before a method is known to be right.
var (
	errUnknownPath = errors.New("no such path")
	errMethod      = errors.New("wrong method")
	errOrigin      = errors.New("origin not allowed")
)

// unknownToken is a token that names no channel, or one without a task. The
// wording is the vendor's.
type unknownToken struct{ token string }

func (e *unknownToken) Error() string {
	return "ChannelChat config not found for token " + e.token + " and channel CHATAPI"
}

// explain is the dialect's one table: error → status, exception and message
// (specs/chatapi.md §10).
func explain(err error) (status int, exception, message string) {
	var unknown *unknownToken
	switch {
	case errors.As(err, &unknown):
		return http.StatusNotFound, "NotFoundException", unknown.Error()
	case errors.Is(err, errUnknownPath):
		return http.StatusNotFound, "NotFoundException", "No message available"
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, "HttpRequestMethodNotSupportedException", "Request method is not supported here"
	case errors.Is(err, errOrigin):
		return http.StatusForbidden, "AccessDeniedException", "This origin is not among the channel's allowed_origins"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "ServiceUnavailableException", "The server is stopping; send it again"
	}
	switch chat.ErrorCode(err) {
	case chat.CodeMissing, chat.CodeInvalid, chat.CodeClosed, chat.CodeConflict, chat.CodeLostPosition:
		return http.StatusBadRequest, "BadRequestException", said(err)
	case chat.CodeNotFound:
		return http.StatusNotFound, "NotFoundException", said(err)
	case chat.CodeForbidden, chat.CodeUnauthorized:
		return http.StatusForbidden, "AccessDeniedException", said(err)
	case chat.CodeTimeout:
		return http.StatusRequestTimeout, "RequestTimeoutException", "Request timeout"
	case chat.CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "PayloadTooLargeException", said(err)
	case chat.CodeThrottled:
		return http.StatusTooManyRequests, "TooManyRequestsException", said(err)
	case chat.CodeUnavailable:
		return http.StatusServiceUnavailable, "ServiceUnavailableException", said(err)
	default:
		return http.StatusInternalServerError, "InternalServerErrorException", "Internal server error"
	}
}

// said is the message of a refusal with the field it is about, by its name here.
func said(err error) string {
	field := chat.ErrorField(err)
	switch field {
	case "":
		return chat.ErrorMessage(err)
	case "chat_id":
		field = "clientId"
	case "message":
		field = "query"
	case "task_id":
		return "this channel takes nothing now: " + chat.ErrorMessage(err)
	}
	return field + ": " + chat.ErrorMessage(err)
}

func (d *Dialect) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, exception, message := explain(err)
	note(r.Context(), status, message, err)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	d.write(w, r, status, failure{
		Timestamp: timestamp(chat.MicrosOf(d.Now())), Status: status, Error: http.StatusText(status),
		Exception: exception, Message: message, Path: r.URL.EscapedPath(),
	})
}

// note tells the inbound-call log why the call failed: internal causes as they
// are, refusals in the words of the answer, but no token.
func note(ctx context.Context, status int, message string, err error) {
	var unknown *unknownToken
	switch {
	case status == http.StatusInternalServerError:
	case errors.As(err, &unknown):
		err = chat.Errorf(chat.CodeNotFound, "the token names no Chat API channel with a task")
	case errors.Is(err, errUnknownPath), errors.Is(err, errMethod):
		err = chat.Errorf(chat.CodeInvalid, "%s", message)
	case errors.Is(err, errOrigin):
		err = chat.Errorf(chat.CodeForbidden, "%s", message)
	}
	inbound.Note(ctx, err)
}
