package chat

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Validate finds everything that is wrong with one document on its own: values
// out of their sets, missing names, references that lead nowhere. Keys:
// specs/setup.md.
func (s *Setup) Validate() []Problem {
	v := &validator{setup: s, names: map[Kind]map[string]bool{}}
	if s.Tenant == "" {
		v.add("tenant", "is missing; name the company this document sets up")
	}
	v.collectNames()
	for i := range s.Channels {
		v.channel(fmt.Sprintf("channels[%d]", i), &s.Channels[i])
	}
	for i := range s.Bots {
		v.bot(fmt.Sprintf("bots[%d]", i), &s.Bots[i])
	}
	for i := range s.Integrations {
		v.integration(fmt.Sprintf("integrations[%d]", i), &s.Integrations[i])
	}
	for i := range s.Operators {
		v.operator(fmt.Sprintf("operators[%d]", i), &s.Operators[i])
	}
	for i := range s.Segments {
		if r := s.Segments[i].Route; r != "" {
			v.names.ref(v, fmt.Sprintf("segments[%d].route", i), KindRoute, r)
		}
	}
	for i := range s.Routes {
		v.points(fmt.Sprintf("routes[%d].points", i), s.Routes[i].Points)
	}
	for i := range s.Tasks {
		v.task(fmt.Sprintf("tasks[%d]", i), &s.Tasks[i])
	}
	for i := range s.APIKeys {
		v.apiKey(fmt.Sprintf("api_keys[%d]", i), &s.APIKeys[i])
	}
	return v.problems
}

type knownNames map[Kind]map[string]bool

// validator collects the problems of one document.
type validator struct {
	setup    *Setup
	names    knownNames
	problems []Problem
}

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// collectNames notes every name and refuses missing and repeated ones.
func (v *validator) collectNames() {
	for _, item := range v.setup.items() {
		field := item.path + ".name"
		if item.kind == KindOperator {
			field = item.path + ".login"
		}
		if v.names[item.kind] == nil {
			v.names[item.kind] = map[string]bool{}
		}
		switch {
		case item.name == "":
			v.add(field, "is missing; every %s needs one", item.kind)
		case len(item.name) > 200:
			v.add(field, "is over 200 bytes")
		case v.names[item.kind][item.name]:
			v.add(field, "%q is used twice; names of one kind are unique", item.name)
		}
		if item.given < 0 || item.given > 1<<53-1 {
			v.add(item.path+".id", "%d is out of range; ids are 1 to 9007199254740991", item.given)
		}
		v.names[item.kind][item.name] = true
	}
}

// ref refuses a name that leads nowhere.
func (n knownNames) ref(v *validator, path string, kind Kind, name string) {
	if n[kind][name] {
		return
	}
	var known []string
	for k := range n[kind] {
		known = append(known, k)
	}
	slices.Sort(known)
	if len(known) == 0 {
		v.add(path, "there is no %s named %q, and the document has no %ss", kind, name, kind)
		return
	}
	v.add(path, "there is no %s named %q; known: %s", kind, name, strings.Join(known, ", "))
}

// refs refuses each name of a list that leads nowhere.
func (v *validator) refs(path string, kind Kind, names []string) {
	for i, name := range names {
		v.names.ref(v, fmt.Sprintf("%s[%d]", path, i), kind, name)
	}
}

// oneOf refuses a value outside its set; "" is the default and passes.
func (v *validator) oneOf(path, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		v.add(path, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

// httpURL refuses what can't be called.
func (v *validator) httpURL(path, raw string) {
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		v.add(path, "is not an http or https URL")
	}
}

// secret refuses what is announced as base64 and is none: it could not sign.
func (v *validator) secret(path, secret string) {
	encoded, announced := strings.CutPrefix(secret, "whsec_")
	if !announced {
		return
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil || len(key) == 0 {
		v.add(path, "begins with whsec_ but no base64 follows")
	}
}

// maxWait is the longest that a caller of a channel may be kept waiting.
const maxWait = 10 * time.Minute

func (v *validator) channel(path string, c *Channel) {
	if c.Kind == "" {
		v.add(path+".kind", "is missing; use page_messenger, chat_api or widget")
	}
	v.oneOf(path+".kind", string(c.Kind), string(ChannelPageMessenger), string(ChannelChatAPI), string(ChannelWidget))
	v.oneOf(path+".events_default", c.EventsDefault, "operator", "outside")
	v.oneOf(path+".cid_filter", c.CIDFilter, "exclude_own", "only_own")
	v.httpURL(path+".webhook_url", c.WebhookURL)
	v.secret(path+".webhook_secret", c.WebhookSecret)
	if c.Token == "bot" || c.Token == "webhook" {
		v.add(path+".token", "%q is a part of the Chat API's paths; choose another token", c.Token)
	}
	if c.SyncTimeout != nil && (*c.SyncTimeout < Duration(time.Millisecond) || *c.SyncTimeout > Duration(maxWait)) {
		v.add(path+".sync_timeout", "is not between 1ms and 10m")
	}
	if c.PollCeiling != nil && *c.PollCeiling > Duration(maxWait) {
		v.add(path+".poll_ceiling", "is over 10m; 0s answers polls at once")
	}
	if c.Hours != nil {
		v.hours(path+".hours", c.Hours)
	}
}

var intervalForm = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$`)

func (v *validator) hours(path string, h *Hours) {
	if _, err := time.LoadLocation(h.TZ); err != nil || h.TZ == "" {
		v.add(path+".tz", "%q is not a time zone; write it as Europe/Moscow", h.TZ)
	}
	days := map[string][]string{"mon": h.Mon, "tue": h.Tue, "wed": h.Wed, "thu": h.Thu, "fri": h.Fri, "sat": h.Sat, "sun": h.Sun}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		for i, interval := range days[day] {
			if !intervalForm.MatchString(interval) || interval[:5] >= interval[6:] {
				v.add(fmt.Sprintf("%s.%s[%d]", path, day, i), "%q is not an interval; write it as 09:00-18:00", interval)
			}
		}
	}
	for i, day := range h.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			v.add(fmt.Sprintf("%s.holidays[%d]", path, i), "%q is not a date; write it as 2026-01-01", day)
		}
	}
}

func (v *validator) integration(path string, i *Integration) {
	if i.URL == "" {
		v.add(path+".url", "is missing; where should the webhooks go?")
	}
	v.httpURL(path+".url", i.URL)
	v.secret(path+".secret", i.Secret)
	if i.Format == "" {
		v.add(path+".format", "is missing; use native, selarti, chatapi, threads or twin")
	}
	v.oneOf(path+".format", i.Format, "native", "selarti", "chatapi", "threads", "twin")
	v.oneOf(path+".on_park", i.OnPark, "continue", "block")
	v.oneOf(path+".bool_format", i.BoolFormat, "json", "yes_no", "string")
	if len(i.Events) == 0 {
		v.add(path+".events", "is missing; use all_messages or names of flags")
	}
	for n, e := range i.Events {
		v.oneOf(fmt.Sprintf("%s.events[%d]", path, n), e, subscriptions()...)
	}
	for _, name := range slices.Sorted(maps.Keys(i.WhTypes)) {
		v.oneOf(path+".wh_types", name, subscriptions()...)
	}
	if i.Rate < 0 || i.MaxInflight < 0 || i.MaxInflight > 256 {
		v.add(path, "rate and max_inflight count from 1; max_inflight is at most 256")
	}
	if i.Retry != nil && len(i.Retry.Event) == 0 && len(i.Retry.Endpoint) == 0 {
		v.add(path+".retry", "is empty; give event, endpoint or both as lists of durations")
	}
}

// subscriptions lists what an integration may ask for.
func subscriptions() []string {
	list := append([]string{AllMessages}, flagNames[:]...)
	for _, k := range []EventKind{
		EventMessageCreated, EventMessageStatus, EventClientEvent, EventClientChanged, EventFlagSet, EventFlagCleared,
		EventSessionOpened, EventSessionClosed, EventSessionRated, EventOwnerChanged, EventNoteAdded,
	} {
		list = append(list, string(k))
	}
	return list
}

func (v *validator) operator(path string, o *Operator) {
	if o.Role == "" {
		v.add(path+".role", "is missing; use operator, supervisor or admin")
	}
	v.oneOf(path+".role", string(o.Role), string(RoleOperator), string(RoleSupervisor), string(RoleAdmin))
	if o.Password != "" && len(o.Password) < 8 {
		v.add(path+".password", "is shorter than 8 characters")
	}
	if o.Unit != "" {
		v.names.ref(v, path+".unit", KindUnit, o.Unit)
	}
	v.refs(path+".skills", KindSkill, o.Skills)
	if o.Capacity != nil && *o.Capacity < 0 {
		v.add(path+".capacity", "is negative")
	}
}

func (v *validator) apiKey(path string, k *APIKey) {
	if len(k.Scopes) == 0 {
		v.add(path+".scopes", "is missing; use some of %s", strings.Join(Scopes(), ", "))
	}
	for i, scope := range k.Scopes {
		v.oneOf(fmt.Sprintf("%s.scopes[%d]", path, i), scope, Scopes()...)
	}
}
