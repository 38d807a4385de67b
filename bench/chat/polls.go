package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// settle is how long a process is left alone before its memory is read.
const settle = 3 * time.Second

// poller is one connection that polls; a round is one call.
type poller struct {
	conn net.Conn
	in   *bufio.Reader
	path string
}

func dial(s *server, query url.Values) (*poller, error) {
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		return nil, err
	}
	return &poller{conn, bufio.NewReader(conn), "/chatapi/" + token + "/events?" + query.Encode()}, nil
}

// wake is what ended a round.
type wake struct {
	number int
	events []answer
	came   time.Time
	err    error
}

// ask sends the call; await reads what it is answered.
func (p *poller) ask() error {
	_, err := fmt.Fprintf(p.conn, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", p.path)
	return err
}

func (p *poller) await() (events []answer, came time.Time, err error) {
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return nil, came, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	came = time.Now()
	if err != nil {
		return nil, came, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, came, fmt.Errorf("a poll was answered %d: %.300s", resp.StatusCode, body)
	}
	var list struct {
		Events []struct{ Event answer }
	}
	err = json.Unmarshal(body, &list)
	for _, e := range list.Events {
		events = append(events, e.Event)
	}
	return events, came, err
}

// crowd is many pollers.
type crowd struct {
	server  *server
	pollers []*poller
}

// newCrowd opens n connections; query says what each asks for.
func newCrowd(s *server, n int, query func(number int) url.Values) (*crowd, error) {
	c := &crowd{server: s}
	for i := range n {
		p, err := dial(s, query(i))
		if err != nil {
			return c, err
		}
		c.pollers = append(c.pollers, p)
	}
	return c, nil
}

func (c *crowd) close() {
	for _, p := range c.pollers {
		_ = p.conn.Close() // nobody waits for it any more
	}
}

// wait lets all ask, and returns when all of them wait at the server.
func (c *crowd) wait(ctx context.Context) error {
	for _, p := range c.pollers {
		if err := p.ask(); err != nil {
			return err
		}
	}
	return c.server.waitSubscribers(ctx, len(c.pollers))
}

// woken is what each was woken by, in the order of the pollers, once cause has
// done its work. Each is read on a goroutine of its own.
func (c *crowd) woken(cause func() error) ([]wake, error) {
	wakes := make([]wake, len(c.pollers))
	var readers sync.WaitGroup
	for i, p := range c.pollers {
		readers.Go(func() {
			w := &wakes[i]
			w.number = i
			w.events, w.came, w.err = p.await()
		})
	}
	if err := cause(); err != nil {
		c.close() // that ends the readers
		readers.Wait()
		return nil, err
	}
	readers.Wait()
	return wakes, nil
}

// delays are the times from an event's own moment until it was in the hands of
// who waited for it; each wake must have the one event that text says.
func delays(wakes []wake, text func(number int) string) ([]time.Duration, error) {
	var took []time.Duration
	for _, w := range wakes {
		if w.err != nil {
			return nil, w.err
		}
		if len(w.events) != 1 || w.events[0].Data.Answer != text(w.number) {
			return nil, fmt.Errorf("poll %d was woken by %+v, not by %q", w.number, w.events, text(w.number))
		}
		at, err := w.events[0].at()
		if err != nil {
			return nil, err
		}
		took = append(took, w.came.Sub(at))
	}
	return took, nil
}

func client(number int) string { return fmt.Sprintf("client-%d", number) }

// meet makes the server know the clients, and shows them the answers they got
// then.
func meet(ctx context.Context, s *server, n int) error {
	_, _, err := openLoop(ctx, 200, n, func(i int) error {
		var a answer
		_, err := call(ctx, http.MethodPost, s.url+"/chatapi/"+token, "", question{client(i), "hello"}, &a)
		if err == nil && a.Data.Answer != "hello" {
			err = fmt.Errorf("hello was answered %q", a.Data.Answer)
		}
		return err
	})
	return err
}

// measurePolls: clients wait, one poll each; then an operator writes to each of
// them, then its bot answers each.
func measurePolls(ctx context.Context, o options, s *server, r *report) error {
	if err := meet(ctx, s, o.polls); err != nil {
		return err
	}
	session, err := login(ctx, s)
	if err != nil {
		return err
	}
	conversations, err := listConversations(ctx, s, session)
	if err != nil {
		return err
	}
	caller.CloseIdleConnections()
	time.Sleep(settle)
	before, err := s.residentMB()
	if err != nil {
		return err
	}
	c, err := newCrowd(s, o.polls, func(i int) url.Values { return url.Values{"clientId": {client(i)}} })
	defer c.close()
	if err == nil {
		err = c.wait(ctx)
	}
	if err != nil {
		return err
	}
	time.Sleep(settle)
	after, err := s.residentMB()
	if err != nil {
		return err
	}
	r.Polls = &polls{Waiting: o.polls, Rate: o.wakeRate, BeforeMB: before, AddedMB: after - before}
	cpu, err := s.costing(o.polls, func() (err error) {
		r.Polls.Operator, err = c.round(ctx, o.wakeRate, "operator", func(i int, text string) error {
			at := fmt.Sprintf("%s/console/api/conversations/%d/messages", s.url, conversations[client(i)])
			_, err := call(ctx, http.MethodPost, at, session, map[string]any{"text": text, "take": false}, nil)
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	r.Polls.Cost = cost(cpu)
	if err := c.wait(ctx); err != nil {
		return err
	}
	r.Polls.Bot, err = c.round(ctx, o.wakeRate, "bot", func(i int, text string) error {
		_, err := call(ctx, http.MethodPost, s.url+"/chatapi/"+token+"/async", "", question{client(i), text}, nil)
		return err
	})
	return err
}

// round wakes everybody who waits by an event of his own.
func (c *crowd) round(ctx context.Context, rate int, what string, cause func(i int, text string) error) (spread, error) {
	text := func(i int) string { return fmt.Sprintf("%s %d", what, i) }
	wakes, err := c.woken(func() error {
		_, _, err := openLoop(ctx, rate, len(c.pollers), func(i int) error { return cause(i, text(i)) })
		return err
	})
	if err != nil {
		return spread{}, err
	}
	took, err := delays(wakes, text)
	return spreadOf(took), err
}

// rounds of many polls of one client.
const rounds = 5

// measureOneClient: many polls of one client, all woken by one event.
func measureOneClient(ctx context.Context, o options, s *server, r *report) error {
	if err := meet(ctx, s, 1); err != nil {
		return err
	}
	var all []time.Duration
	var resident, cpu float64
	for round := range rounds {
		from := fmt.Sprint(time.Now().UnixMilli() + 1) // what comes after now
		c, err := newCrowd(s, o.polls, func(int) url.Values { return url.Values{"clientId": {client(0)}, "ts": {from}} })
		if err == nil {
			err = c.wait(ctx)
		}
		if err == nil && round == 0 {
			resident, err = s.residentMB()
		}
		if err == nil {
			var each float64
			each, err = s.costing(o.polls, func() error {
				took, err := c.allWoken(ctx, fmt.Sprintf("event %d", round))
				all = append(all, took...)
				return err
			})
			cpu += each / rounds
		}
		c.close()
		if err != nil {
			return err
		}
	}
	r.OneClient = &oneClient{Waiting: o.polls, Wakes: len(all), ResidentMB: resident, Delay: spreadOf(all), Cost: cost(cpu)}
	return nil
}

// allWoken wakes everybody by one event.
func (c *crowd) allWoken(ctx context.Context, text string) ([]time.Duration, error) {
	wakes, err := c.woken(func() error {
		_, err := call(ctx, http.MethodPost, c.server.url+"/chatapi/"+token+"/async", "", question{client(0), text}, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return delays(wakes, func(int) string { return text })
}

// listConversations are their ids by client.
func listConversations(ctx context.Context, s *server, session string) (map[string]int64, error) {
	found := map[string]int64{}
	for after := int64(0); ; {
		var page struct {
			Items []struct {
				ID         int64  `json:"id"`
				ExternalID string `json:"external_id"`
			} `json:"items"`
			Next *int64 `json:"next"`
		}
		at := fmt.Sprintf("%s/console/api/conversations?limit=250&after=%d", s.url, after)
		if _, err := call(ctx, http.MethodGet, at, session, nil, &page); err != nil {
			return nil, err
		}
		for _, c := range page.Items {
			found[c.ExternalID] = c.ID
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if len(found) == 0 {
		return nil, errors.New("no conversation is listed")
	}
	return found, nil
}
