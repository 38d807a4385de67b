package console

import (
	"errors"
	"log/slog"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// Auth knows who calls and keeps operators' sessions in browsers.
type Auth interface {
	// Session returns the actor behind a bearer token or a session cookie.
	// Errors: CodeUnauthorized, CodeForbidden.
	Session(r *http.Request) (chat.Actor, error)
	// SessionToken returns the token that Session looked at.
	SessionToken(r *http.Request) string
	// Foreign says whether the request comes from a page that is not ours.
	Foreign(r *http.Request) bool
	// Try counts a login as failed until succeeded is called. Errors:
	// CodeThrottled.
	Try(r *http.Request, login string) (succeeded func(), err error)
	SetCookie(w http.ResponseWriter, r *http.Request, token string, life time.Duration)
	DropCookie(w http.ResponseWriter, r *http.Request)
}

// Options are what the API needs.
type Options struct {
	Service     *chat.Service
	Auth        Auth
	SessionLife time.Duration // of an operator's login
	MaxBody     int64         // bytes of a request's body
	Log         *slog.Logger
	Failures    Failures
}

// API serves /console/api.
type API struct {
	Options
	watchers watchers
	encoded  encoded
}

// New makes the API.
func New(o Options) *API { return &API{Options: o} }

// handler serves one route. It answers what it returns as JSON, or the error.
type handler func(c *call) (any, error)

// call is one request with its decoded parts. A handler takes every query
// parameter and field it knows; complete refuses the rest.
type call struct {
	*http.Request
	w     http.ResponseWriter
	actor chat.Actor
	query *query
	body  *httpjson.Reader
}

const prefix = "/console/api/"

// Register adds every route. Beside each stands what the core demands of its
// caller: an operator who is signed in may all of it but the marked (admin);
// an API key needs the scope.
func (a *API) Register(mux *http.ServeMux) {
	a.route(mux, "login", handlers{"POST": a.login}) // nobody yet
	a.route(mux, "logout", handlers{"POST": a.logout})
	a.route(mux, "me", handlers{"GET": a.me})
	a.route(mux, "me/status", handlers{"PUT": a.setStatus}) // operators only
	a.route(mux, "operators", handlers{"GET": a.operators}) // conversations:read

	a.route(mux, "conversations", handlers{"GET": a.conversations})            // conversations:read
	a.route(mux, "conversations/{id}", handlers{"GET": a.conversation})        // conversations:read
	a.route(mux, "conversations/{id}/events", handlers{"GET": a.events})       // conversations:read
	a.route(mux, "conversations/{id}/messages", handlers{"POST": a.say})       // operators only
	a.route(mux, "conversations/{id}/take", handlers{"POST": a.take})          // operators only
	a.route(mux, "conversations/{id}/return", handlers{"POST": a.giveBack})    // conversations:write
	a.route(mux, "conversations/{id}/close", handlers{"POST": a.closeSession}) // conversations:write
	a.route(mux, "conversations/{id}/transfer", handlers{"POST": a.transfer})  // conversations:write
	a.route(mux, "conversations/{id}/flags", handlers{"POST": a.setFlags})     // conversations:write
	a.route(mux, "conversations/{id}/read", handlers{"POST": a.read})          // conversations:write
	a.route(mux, "conversations/{id}/typing", handlers{"POST": a.typing})      // operators only
	a.route(mux, "conversations/{id}/notes", handlers{"POST": a.note})         // conversations:write

	a.route(mux, "clients/{id}", handlers{"GET": a.client, "PATCH": a.editClient})         // conversations:read, :write
	a.route(mux, "canned", handlers{"GET": a.cannedReplies, "POST": a.addCanned})          // conversations:read; operators only
	a.route(mux, "canned/{id}", handlers{"PUT": a.changeCanned, "DELETE": a.deleteCanned}) // operators only

	mux.HandleFunc(prefix+"live", a.live) // conversations:read; everything: supervisors, admins

	a.route(mux, "deliveries", handlers{"GET": a.deliveries})         // conversations:read
	a.route(mux, "deliveries/{id}", handlers{"GET": a.delivery})      // conversations:read
	a.route(mux, "deliveries/replay", handlers{"POST": a.replay})     // deliveries:write (admin)
	a.route(mux, "endpoints", handlers{"GET": a.endpoints})           // conversations:read
	a.route(mux, "endpoints/{id}/pause", handlers{"POST": a.pause})   // deliveries:write (admin)
	a.route(mux, "endpoints/{id}/resume", handlers{"POST": a.resume}) // deliveries:write (admin)
	a.route(mux, "usage", handlers{"GET": a.usage})                   // conversations:read
	a.route(mux, "calls", handlers{"GET": a.calls})                   // conversations:read

	mux.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) { a.answerError(w, r, errNoRoute) })
}

// handlers are a path's handlers by method.
type handlers map[string]handler

// route registers a path for every method, so that a wrong one is answered in
// our own shape.
func (a *API) route(mux *http.ServeMux, path string, h handlers) {
	methods := make([]string, 0, len(h))
	for m := range h {
		methods = append(methods, m)
	}
	sort.Strings(methods)
	allow := strings.Join(methods, ", ")
	mux.HandleFunc(prefix+path, func(w http.ResponseWriter, r *http.Request) {
		handle, ok := h[r.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			a.answerError(w, r, errMethod)
			return
		}
		answer, err := a.serve(w, r, handle, path == "login")
		if err != nil {
			a.answerError(w, r, err)
			return
		}
		a.write(w, r, http.StatusOK, answer)
	})
}

// serve decodes what every route has: the actor, unless the route is open, the
// query and the body.
func (a *API) serve(w http.ResponseWriter, r *http.Request, handle handler, open bool) (any, error) {
	c := &call{Request: r, w: w}
	var err error
	if !open {
		if c.actor, err = a.Auth.Session(r); err != nil {
			return nil, err
		}
		inbound.Recognise(r.Context(), c.actor)
	}
	if c.query, err = newQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	fields := httpjson.Fields{}
	if r.Method != http.MethodGet {
		body, err := httpjson.Body(w, r, a.MaxBody)
		if err != nil {
			return nil, err
		}
		if fields, err = httpjson.Parse(body); err != nil {
			return nil, err
		}
	}
	c.body = httpjson.NewReader(fields)
	return handle(c)
}

// complete is the first mistake in the query or the body, an unknown name
// included.
func (c *call) complete() error { return errors.Join(c.query.Err(), c.body.Err()) }

// id is the id in the path.
func (c *call) id() (chat.ID, error) {
	n, err := httpjson.ParseInteger(c.PathValue("id"))
	if err != nil {
		return 0, chat.Invalid("id", "%s", err)
	}
	return chat.ID(n), nil
}

// target is the id in the path of a request that is complete.
func (c *call) target() (chat.ID, error) {
	if err := c.complete(); err != nil {
		return 0, err
	}
	return c.id()
}
