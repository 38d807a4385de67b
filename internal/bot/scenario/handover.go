package scenario

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Handover says that people take the session over. At most one of the three lists is filled, with names;
// none of them means the usual route (specs/threads.md §5.3).
type Handover struct {
	Skills, Units, Users []string
	// Switch holds the other keys of a `switch` reply, rendered, under the names of specs/chatapi.md §8;
	// nil when the file has none.
	Switch map[string]any
}

type handover struct {
	at     position
	target string // skills, units, users or nothing
	names  []*template
	extra  *value
}

// targets are the keys that name who gets the session.
var targets = []string{"skills", "units", "users"}

// switchKeys are the properties of specs/chatapi.md §8 and the type of each.
var switchKeys = map[string]string{
	"firstMessage": "text", "lastMessage": "text", "theme": "text",
	"ignoreOffline": "flag", "oneTimeMessage": "flag", "appendCloseChatButton": "flag", "sendMessagesToOperator": "flag",
	"sendMessageHistoryAmount": "number",
	"closeChatPhrases":         "list",
	"attributes":               "object", "hiddenAttributes": "object", "customData": "any",
}

func (p *parser) handover(n *yaml.Node, into string) *handover {
	h := &handover{at: place(n), extra: &value{isObject: true}}
	known := append(slices.Clone(targets), slices.Sorted(maps.Keys(switchKeys))...)
	fields := p.record(n, "`handover`", known...)
	for _, key := range known {
		field := fields[key]
		switch {
		case field == nil:
		case slices.Contains(targets, key):
			if h.target != "" {
				p.refuse(place(field), "`handover` names both "+h.target+" and "+key, "name one of "+strings.Join(targets, ", "))
				continue
			}
			h.target, h.names = key, p.recipients(field, key, into)
		default:
			h.extra.keys = append(h.extra.keys, key)
			h.extra.fields = append(h.extra.fields, p.switchKey(field, key, into))
		}
	}
	return h
}

func (p *parser) recipients(n *yaml.Node, key, into string) []*template {
	items := p.list(n, "`"+key+"`", 1, maxItems)
	names := make([]*template, 0, len(items))
	for _, item := range items {
		names = append(names, p.template(item, "a name in `"+key+"`", into))
	}
	return names
}

func (p *parser) switchKey(n *yaml.Node, key, into string) *value {
	v := p.value(n, "`"+key+"`", into, 1)
	if v == nil {
		return nil
	}
	_, isFlag := v.plain.(bool)
	_, isNumber := v.plain.(int)
	right := map[string]bool{
		"text": v.template != nil, "flag": isFlag, "number": isNumber, "list": v.isList, "object": v.isObject, "any": true,
	}
	if kind := switchKeys[key]; !right[kind] {
		p.refuse(place(n), "`"+key+"` must be a "+kind, "see `switch` of the Chat API for its meaning")
	}
	return v
}

// handover renders who gets the session. Names that come out empty are left out.
func (t *turn) handover(h *handover) *Handover {
	out := &Handover{}
	var names []string
	for _, tm := range h.names {
		if name := strings.TrimSpace(t.text(tm)); name != "" {
			names = append(names, name)
		}
	}
	switch h.target {
	case "skills":
		out.Skills = names
	case "units":
		out.Units = names
	case "users":
		out.Users = names
	}
	if h.extra != nil && len(h.extra.keys) > 0 {
		out.Switch, _ = t.value(h.extra).(map[string]any) // an object renders as one
	}
	if weigh(out.Switch, maxStored) > maxStored {
		t.note(h.at, "what the handover carries is too large and was left out")
		out.Switch = nil
	}
	return out
}
