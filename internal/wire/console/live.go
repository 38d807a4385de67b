package console

import (
	"net/http"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// live serves what happens as it happens, over a WebSocket or, to who accepts
// text/event-stream, as server-sent events. What goes wrong before that is
// answered as everywhere.
func (a *API) live(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		a.answerError(w, r, errMethod)
		return
	}
	v, err := a.newWatcher(r)
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	socket, stream := isUpgrade(r), strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if !socket && !stream {
		a.answerError(w, r, chat.Errorf(chat.CodeInvalid, "open this as a WebSocket, or with Accept: text/event-stream"))
		return
	}
	if err := a.watchers.join(v); err != nil {
		a.answerError(w, r, err)
		return
	}
	defer a.watchers.leave(v)
	if socket {
		v.serveSocket(w, r)
	} else {
		v.serveStream(w, r)
	}
}

func isUpgrade(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }

// newWatcher decodes who wants to see what.
func (a *API) newWatcher(r *http.Request) (*watcher, error) {
	actor, err := a.Auth.Session(r)
	if err != nil {
		return nil, err
	}
	inbound.Recognise(r.Context(), actor)
	if a.Auth.Foreign(r) { // a browser lets any page open a WebSocket, with our cookie
		return nil, chat.Errorf(chat.CodeForbidden, "only pages of this server may follow what happens")
	}
	if err := actor.Require(chat.ScopeConversationsRead); err != nil {
		return nil, err
	}
	q, err := newQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	v := &watcher{
		api: a, actor: actor, wake: make(chan struct{}, 1),
		all: q.oneOf("scope", "all", "own") == "all", from: q.place(r.Header.Get("Last-Event-ID")),
	}
	if actor.Kind == chat.ActorOperator {
		v.token = a.Auth.SessionToken(r)
	}
	open := q.ids("open")
	if err := q.Err(); err != nil {
		return nil, err
	}
	if err := v.setOpen(open); err != nil {
		return nil, err
	}
	if v.all {
		return v, actor.WatchesAll()
	}
	return v, nil
}

// place is where a reader wants to go on from. The zero place is now.
type place struct {
	known bool
	after chat.ID
	epoch string // "" when the reader does not say
}

// place takes the parameters after and epoch. The id of the last server-sent
// event, which a browser sends when it connects again, goes before them: it is
// newer.
func (q *query) place(lastEventID string) place {
	text, epoch := q.text("after"), q.text("epoch")
	name := "after"
	if lastEventID != "" {
		name = "Last-Event-ID"
		var named bool
		if epoch, text, named = strings.Cut(lastEventID, ":"); !named {
			epoch, text = "", lastEventID
		}
	}
	if text == "" {
		return place{}
	}
	after, err := parseID(text)
	if err != nil {
		q.fail(name, "%s", err)
	}
	return place{known: true, after: after, epoch: epoch}
}
