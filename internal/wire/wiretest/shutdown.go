package wiretest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// shutdown: the server stops while clients talk and some apps are away. What it
// has acknowledged is stored, and everything stored is heard after the next start,
// in order.
func shutdown(s *Site) {
	silent := s.app("silent") // waits when the server stops
	s.say(silent, "hello")
	s.hears(silent, byClient+"hello", byBot+"hello")
	away := []string{"anna", "lev"}
	talk := newTalk(s, append(away, "zoe")...)
	talk.until(10)
	for _, client := range away {
		talk.apps[client].Leave()
	}
	talk.until(30)
	s.Stop() // in the middle of it
	talk.end()
	s.Start()
	for _, client := range away {
		talk.apps[client].Return()
	}
	for client, a := range talk.apps {
		s.answered(a, client)
		stored := s.Stored(client)
		for _, text := range talk.acknowledged[client] {
			if !slices.Contains(stored, byClient+text) {
				s.T.Errorf("%s: %q was acknowledged and is not stored", client, text)
			}
		}
		s.agrees(a, client)
	}
	s.say(silent, "bye")
	s.hears(silent, byClient+"hello", byBot+"hello", byClient+"bye", byBot+"bye")
}

// answered waits until an app was shown the bot's answer to all that the client
// has said.
func (s *Site) answered(a App, client string) {
	s.T.Helper()
	said := 0
	for _, line := range s.Stored(client) {
		if strings.HasPrefix(line, byClient) {
			said++
		}
	}
	a.Heard(len(s.Shown(byClient, byBot)) * said)
}

// talk is clients who go on talking until they are not heard any more.
type talk struct {
	site  *Site
	apps  map[string]App
	going sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string][]string
	count        int
	news         chan struct{} // one place
}

func newTalk(s *Site, clients ...string) *talk {
	t := &talk{site: s, apps: map[string]App{}, acknowledged: map[string][]string{}, news: make(chan struct{}, 1)}
	for _, client := range clients {
		a := s.app(client)
		t.apps[client] = a
		t.going.Go(func() {
			for i := 0; t.say(a, client, fmt.Sprint(i)); i++ {
			}
		})
	}
	return t
}

// say is false when it was not acknowledged.
func (t *talk) say(a App, client, text string) bool {
	_, err := a.Say(text, "")
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.acknowledged[client] = append(t.acknowledged[client], text)
		t.count++
	}
	select {
	case t.news <- struct{}{}:
	default:
	}
	return err == nil
}

// until waits for a number of acknowledgements.
func (t *talk) until(n int) {
	t.site.T.Helper()
	late := time.After(patience)
	for {
		t.mu.Lock()
		count := t.count
		t.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-t.news:
		case <-late:
			t.site.T.Fatalf("%d of %d messages were acknowledged", count, n)
		}
	}
}

// end waits until nobody talks any more: the server is gone.
func (t *talk) end() { t.going.Wait() }
