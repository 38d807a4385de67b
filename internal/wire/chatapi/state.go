package chatapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
)

// saveState is POST …/state: any JSON, kept as it is. The connection may be
// named by ?cid= (specs/chatapi.md §9).
func (d *Dialect) saveState(c *call) (any, error) {
	p, err := parameters(c.Request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, chat.MaxClientState))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, &chat.Error{Code: chat.CodeTooLarge, Field: "state", Message: "the state is over 256 KiB"}
	case err != nil:
		return nil, &chat.Error{Code: chat.CodeInvalid, Message: "the body broke off before its end", Err: err}
	case !utf8.Valid(body) || !json.Valid(body):
		return nil, chat.Invalid("state", "the body is not JSON in UTF-8")
	}
	in := chat.Incoming{TaskID: c.task.ID, ExternalID: c.client, Question: &chat.Question{CID: p["cid"]}}
	if err := d.Service.SaveClientState(c.Context(), c.actor(), in, body); err != nil {
		return nil, err
	}
	return json.RawMessage(body), nil
}

// state is GET …/state: what was saved last, {} when nothing was.
func (d *Dialect) state(c *call) (any, error) {
	state, err := d.Service.ClientState(c.Context(), c.actor(), c.client)
	if chat.ErrorCode(err) == chat.CodeNotFound {
		return json.RawMessage("{}"), nil
	}
	return state, err
}
