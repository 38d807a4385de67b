package wiretest

import (
	"net/http"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// Dialect is one way in which apps talk to the server, for Play: what its test
// knows and the scenarios don't. Its apps speak real HTTP.
type Dialect interface {
	// Equip gives a company what its apps need: it changes the channel, and how
	// they are told, by webhooks to an address or by their own calls.
	Equip(company *chat.Setup, hooks string)
	// Serve makes the dialect's handlers for a process that has just started.
	Serve(s *Site, mux *http.ServeMux) error
	// Formats are those of the webhooks it needs.
	Formats(s *Site) map[string]delivery.Format
	// Decode says what a webhook tells of the company's clients.
	Decode(body []byte) ([]Heard, error)
	// App is what a client of acme's shop uses.
	App(s *Site, client string) App
	// Traits say what its apps are shown.
	Traits() Traits
	// Denied are calls that nobody may make who is not allowed to: about what
	// acme's client was acknowledged, among them by rival's own credentials.
	Denied(s *Site, client string, r Receipt) []Refusal
	// Malformed are calls of acme's that can't be taken.
	Malformed(s *Site) []Refusal
}

// Traits are how dialects differ in what an app is shown.
type Traits struct {
	Echo bool // what its client said, too
	Sync bool // Say waits for the bot, and returns what it said
}

// App is the software of one client. It hears from when it is made until the
// site ends.
type App interface {
	// Say sends a text, under a key unless it is "", and returns once that is
	// acknowledged. An error is no acknowledgement. It may be called from any
	// goroutine.
	Say(text, key string) (Receipt, error)
	// Heard waits until the app was shown n lines and returns all of them, each
	// once, in the order in which they came.
	Heard(n int) []string
	// Leave cuts off the way by which it hears, Return goes on where it was.
	Leave()
	Return()
	// Stall keeps the way open, asks for what there is now, and reads nothing
	// until Return. It may be done again.
	Stall()
}

// Receipt is an acknowledgement.
type Receipt struct {
	ID      string   // by which the dialect knows what was said
	Replies []string // what the bot said in the call, of a dialect with Sync
}

// Heard is one line that one client was shown. The ID tells repetitions.
type Heard struct {
	Client, ID, Line string
}

// The lines are who and what, such as "bot: hello".
const (
	byClient   = "client: "
	byBot      = "bot: "
	byOperator = "operator: "
)

// Line writes what somebody said as a line.
func Line(author chat.Author, text string) string {
	switch author {
	case chat.AuthorClient:
		return byClient + text
	case chat.AuthorOperator:
		return byOperator + text
	default:
		return byBot + text
	}
}

// Refusal is a call that must be refused, and how.
type Refusal struct {
	Name   string
	Ask    Ask
	Status int
	Says   map[string]any // fields of the answer, by their path with dots
}
