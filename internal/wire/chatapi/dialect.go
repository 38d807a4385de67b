package chatapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// Options are what the dialect needs.
type Options struct {
	Service  *chat.Service
	MaxBody  int64 // bytes of a request's body, apart from a saved state
	Now      func() time.Time
	Patience time.Duration   // how long a caller may take to read an answer; default 60 s
	Stopping context.Context // done when polls shall end, so that the server can
	Log      *slog.Logger
}

// Dialect serves the vendor's paths.
type Dialect struct {
	Options
}

// New makes the dialect.
func New(o Options) *Dialect {
	o.Patience = cmp.Or(o.Patience, time.Minute)
	return &Dialect{o}
}

// prefixes are where the vendor and its customers serve the API, the longer
// first (specs/chatapi.md §1).
var prefixes = []string{"/chatadapter/chatapi/", "/chatapi/bot/", "/chatapi/"}

// Register adds every path of the dialect. The paths are split by hand: a token
// and a client's id may hold any character, escaped.
func (d *Dialect) Register(mux *http.ServeMux) {
	mux.HandleFunc("/chatapi/", d.serve)
	mux.HandleFunc("/chatadapter/chatapi/", d.serve)
}

// method is one method of the API.
type method struct {
	verb  string
	run   func(d *Dialect, c *call) (any, error)
	reads bool // it changes nothing
}

// call is one request: who makes it, of whom, and to answer whom.
type call struct {
	*http.Request
	w       http.ResponseWriter
	channel *chat.Channel
	task    *chat.BoundTask
	client  string // from the path, "" when it names none
	message string // from the path
}

// actor is the channel: knowing its token is the whole right.
func (c *call) actor() chat.Actor {
	return chat.Actor{Kind: chat.ActorChannel, TenantID: c.channel.TenantID, ID: c.channel.ID, Name: c.channel.Name}
}

func (d *Dialect) serve(w http.ResponseWriter, r *http.Request) {
	p, ok := parsePath(r.URL.EscapedPath())
	if !ok {
		cors(w, r, nil)
		d.fail(w, r, errUnknownPath)
		return
	}
	channel := d.Service.Catalog().ChannelByToken(p.token)
	if channel == nil || channel.Kind != chat.ChannelChatAPI {
		cors(w, r, nil)
		d.fail(w, r, &unknownToken{p.token})
		return
	}
	if !cors(w, r, channel) {
		d.fail(w, r, errOrigin)
		return
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return
	}
	response, err := d.run(w, r, channel, p)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.write(w, r, http.StatusOK, response)
}

func (d *Dialect) run(w http.ResponseWriter, r *http.Request, channel *chat.Channel, p path) (any, error) {
	m, err := p.method(w, r.Method)
	if err != nil {
		return nil, err
	}
	c := &call{Request: r, w: w, channel: channel, client: p.client, message: p.message}
	inbound.Recognise(r.Context(), c.actor())
	if c.task = d.Service.Catalog().TaskOfChannel(channel); c.task == nil {
		return nil, &unknownToken{p.token}
	}
	return m.run(d, c)
}

// linger lets a call last as long as it may wait: the server's deadlines are for
// calls that are answered at once.
func (d *Dialect) linger(c *call, wait time.Duration) {
	control := http.NewResponseController(c.w)
	err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Now().Add(wait+d.Patience)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		d.Log.DebugContext(c.Context(), "chatapi.deadline_lost", "error", err)
	}
}

func (d *Dialect) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	if err := httpjson.Write(w, status, body); err != nil {
		d.Log.DebugContext(r.Context(), "chatapi.answer_lost", "error", err)
	}
}
