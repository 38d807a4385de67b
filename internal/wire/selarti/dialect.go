package selarti

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// Auth tells who makes a call.
type Auth interface {
	// Bearer returns the actor behind the request's bearer token. Errors:
	// CodeUnauthorized without a valid one, CodeForbidden for a token that may
	// make no calls.
	Bearer(r *http.Request) (chat.Actor, error)
}

// Options are what the dialect needs. Aliases give workflows further names
// (alias → workflow); hyphens, underscores and case never count.
type Options struct {
	Service *chat.Service
	Auth    Auth
	Tokens  *Tokens
	Aliases map[string]string
	MaxBody int64 // bytes of a request's body
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
}

// Dialect serves the vendor's paths.
type Dialect struct {
	Options
	workflows map[string]workflow
	pages     pages
}

// workflow is one method of the API.
type workflow struct {
	name   string
	bearer bool // needs a token
	serve  func(ctx context.Context, c *call) (any, error)
}

// call is one request to a workflow. Field names are taken out of params as
// they are read.
type call struct {
	actor  chat.Actor // of the token, when the workflow needs one
	key    string     // Idempotency-Key
	params httpjson.Fields
}

// New makes the dialect.
func New(o Options) (*Dialect, error) {
	d := &Dialect{Options: o, workflows: map[string]workflow{}}
	for _, wf := range []workflow{
		{name: "auth", serve: d.authenticate},                        // by the key in the body
		{name: "send_external_message", bearer: true, serve: d.send}, // messages:write
		{name: "add_target", bearer: true, serve: d.addTarget},       // messages:write
	} {
		d.workflows[fold(wf.name)] = wf
	}
	for alias, name := range o.Aliases {
		wf, ok := d.workflows[fold(name)]
		if !ok {
			return nil, chat.Invalid("aliases", "%q stands for %q, which is no workflow", alias, name)
		}
		d.workflows[fold(alias)] = wf
	}
	return d, d.pages.parse()
}

// Register adds every path of the dialect (specs/paths.md). The patterns name
// no method, so that a wrong one is answered in the dialect's own shape.
func (d *Dialect) Register(mux *http.ServeMux) {
	mux.HandleFunc("/api/1.1/wf/{workflow...}", d.serveWorkflow)
	mux.HandleFunc("/panel", d.servePanel)         // no data: the page comes with the web build
	mux.HandleFunc("/frame", d.serveFrame)         // no data
	mux.HandleFunc("/share/{token}", d.serveShare) // by the token in the path; reads only
	mux.HandleFunc("/share/{token}/{rest...}", d.serveShare)
}

func (d *Dialect) serveWorkflow(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("workflow")
	wf, ok := d.workflows[fold(name)]
	if !ok {
		d.answerError(w, r, workflow{name: name}, errUnknownWorkflow)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.answerError(w, r, wf, errMethod)
		return
	}
	response, err := d.run(w, r, wf)
	if err != nil {
		d.answerError(w, r, wf, err)
		return
	}
	d.answer(w, r, response)
}

func (d *Dialect) run(w http.ResponseWriter, r *http.Request, wf workflow) (any, error) {
	c := call{}
	var err error
	if wf.bearer {
		if c.actor, err = d.Auth.Bearer(r); err != nil {
			return nil, err
		}
		inbound.Recognise(r.Context(), c.actor)
	}
	if c.key, err = idempotencyKey(r); err != nil {
		return nil, err
	}
	if c.params, err = d.readParams(w, r); err != nil {
		return nil, err
	}
	return wf.serve(r.Context(), &c)
}

// fold makes the spellings of a workflow's name one: send-external-message,
// Send_External_Message and send_external_message/ are the same.
func fold(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "/"))
	return strings.ReplaceAll(name, "-", "_")
}
