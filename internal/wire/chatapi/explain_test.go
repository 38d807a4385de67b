package chatapi

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestExplain: one row for every code of the core, and for what is none of them.
func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err                error
		status             int
		exception, message string
	}{
		{errors.New("secret"), 500, "InternalServerErrorException", "Internal server error"},
		{&chat.Error{Code: chat.CodeInternal, Message: "secret"}, 500, "InternalServerErrorException", "Internal server error"},
		{chat.Errorf(chat.CodeTimeout, "x"), 408, "RequestTimeoutException", "Request timeout"},
		{&unknownToken{"T"}, 404, "NotFoundException", "ChannelChat config not found for token T and channel CHATAPI"},
		{&chat.Error{Code: chat.CodeMissing, Field: "clientId", Message: "is missing"}, 400, "BadRequestException", "clientId: is missing"},
		{chat.Invalid("ts", "is bad"), 400, "BadRequestException", "ts: is bad"},
		{fmt.Errorf("where: %w", chat.Invalid("chat_id", "is bad")), 400, "BadRequestException", "clientId: is bad"},
		{&chat.Error{Code: chat.CodeTooLarge, Field: "message", Message: "is long"}, 413, "PayloadTooLargeException", "query: is long"},
		{chat.Errorf(chat.CodeClosed, "x"), 400, "BadRequestException", "x"},
		{chat.Errorf(chat.CodeConflict, "x"), 400, "BadRequestException", "x"},
		{chat.Errorf(chat.CodeLostPosition, "x"), 400, "BadRequestException", "x"},
		{chat.Errorf(chat.CodeNotFound, "x"), 404, "NotFoundException", "x"},
		{chat.Errorf(chat.CodeForbidden, "x"), 403, "AccessDeniedException", "x"},
		{chat.Errorf(chat.CodeUnauthorized, "x"), 403, "AccessDeniedException", "x"},
		{chat.Errorf(chat.CodeThrottled, "x"), 429, "TooManyRequestsException", "x"},
		{chat.Errorf(chat.CodeUnavailable, "x"), 503, "ServiceUnavailableException", "x"},
		{&chat.Error{Code: chat.CodeUnavailable, Message: "x", Err: context.Canceled}, 503, "ServiceUnavailableException", "The server is stopping; send it again"},
		{context.DeadlineExceeded, 503, "ServiceUnavailableException", "The server is stopping; send it again"},
	} {
		status, exception, message := explain(tt.err)
		if status != tt.status || exception != tt.exception || message != tt.message {
			t.Errorf("%v is %d %s %q, want %d %s %q", tt.err, status, exception, message, tt.status, tt.exception, tt.message)
		}
	}
}
