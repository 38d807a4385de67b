// Package scenario is the engine of scenario bots: it reads the YAML file that describes a bot (Parse),
// answers one turn of a conversation (Scenario.Turn), tells when a file on disk has changed (Watch) and lets an
// author talk to a file in a terminal (Chat).
//
// The engine is pure. It keeps no state between turns, touches no database and opens no connection: what a bot
// remembers comes in with Input and goes out with Outcome; HTTP calls and pauses go through Effects. The format is
// specs/scenario.md; README.md beside this file explains it to authors.
package scenario

import (
	"time"
)

// The limits of a file. They are generous for people and tight for machines.
const (
	maxFile       = 1 << 20 // bytes
	maxStates     = 10_000
	maxNesting    = 32      // `next` within `next`, and lists within lists of a value
	maxNodes      = 300_000 // YAML nodes visited, aliases followed
	maxName       = 200     // bytes of a name: of a state, an event, a variable, a header
	maxPattern    = 1_000   // bytes
	maxExpression = 4_096   // bytes
	maxItems      = 100     // replies of a state, buttons of a reply (specs/chatapi.md §6 allows 100 replies)
	maxAddress    = 4_000   // bytes of a URL, as in specs/threads.md §3.3
	maxTimeout    = 10 * time.Second
	maxDelay      = time.Minute
	maxAfter      = 30 * 24 * time.Hour
)

// Scenario is one checked file. It never changes, so any number of turns may run on it at once;
// hot reload means to use another Scenario from the next turn on.
type Scenario struct {
	// Language is the bot's label as the file says it, "en" when it doesn't. It picks the built-in texts.
	Language string

	file     string
	states   []*state
	byName   map[string]*state // every state, and every event whose body has `next`
	events   map[string]*state
	fallback *state
}

// state is a state, an event's body or the fallback.
type state struct {
	name     string
	at       position
	patterns []pattern
	when     *expression
	body     body
	next     []*state
}

// body is what a turn does, in the order in which it does it.
type body struct {
	http     *call
	set      []assignment
	client   []assignment
	flags    []string
	delay    time.Duration
	replies  []reply
	handover *handover
	close    bool
}

// assignment is one line of `set` or `client`.
type assignment struct {
	name  string
	at    position
	value *value
}

// position is a place in the file, both numbers from 1.
type position struct{ line, column int }
