package scenario

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v4"
)

// parser checks one file. It notes every mistake and goes on.
type parser struct {
	file         string
	problems     Problems
	nodes        int // YAML nodes visited
	states       int // states, events and the fallback
	expressions  int
	compiled     map[dialect]*vm.Program
	instructions int // size of all regular expressions
	byName       map[string]*state
}

// Parse checks a whole file and makes a Scenario of it (specs/scenario.md). The name is used in messages only.
// The error is of type Problems and names every mistake with its place.
func Parse(file string, src []byte) (*Scenario, error) {
	p := &parser{file: file, byName: map[string]*state{}, compiled: map[dialect]*vm.Program{}}
	s := &Scenario{file: file, Language: "en"}
	if root := p.load(src); root != nil {
		p.scenario(root, s)
	}
	if err := p.verdict(); err != nil {
		return nil, err
	}
	s.byName = p.byName
	return s, nil
}

func (p *parser) scenario(root *yaml.Node, s *Scenario) {
	fields := p.record(root, "the scenario", "language", "states", "events", "fallback")
	if n := fields["language"]; n != nil {
		s.Language = p.language(n)
	}
	if n := fields["states"]; n != nil {
		s.states = p.stateList(n, "`states`", 1)
	}
	if n := fields["events"]; n != nil {
		s.events = p.events(n)
	}
	if n := fields["fallback"]; n != nil {
		s.fallback = p.fallback(n)
	}
	if len(p.problems) == 0 && len(s.states)+len(s.events) == 0 && s.fallback == nil {
		p.refuse(place(root), "the scenario has no states", "write `states:` with at least one state")
	}
}

func (p *parser) language(n *yaml.Node) string {
	text, ok := p.scalar(n, "`language`")
	if ok && (text == "" || len(text) > 35 || strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})) {
		p.refuse(place(n), "`language` isn't a language tag: "+quote(text), "write a short tag such as ru or en-GB")
	}
	return text
}

// bodyKeys are the keys that a state, an event and the fallback share.
var bodyKeys = []string{"when", "http", "set", "client", "flags", "delay", "replies", "handover", "close"}

func (p *parser) stateList(n *yaml.Node, what string, depth int) []*state {
	if depth > maxNesting {
		p.refuse(place(n), "states are nested too deeply", "keep `next` within 32 levels")
		return nil
	}
	items := p.list(n, what, 1, maxStates+1)
	states := make([]*state, 0, len(items))
	for _, item := range items {
		if !p.counted(item) {
			break
		}
		states = append(states, p.state(item, depth))
	}
	return states
}

// counted keeps the number of states within bounds.
func (p *parser) counted(n *yaml.Node) bool {
	p.states++
	if p.states == maxStates+1 {
		p.refuse(place(n), "there are more than 10,000 states", "split the bot or move data behind an HTTP call")
	}
	return p.states <= maxStates
}

func (p *parser) state(n *yaml.Node, depth int) *state {
	fields := p.record(n, "a state", append([]string{"name", "patterns", "next"}, bodyKeys...)...)
	s := &state{at: place(n)}
	if name := fields["name"]; name != nil {
		s.name, s.at = p.name(name, "the name of a state"), place(name)
		p.register(s)
	} else {
		p.refuse(s.at, "the state has no name", "write `name: /Something`")
	}
	if list := fields["patterns"]; list != nil {
		s.patterns = p.patterns(list)
	} else {
		p.refuse(s.at, "the state "+quote(s.name)+" has no patterns, so nothing leads to it", "write `patterns:`")
	}
	p.fill(s, fields, depth)
	return s
}

func (p *parser) events(n *yaml.Node) map[string]*state {
	events := map[string]*state{}
	for _, one := range p.pairs(n, "`events`") {
		if !p.counted(one.value) {
			break
		}
		s := &state{name: "/" + one.key, at: one.at}
		if !fit(one.key) {
			p.refuse(one.at, "the event "+quote(one.key)+" has no usable name", "write the name that clients send, such as fileEvent")
		}
		fields := p.record(one.value, "an event", append([]string{"next"}, bodyKeys...)...)
		if fields["next"] != nil {
			p.register(s)
		}
		p.fill(s, fields, 1)
		events[one.key] = s
	}
	return events
}

func (p *parser) fallback(n *yaml.Node) *state {
	p.counted(n)
	fields := p.record(n, "the fallback", append([]string{"name", "next"}, bodyKeys...)...)
	s := &state{name: "/CatchAll", at: place(n)}
	if name := fields["name"]; name != nil {
		s.name, s.at = p.name(name, "the name of the fallback"), place(name)
	}
	p.register(s)
	if next := fields["next"]; next != nil {
		p.refuse(place(next), "the fallback has `next`, which would never be tried: the fallback leaves the current state as it is",
			"move it to a state")
		delete(fields, "next")
	}
	p.fill(s, fields, 1)
	return s
}

// register makes the name known and refuses it when another state has it.
func (p *parser) register(s *state) {
	if s.name == "" {
		return
	}
	if other := p.byName[s.name]; other != nil {
		p.refuse(s.at, "the name "+quote(s.name)+" is already taken on line "+strconv.Itoa(other.at.line), "choose another name")
		return
	}
	p.byName[s.name] = s
}

// fill reads what all bodies share. The answer of `http` is visible to everything but the state's own `when`.
func (p *parser) fill(s *state, fields map[string]*yaml.Node, depth int) {
	if n := fields["when"]; n != nil {
		s.when = p.condition(n, "")
	}
	into := ""
	if n := fields["http"]; n != nil {
		s.body.http = p.call(n)
		into = s.body.http.into
	}
	if n := fields["set"]; n != nil {
		s.body.set = p.assignments(n, "`set`", into)
	}
	if n := fields["client"]; n != nil {
		s.body.client = p.assignments(n, "`client`", into)
	}
	if n := fields["flags"]; n != nil {
		s.body.flags = p.flags(n)
	}
	if n := fields["delay"]; n != nil {
		s.body.delay = p.duration(n, "`delay`", maxDelay)
	}
	if n := fields["replies"]; n != nil {
		s.body.replies = p.replies(n, into)
	}
	p.ending(s, fields, into)
	if n := fields["next"]; n != nil {
		s.next = p.stateList(n, "`next`", depth+1)
	}
	acts := slices.ContainsFunc(append([]string{"next"}, bodyKeys[1:]...), func(key string) bool { return fields[key] != nil })
	if !acts {
		p.refuse(s.at, quote(s.name)+" does nothing", "write `replies:` or another action; `replies: []` is a deliberate silence")
	}
}

// ending reads `handover` and `close`, of which a body has one at most. Flag `operator` is a handover.
func (p *parser) ending(s *state, fields map[string]*yaml.Node, into string) {
	if n := fields["handover"]; n != nil {
		s.body.handover = p.handover(n, into)
	} else if slices.Contains(s.body.flags, "operator") {
		s.body.handover = &handover{}
	}
	if n := fields["close"]; n != nil {
		s.body.close = p.flag(n, "`close`")
		if s.body.close && s.body.handover != nil {
			p.refuse(place(n), "a state can't hand over and close the session in one turn", "keep the handover or `close: true`")
		}
	}
}

// knownFlags are the dialog flags of specs/selarti.md.
var knownFlags = []string{"success", "get_contact", "interest", "close", "operator", "is_bot"}

func (p *parser) flags(n *yaml.Node) []string {
	var flags []string
	for _, item := range p.list(n, "`flags`", 1, len(knownFlags)) {
		flag, ok := p.scalar(item, "a flag")
		switch {
		case !ok:
		case !slices.Contains(knownFlags, flag):
			p.refuse(place(item), "unknown flag "+quote(flag), "the flags are "+strings.Join(knownFlags, ", "))
		case slices.Contains(flags, flag):
			p.refuse(place(item), "the flag "+quote(flag)+" stands twice", "remove one of them")
		default:
			flags = append(flags, flag)
		}
	}
	return flags
}

func (p *parser) assignments(n *yaml.Node, what, into string) []assignment {
	var list []assignment
	for _, one := range p.pairs(n, what) {
		if !identifier(one.key) {
			p.refuse(one.at, quote(one.key)+" in "+what+" can't be used in expressions", "write a name of letters, digits and _ that begins with a letter")
			continue
		}
		list = append(list, assignment{one.key, one.at, p.value(one.value, what, into, 1)})
	}
	return list
}

func (p *parser) name(n *yaml.Node, what string) string {
	name, ok := p.scalar(n, what)
	if ok && !fit(name) {
		p.refuse(place(n), what+" isn't usable: "+quote(name), "write up to 200 bytes without spaces around, such as /Start")
		return ""
	}
	return name
}

// fit tells whether a name can stand in events, logs and lists.
func fit(name string) bool {
	return name != "" && len(name) <= maxName && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, unicode.IsControl)
}

// identifier tells whether expressions can spell the name after a dot.
func identifier(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	return name != "" && len(name) <= maxName && (first == '_' || unicode.IsLetter(first)) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
