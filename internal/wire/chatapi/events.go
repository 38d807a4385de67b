package chatapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
)

// eventList is the answer of /events and of the history.
type eventList struct {
	HasMore bool    `json:"hasMore"`
	Events  []event `json:"events"`
}

// events is GET …/events: what is new for a client, waited for when there is
// nothing (specs/chatapi.md §4).
func (d *Dialect) events(c *call) (any, error) {
	p, err := parameters(c.Request)
	if err != nil {
		return nil, err
	}
	poll := chat.Poll{ExternalID: p["clientId"], CID: p["cid"], Wait: c.channel.PollWait()}
	if text, given := p["ts"]; given && text != "" {
		poll.Since = true
		if poll.From, err = parseMoment("ts", text); err != nil {
			return nil, err
		}
	}
	if poll.All, err = flag("all", p["all"]); err != nil {
		return nil, err
	}
	d.linger(c, poll.Wait)
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	defer context.AfterFunc(d.Stopping, cancel)()
	found, err := d.Service.Poll(ctx, c.actor(), poll)
	if errors.Is(err, context.Canceled) && c.Context().Err() == nil {
		found, err = chat.Polled{}, nil // the server stops: nothing came so far
	}
	if err != nil {
		return nil, err
	}
	return d.list(c, poll.ExternalID, found, false), nil
}

// history is GET …/history: the dialogue of a period, or all of it
// (specs/chatapi.md §9).
func (d *Dialect) history(c *call) (any, error) {
	p, err := parameters(c.Request)
	if err != nil {
		return nil, err
	}
	q := chat.HistoryQuery{ExternalID: c.client, Limit: chat.MaxPoll}
	if text := p["from"]; text != "" {
		if q.From, err = parseMoment("from", text); err != nil {
			return nil, err
		}
	}
	if text := p["to"]; text != "" {
		if q.To, err = parseMoment("to", text); err != nil {
			return nil, err
		}
		q.To += 999 // the whole of its millisecond
	}
	if text := p["limit"]; text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil {
			return nil, chat.Invalid("limit", "is not a whole number")
		}
	}
	found, err := d.Service.History(c.Context(), c.actor(), q)
	if err != nil {
		return nil, err
	}
	return d.list(c, c.client, found, true), nil
}

func (d *Dialect) list(c *call, client string, found chat.Polled, withStatus bool) eventList {
	e := d.encoder(c.channel, client)
	list := eventList{HasMore: found.More, Events: make([]event, 0, len(found.Envelopes))}
	for i := range found.Envelopes {
		list.Events = append(list.Events, e.event(&found.Envelopes[i], withStatus))
	}
	return list
}

// parameters reads the query: each name once, in UTF-8.
func parameters(r *http.Request) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &chat.Error{Code: chat.CodeInvalid, Message: "the query can't be read: check its % escapes", Err: err}
	}
	p := make(map[string]string, len(values))
	for name, list := range values {
		if !utf8.ValidString(name+list[0]) || strings.ContainsRune(name+list[0], 0) {
			return nil, chat.Invalid(strings.ToValidUTF8(name, "?"), "is not a text in UTF-8 without NUL")
		}
		p[name] = list[0]
	}
	return p, nil
}

// flag reads a boolean; "" is false.
func flag(name, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, nil
	case "", "false", "0":
		return false, nil
	}
	return false, chat.Invalid(name, "is neither true nor false")
}
