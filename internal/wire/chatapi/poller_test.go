package chatapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// poller is an app that hears by /events: it goes on from the server's cursor,
// and after any failure from the last moment that it was shown itself
// (specs/chatapi.md §4).
type poller struct {
	sayer
	shown *wiretest.Transcript

	cancel  context.CancelFunc
	going   sync.WaitGroup
	last    string // timestamp of the last event shown; the loop's own
	stalled []net.Conn
}

// listen starts the loop.
func (p *poller) listen(again bool) {
	ctx, cancel := context.WithCancel(p.site.T.Context())
	p.cancel = cancel
	p.going.Go(func() {
		for unsure := again; ; {
			if _, err := p.site.URL(ctx); err != nil {
				return
			}
			unsure = p.poll(ctx, unsure) != nil
		}
	})
}

// poll makes one call and notes what it was shown.
func (p *poller) poll(ctx context.Context, unsure bool) error {
	query := url.Values{"clientId": {p.client}, "all": {"true"}}
	if unsure {
		query.Set("ts", p.since())
	}
	answer, err := p.site.Call(ctx, wiretest.Ask{Path: "/chatapi/" + token("acme") + "/events", Query: query.Encode()})
	if err != nil {
		return err
	}
	var list struct {
		Events []struct {
			Type  string
			Event json.RawMessage
		}
	}
	if err := answer.Took(&list); err != nil {
		p.site.T.Errorf("a poll: %v", err)
		return err
	}
	for _, e := range list.Events {
		if err := p.show(e.Type, e.Event); err != nil {
			p.site.T.Errorf("%s: %v", e.Event, err)
		}
	}
	return nil
}

func (p *poller) since() string {
	if p.last == "" {
		return "0"
	}
	return p.last
}

func (p *poller) show(kind string, event json.RawMessage) error {
	var e envelope
	if err := json.Unmarshal(event, &e); err != nil {
		return err
	}
	if e.ClientID != p.client || e.Token != token("acme") {
		return fmt.Errorf("it is not about %s", p.client)
	}
	p.last = e.Timestamp
	switch kind {
	case "request":
		p.shown.Add("request "+e.QuestionID, wiretest.Line(chat.AuthorClient, e.Query))
		return nil
	case "botResponse", "humanResponse":
		author := map[string]chat.Author{"botResponse": chat.AuthorBot, "humanResponse": chat.AuthorOperator}[kind]
		for _, h := range e.heard(author) {
			p.shown.Add(h.ID, h.Line)
		}
		return nil
	}
	return fmt.Errorf("an event of type %q", kind)
}

// Heard implements wiretest.App.
func (p *poller) Heard(n int) []string {
	p.site.T.Helper()
	return p.shown.Wait(p.site.T, n)
}

// Leave implements wiretest.App: the call that waits is cut off.
func (p *poller) Leave() {
	p.cancel()
	p.going.Wait()
	for _, c := range p.stalled {
		_ = c.Close() // it was never read
	}
	p.stalled = nil
}

// Return implements wiretest.App.
func (p *poller) Return() {
	p.Leave()
	p.listen(true)
}

// Stall implements wiretest.App: calls are under way, and nobody reads what they
// are answered.
func (p *poller) Stall() {
	p.Leave()
	at, err := p.site.URL(p.site.T.Context())
	if err != nil {
		p.site.T.Fatal(err)
	}
	for range 4 {
		c, err := net.Dial("tcp", strings.TrimPrefix(at, "http://"))
		if err != nil {
			p.site.T.Fatal(err)
		}
		p.stalled = append(p.stalled, c)
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			p.site.T.Fatal(err)
		}
	}
	path := "/chatapi/" + token("acme") + "/events?all=true&ts=0&clientId=" + url.QueryEscape(p.client)
	for _, c := range p.stalled {
		_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		if err != nil {
			p.site.T.Fatal(err)
		}
	}
}
