package chatapi

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// oneStatus is the body and the answer of …/status.
type oneStatus struct {
	Status chat.Status `json:"status"`
}

// manyStatuses is the body and the answer of …/message-statuses.
type manyStatuses struct {
	Statuses []messageStatus `json:"statuses"`
}

type messageStatus struct {
	QuestionID string      `json:"questionId"`
	Status     chat.Status `json:"status"`
}

// unreadCount is the answer of …/message-not-read-count: the name of the key is
// not published, so it has both.
type unreadCount struct {
	Count        int `json:"count"`
	NotReadCount int `json:"notReadCount"`
}

// status is GET …/status (specs/chatapi.md §9).
func (d *Dialect) status(c *call) (any, error) {
	status, err := d.Service.AnswerStatus(c.Context(), c.actor(), c.client, c.message)
	return oneStatus{status}, unknownMessage(err)
}

// setStatus is POST …/status: forward only; it answers the status that holds.
func (d *Dialect) setStatus(c *call) (any, error) {
	var body oneStatus
	if err := d.readJSON(c, &body); err != nil {
		return nil, err
	}
	if body.Status == "" {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "status", Message: "is missing"}
	}
	applied, err := d.Service.SetAnswerStatuses(c.Context(), c.actor(), c.client, []chat.AnswerStatus{{QuestionID: c.message, Status: body.Status}})
	if err == nil && len(applied) == 0 {
		err = chat.Errorf(chat.CodeNotFound, "")
	}
	if err != nil {
		return nil, unknownMessage(err)
	}
	return oneStatus{applied[0].Status}, nil
}

// setStatuses is POST …/message-statuses: unknown ids are skipped; it answers
// what was applied.
func (d *Dialect) setStatuses(c *call) (any, error) {
	var body manyStatuses
	if err := d.readJSON(c, &body); err != nil {
		return nil, err
	}
	if body.Statuses == nil {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "statuses", Message: "is missing"}
	}
	reports := make([]chat.AnswerStatus, 0, len(body.Statuses))
	for _, s := range body.Statuses {
		reports = append(reports, chat.AnswerStatus(s))
	}
	applied, err := d.Service.SetAnswerStatuses(c.Context(), c.actor(), c.client, reports)
	if err != nil {
		return nil, err
	}
	out := manyStatuses{Statuses: []messageStatus{}}
	for _, s := range applied {
		out.Statuses = append(out.Statuses, messageStatus(s))
	}
	return out, nil
}

// unread is GET …/message-not-read-count.
func (d *Dialect) unread(c *call) (any, error) {
	n, err := d.Service.Unread(c.Context(), c.actor(), c.client)
	return unreadCount{n, n}, err
}

func unknownMessage(err error) error {
	if chat.ErrorCode(err) == chat.CodeNotFound {
		return chat.Errorf(chat.CodeNotFound, "this client has no answer with such a questionId")
	}
	return err
}

// readJSON decodes a body of a known form.
func (d *Dialect) readJSON(c *call, into any) error {
	body, err := httpjson.Body(c.w, c.Request, d.MaxBody)
	if err != nil {
		return err
	}
	if _, err := httpjson.Parse(body); err != nil {
		return err
	}
	if len(body) == 0 {
		return chat.Errorf(chat.CodeInvalid, "the body is empty; send JSON")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return badField(err)
	}
	return nil
}
