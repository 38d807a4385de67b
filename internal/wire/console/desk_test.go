package console_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/console"
	"github.com/tolmach/tolmach/internal/wire/inbound"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

const maxBody = 256 << 10

// desk is the API served over a world, behind the inbound-call log.
type desk struct {
	*wiretest.World
	api     *console.API
	handler http.Handler
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	w := wiretest.New(t)
	mux := http.NewServeMux()
	log := inbound.New(w.Log.Logger(), w.Clock.Now, func(*http.Request) string { return "192.0.2.1" }, nil)
	api := console.New(console.Options{
		Service: w.Service, Auth: w.Gate(), SessionLife: time.Hour, MaxBody: maxBody, Log: w.Log.Logger(), Failures: log,
	})
	api.Register(mux)
	mux.HandleFunc("/", http.NotFound) // as beside the console's pages
	return &desk{World: w, api: api, handler: log.Middleware(mux)}
}

// operator signs somebody in and returns the token.
func (d *desk) operator(t testing.TB, login string) string {
	t.Helper()
	token, _, err := d.Login(t.Context(), login, wiretest.Password, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (d *desk) get(t testing.TB, token, path string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Path: "/console/api/" + path, Token: token}.Do(t, d.handler)
}

func (d *desk) post(t testing.TB, token, path, body string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: "POST", Path: "/console/api/" + path, Token: token, Body: body}.Do(t, d.handler)
}

func (d *desk) put(t testing.TB, token, path, body string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: "PUT", Path: "/console/api/" + path, Token: token, Body: body}.Do(t, d.handler)
}

// path writes the path of a conversation.
func path(id chat.ID, rest string) string { return fmt.Sprintf("conversations/%d%s", id, rest) }

// deliver sends what waits for a company's integration, as the delivery engine
// would: each event gets one try with the given outcome.
func (d *desk) deliver(t testing.TB, c wiretest.Company, state chat.DeliveryState, status int) {
	t.Helper()
	endpoint, ok := d.Catalog().Endpoint(c.Tenant.ID, c.Task.Integrations[0].ID)
	if !ok {
		t.Fatal("no endpoint")
	}
	lanes, err := d.ClaimLanes(t.Context(), endpoint, 1000, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for i := range lanes {
		for lane := &lanes[i]; lane != nil; {
			work, err := d.NextWork(t.Context(), *lane)
			if err != nil {
				t.Fatal(err)
			}
			if work == nil {
				break
			}
			try := &chat.Attempt{At: chat.MicrosOf(d.Clock.Now()), Status: status, Error: "said no", TookMicros: 12_345}
			if lane, err = d.Settle(t.Context(), chat.Settlement{
				Work: work, State: state, Attempt: try, Body: []byte(`{"a":1}`), Until: chat.MicrosOf(d.Clock.Now().Add(time.Minute)),
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// ids returns the ids of a page's items.
func ids(t testing.TB, a wiretest.Answer) []int64 {
	t.Helper()
	var page struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	a.Must(http.StatusOK).Into(&page)
	list := []int64{}
	for _, item := range page.Items {
		list = append(list, item.ID)
	}
	return list
}

// refused checks the shape of an error.
func refused(t testing.TB, a wiretest.Answer, status int, code, field string) {
	t.Helper()
	got, _ := a.At("error", "field").(string)
	message, _ := a.At("error", "message").(string)
	if a.Status != status || a.At("error", "code") != code || got != field || message == "" {
		t.Errorf("%d %s; want %d, code %s, field %q", a.Status, a.Body, status, code, field)
	}
}
