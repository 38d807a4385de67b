package centrifuge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// transcript is a conversation, a line a step:
//
//	a> {…}          client a sends a frame; ⏎ stands for a line break in it
//	a< {…}          the next reply to a is exactly this; $a is a's id
//	a! 3501 reason  a's connection ends so
//	a hangs up
//	+ 25s           time passes
//	pub c {…}       the application publishes into channel c, by the stream
//	typing c {…}    the same without an offset
//	note …          the handler noted exactly this, in time
//	do name         runs a step of the test
type transcript struct {
	name      string
	configure func(*Config, *app)
	do        map[string]func(t *testing.T, w *world)
	lines     string
}

func (tr transcript) play(t *testing.T, dial func(*testing.T, *world) client) {
	w := newWorld(t, tr.configure)
	p := player{w: w, dial: dial, clients: make(map[string]client), ids: make(map[string]string)}
	for number, line := range strings.Split(strings.TrimSpace(tr.lines), "\n") {
		line = strings.TrimSpace(line)
		if err := p.step(t, tr, line); err != nil {
			t.Fatalf("line %d, %s:\n%v", number+1, line, err)
		}
	}
	if text := w.logText(); text != "" && !strings.Contains(tr.lines, "do read log") {
		t.Errorf("the server complained:\n%s", text)
	}
}

type player struct {
	w       *world
	dial    func(*testing.T, *world) client
	clients map[string]client
	ids     map[string]string // by the client's letter
}

func (p *player) step(t *testing.T, tr transcript, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "":
		return nil
	case word == "+":
		d, err := time.ParseDuration(rest)
		p.w.pass(t, d)
		return err
	case word == "pub", word == "typing":
		channel, data, _ := strings.Cut(rest, " ")
		if word == "pub" {
			p.w.say(channel, data, nil)
		} else {
			p.w.server.Publish(channel, Publication{Data: []byte(data)})
		}
		return nil
	case word == "note":
		eventually(t, "the handler noted "+rest, func() bool { return slices.Contains(strings.Split(p.w.noted(), "\n"), rest) })
		return nil
	case word == "do":
		tr.do[rest](t, p.w)
		return nil
	case rest == "hangs up":
		p.clients[word].hangUp()
		return nil
	}
	return p.exchange(t, word[:1], word[1:], rest)
}

func (p *player) exchange(t *testing.T, who, kind, rest string) error {
	c := p.clients[who]
	if c == nil {
		c = p.dial(t, p.w)
		p.clients[who] = c
	}
	if kind == ">" {
		return c.send(strings.ReplaceAll(rest, "⏎", "\n"))
	}
	got, err := c.next()
	if kind == "!" {
		if err == nil {
			return fmt.Errorf("got reply %s", got)
		}
		if err.Error() != rest {
			return fmt.Errorf("it ended with %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if _, after, ok := strings.Cut(got, `"connect":{"client":"`); ok {
		p.ids[who], _, _ = strings.Cut(after, `"`)
	}
	for _, letter := range slices.Sorted(maps.Keys(p.ids)) {
		got = strings.ReplaceAll(got, `"`+p.ids[letter]+`"`, `"$`+letter+`"`)
	}
	if got != rest {
		return fmt.Errorf("got\n   %s", got)
	}
	return nil
}

func playAll(t *testing.T, all []transcript) {
	for _, tr := range all {
		t.Run(tr.name, func(t *testing.T) {
			everyTransport(t, tr.play)
		})
	}
}
