package chat_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestValidate is every rule of a setup document with the path it is told at
// (specs/setup.md). Each case is one mistake in a setup that is right.
func TestValidate(t *testing.T) {
	t.Parallel()
	minus, hot, never := -1, 2.5, chat.Duration(0)
	day := chat.Duration(24 * time.Hour)
	hours := func(edit func(h *chat.Hours)) func(s *chat.Setup) {
		return func(s *chat.Setup) {
			h := &chat.Hours{TZ: "Europe/Moscow"}
			edit(h)
			s.Channels[1].Hours = h
		}
	}
	webhook := func(edit func(b *chat.Bot)) func(s *chat.Setup) {
		return func(s *chat.Setup) {
			s.Bots[1] = chat.Bot{Name: "backup", Kind: chat.BotWebhook, MessageURL: "https://a/b"}
			edit(&s.Bots[1])
		}
	}
	llm := func(edit func(b *chat.Bot)) func(s *chat.Setup) {
		return func(s *chat.Setup) {
			s.Bots[1] = chat.Bot{Name: "backup", Kind: chat.BotLLM, BaseURL: "http://a/v1", Model: "m"}
			edit(&s.Bots[1])
		}
	}
	hook := func(edit func(i *chat.Integration)) func(s *chat.Setup) {
		return func(s *chat.Setup) { edit(&s.Integrations[1]) }
	}
	operator := func(edit func(o *chat.Operator)) func(s *chat.Setup) {
		return func(s *chat.Setup) { edit(&s.Operators[2]) }
	}
	task := func(edit func(k *chat.Task)) func(s *chat.Setup) {
		return func(s *chat.Setup) { edit(&s.Tasks[2]) }
	}
	route := func(points ...chat.Point) func(s *chat.Setup) {
		return func(s *chat.Setup) {
			s.Units, s.Skills = []chat.Unit{{Name: "u"}}, []chat.Skill{{Name: "s"}}
			s.Routes = []chat.Route{{Name: "r", Points: points}}
		}
	}
	reminder := func(r chat.Reminder) func(s *chat.Setup) {
		return task(func(k *chat.Task) { k.Reminders = []chat.Reminder{r} })
	}
	tests := []struct {
		name, path, message string
		edit                func(s *chat.Setup)
	}{
		{"no tenant", "tenant", "is missing", func(s *chat.Setup) { s.Tenant = "" }},
		{"no name", "units[0].name", "is missing; every unit needs one", func(s *chat.Setup) { s.Units = []chat.Unit{{}} }},
		{"no login", "operators[2].login", "is missing; every operator needs one", operator(func(o *chat.Operator) { o.Login = "" })},
		{"long name", "tags[0].name", "is over 200 bytes", func(s *chat.Setup) { s.Tags = []chat.Tag{{Name: strings.Repeat("x", 201)}} }},
		{"one name twice", "skills[1].name", `"s" is used twice`, func(s *chat.Setup) { s.Skills = []chat.Skill{{Name: "s"}, {Name: "s"}} }},
		{"negative id", "managers[0].id", "-1 is out of range", func(s *chat.Setup) { s.Managers = []chat.Manager{{Name: "m", ID: -1}} }},
		{"huge id", "managers[0].id", "9007199254740992 is out of range", func(s *chat.Setup) { s.Managers = []chat.Manager{{Name: "m", ID: 1 << 53}} }},

		{"channel without a kind", "channels[1].kind", "is missing", func(s *chat.Setup) { s.Channels[1].Kind = "" }},
		{"odd kind of channel", "channels[1].kind", `"pigeon" is not one of page_messenger, chat_api, widget`, func(s *chat.Setup) { s.Channels[1].Kind = "pigeon" }},
		{"odd events_default", "channels[1].events_default", `"all" is not one of operator, outside`, func(s *chat.Setup) { s.Channels[1].EventsDefault = "all" }},
		{"odd cid_filter", "channels[1].cid_filter", `"own" is not one of exclude_own, only_own`, func(s *chat.Setup) { s.Channels[1].CIDFilter = "own" }},
		{"odd webhook_url", "channels[1].webhook_url", "is not an http or https URL", func(s *chat.Setup) { s.Channels[1].WebhookURL = "ftp://a/b" }},
		{"webhook_url without a host", "channels[1].webhook_url", "is not an http or https URL", func(s *chat.Setup) { s.Channels[1].WebhookURL = "/hook" }},
		{"odd webhook_secret", "channels[1].webhook_secret", "begins with whsec_ but no base64 follows", func(s *chat.Setup) { s.Channels[1].WebhookSecret = "whsec_!" }},
		{"token that is a path", "channels[1].token", `"webhook" is a part of the Chat API's paths`, func(s *chat.Setup) { s.Channels[1].Token = "webhook" }},
		{"hours without a zone", "channels[1].hours.tz", `"" is not a time zone`, hours(func(h *chat.Hours) { h.TZ = "" })},
		{"odd zone", "channels[1].hours.tz", `"Moscow" is not a time zone`, hours(func(h *chat.Hours) { h.TZ = "Moscow" })},
		{"odd interval", "channels[1].hours.sun[1]", `"9-18" is not an interval`, hours(func(h *chat.Hours) { h.Sun = []string{"00:00-24:00", "9-18"} })},
		{"interval past midnight", "channels[1].hours.mon[0]", `"22:00-06:00" is not an interval`, hours(func(h *chat.Hours) { h.Mon = []string{"22:00-06:00"} })},
		{"interval past the day", "channels[1].hours.wed[0]", `"09:00-24:30" is not an interval`, hours(func(h *chat.Hours) { h.Wed = []string{"09:00-24:30"} })},
		{"odd holiday", "channels[1].hours.holidays[0]", `"1 May" is not a date`, hours(func(h *chat.Hours) { h.Holidays = []string{"1 May"} })},

		{"bot without a kind", "bots[1].kind", "is missing", func(s *chat.Setup) { s.Bots[1].Kind = "" }},
		{"odd kind of bot", "bots[1].kind", `"magic" is not one of scenario, webhook, llm`, func(s *chat.Setup) { s.Bots[1].Kind = "magic" }},
		{"scenario without a file", "bots[1].file", "is missing", func(s *chat.Setup) { s.Bots[1].Scenario = "" }},
		{"webhook bot without a URL", "bots[1].message_url", "is missing", webhook(func(b *chat.Bot) { b.MessageURL = "" })},
		{"odd message_url", "bots[1].message_url", "is not an http or https URL", webhook(func(b *chat.Bot) { b.MessageURL = "a b" })},
		{"odd init_url", "bots[1].init_url", "is not an http or https URL", webhook(func(b *chat.Bot) { b.InitURL = "//a" })},
		{"odd contact_url", "bots[1].contact_url", "is not an http or https URL", webhook(func(b *chat.Bot) { b.ContactURL = "http://" })},
		{"odd hints_url", "bots[1].hints_url", "is not an http or https URL", webhook(func(b *chat.Bot) { b.HintsURL = "http:a" })},
		{"odd duplicate_answers", "bots[1].duplicate_answers", `"hard" is not one of soft, strict`, webhook(func(b *chat.Bot) { b.DuplicateAnswers = "hard" })},
		{"call_timeout of nothing", "bots[1].call_timeout", "is 0", webhook(func(b *chat.Bot) { b.CallTimeout = &never })},
		{"answer_timeout of nothing", "bots[1].answer_timeout", "is 0", webhook(func(b *chat.Bot) { b.AnswerTimeout = &never })},
		{"completion_timeout of nothing", "bots[1].completion_timeout", "is 0", webhook(func(b *chat.Bot) { b.CompletionTimeout = &never })},
		{"llm without a URL", "bots[1].base_url", "is missing", llm(func(b *chat.Bot) { b.BaseURL = "" })},
		{"odd base_url", "bots[1].base_url", "is not an http or https URL", llm(func(b *chat.Bot) { b.BaseURL = "localhost:80/v1" })},
		{"llm without a model", "bots[1].model", "is missing", llm(func(b *chat.Bot) { b.Model = "" })},
		{"hot llm", "bots[1].temperature", "is out of 0 to 2", llm(func(b *chat.Bot) { b.Temperature = &hot })},

		{"integration without a URL", "integrations[1].url", "is missing", hook(func(i *chat.Integration) { i.URL = "" })},
		{"odd URL", "integrations[1].url", "is not an http or https URL", hook(func(i *chat.Integration) { i.URL = "javascript:alert(1)" })},
		{"odd secret", "integrations[1].secret", "begins with whsec_ but no base64 follows", hook(func(i *chat.Integration) { i.Secret = "whsec_" })},
		{"no format", "integrations[1].format", "is missing", hook(func(i *chat.Integration) { i.Format = "" })},
		{"odd format", "integrations[1].format", `"xml" is not one of native, selarti, chatapi, threads, twin`, hook(func(i *chat.Integration) { i.Format = "xml" })},
		{"odd on_park", "integrations[1].on_park", `"stop" is not one of continue, block`, hook(func(i *chat.Integration) { i.OnPark = "stop" })},
		{"odd bool_format", "integrations[1].bool_format", `"1" is not one of json, yes_no, string`, hook(func(i *chat.Integration) { i.BoolFormat = "1" })},
		{"no events", "integrations[1].events", "is missing", hook(func(i *chat.Integration) { i.Events = nil })},
		{"odd event", "integrations[1].events[1]", `"sucess" is not one of all_messages, success,`, hook(func(i *chat.Integration) { i.Events = []string{"close", "sucess"} })},
		{"odd wh_types", "integrations[1].wh_types", `"messages" is not one of all_messages`, hook(func(i *chat.Integration) { i.WhTypes = map[string]string{"messages": "x"} })},
		{"negative rate", "integrations[1]", "rate and max_inflight count from 1", hook(func(i *chat.Integration) { i.Rate = -1 })},
		{"negative max_inflight", "integrations[1]", "rate and max_inflight count from 1", hook(func(i *chat.Integration) { i.MaxInflight = -1 })},
		{"huge max_inflight", "integrations[1]", "at most 256", hook(func(i *chat.Integration) { i.MaxInflight = 257 })},
		{"empty retry", "integrations[1].retry", "is empty", hook(func(i *chat.Integration) { i.Retry = &chat.Retry{} })},

		{"operator without a role", "operators[2].role", "is missing", operator(func(o *chat.Operator) { o.Role = "" })},
		{"odd role", "operators[2].role", `"boss" is not one of operator, supervisor, admin`, operator(func(o *chat.Operator) { o.Role = "boss" })},
		{"short password", "operators[2].password", "is shorter than 8 characters", operator(func(o *chat.Operator) { o.Password = "1234567" })},
		{"unknown unit", "operators[2].unit", `there is no unit named "x", and the document has no units`, operator(func(o *chat.Operator) { o.Unit = "x" })},
		{"unknown skill", "operators[2].skills[0]", `there is no skill named "x", and the document has no skills`, operator(func(o *chat.Operator) { o.Skills = []string{"x"} })},
		{"negative capacity", "operators[2].capacity", "is negative", operator(func(o *chat.Operator) { o.Capacity = &minus })},

		{"segment without its route", "segments[0].route", `there is no route named "x"`, func(s *chat.Setup) { s.Segments = []chat.Segment{{Name: "a", Route: "x"}} }},
		{"empty point", "routes[0].points[0]", "has 0 of bot,", route(chat.Point{})},
		{"two things at a point", "routes[0].points[1]", "has 2 of bot,", route(chat.Point{Bot: "demo"}, chat.Point{Bot: "demo", Anyone: true})},
		{"unknown bot", "routes[0].points[0].bot", `there is no bot named "x"; known: backup, demo`, route(chat.Point{Bot: "x"})},
		{"unknown operator", "routes[0].points[0].operators[1]", `there is no operator named "x"; known: ann, bob, root, sue`, route(chat.Point{Operators: []string{"ann", "x"}})},
		{"unknown supervisor", "routes[0].points[0].supervisors[0]", `there is no operator named "x"`, route(chat.Point{Supervisors: []string{"x"}})},
		{"unknown unit of a point", "routes[0].points[0].units[0]", `there is no unit named "x"; known: u`, route(chat.Point{Units: []string{"x"}})},
		{"unknown skill of a point", "routes[0].points[0].skills[1]", `there is no skill named "x"; known: s`, route(chat.Point{Skills: []string{"s", "x"}})},
		{"anyone in the middle", "routes[0].points[0].anyone", "must be the last point", route(chat.Point{Anyone: true}, chat.Point{Bot: "demo"})},

		{"task without a channel", "tasks[2].channel", "is missing", task(func(k *chat.Task) { k.Channel = "" })},
		{"unknown channel", "tasks[2].channel", `there is no channel named "x"; known: app, messenger, site`, task(func(k *chat.Task) { k.Channel = "x" })},
		{"odd UUID", "tasks[2].uuid", "is not a UUID in lower case", task(func(k *chat.Task) { k.UUID = "5F0C2B1E-8a57-4d0b-9c3e-2b6a1f4d7e90" })},
		{"odd Selarti id", "tasks[2].selarti_id", "is not of the form", task(func(k *chat.Task) { k.SelartiID = "172112998514x478019552540622850" })},
		{"odd type", "tasks[2].type", `"telegram" is not one of web`, task(func(k *chat.Task) { k.Type = "telegram" })},
		{"odd work", "tasks[2].work", `"all" is not one of incoming, outgoing, both`, task(func(k *chat.Task) { k.Work = "all" })},
		{"odd status", "tasks[2].status", `"on" is not one of in_progress, awaiting, paused, stopped, completed`, task(func(k *chat.Task) { k.Status = "on" })},
		{"odd when_nobody", "tasks[2].when_nobody", `"cry" is not one of queue, tell_bot`, task(func(k *chat.Task) { k.WhenNobody = "cry" })},
		{"unknown bot of a task", "tasks[2].bot", `there is no bot named "x"`, task(func(k *chat.Task) { k.Bot = "x" })},
		{"a bot and a route", "tasks[2].route", "bot is short for a route", task(func(k *chat.Task) { k.Route.Points = []chat.Point{{Anyone: true}} })},
		{"unknown route", "tasks[2].route", `there is no route named "x"`, task(func(k *chat.Task) { k.Bot, k.Route.Name = "", "x" })},
		{"odd point of a task", "tasks[2].route[0]", "has 0 of bot,", task(func(k *chat.Task) { k.Bot, k.Route.Points = "", []chat.Point{{}} })},
		{"unknown manager", "tasks[2].manager", `there is no manager named "x"`, task(func(k *chat.Task) { k.Manager = "x" })},
		{"unknown integration", "tasks[2].integrations[1]", `there is no integration named "x"; known: all, tags, unserved`, task(func(k *chat.Task) { k.Integrations = []string{"all", "x"} })},
		{"long TTL", "tasks[2].session_ttl", "is over 12h", task(func(k *chat.Task) { k.SessionTTL = &day })},
		{"limit of nothing", "tasks[2].limit.messages", "is missing or not above 0", task(func(k *chat.Task) { k.Limit = &chat.TaskLimit{} })},
		{"reminder without a delay", "tasks[2].reminders[0].after", "is missing", reminder(chat.Reminder{Type: "static", Text: "x"})},
		{"odd type of a reminder", "tasks[2].reminders[0].type", `"" is not one of static, smart`, reminder(chat.Reminder{After: 1, Text: "x"})},
		{"reminder without a text", "tasks[2].reminders[0].text", "is missing", reminder(chat.Reminder{After: 1, Type: "smart"})},
		{"odd cancelled_by", "tasks[2].reminders[0].cancelled_by[1]", `"bot" is not one of success,`,
			reminder(chat.Reminder{After: 1, Type: "smart", Text: "x", CancelledBy: []string{"is_bot", "bot"}})},
		{"odd list", "tasks[2].lists[0].kind", `"grey" is not one of white, black`, task(func(k *chat.Task) { k.Lists = []chat.List{{Kind: "grey"}} })},

		{"key without scopes", "api_keys[1].scopes", "is missing", func(s *chat.Setup) { s.APIKeys[1].Scopes = nil }},
		{"odd scope", "api_keys[1].scopes[1]", `"write" is not one of messages:write,`, func(s *chat.Setup) { s.APIKeys[1].Scopes = []string{chat.ScopeSettings, "write"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := company("acme", "")
			tt.edit(&s)
			got := s.Validate()
			if len(got) != 1 || got[0].Path != tt.path || !strings.Contains(got[0].Message, tt.message) {
				t.Errorf("got %+v, want %s: %s", got, tt.path, tt.message)
			}
		})
	}
}

// TestValidateAccepts what the specs allow at the edges.
func TestValidateAccepts(t *testing.T) {
	t.Parallel()
	zero, longest := 0, chat.Duration(chat.MaxSessionTTL)
	cold := 0.0
	s := company("acme", "")
	s.Units, s.Skills = []chat.Unit{{Name: "u"}}, []chat.Skill{{Name: "s"}, {Name: "u"}} // names are unique per kind
	s.Tags = []chat.Tag{{Name: strings.Repeat("x", 200), ID: 1<<53 - 1}}
	s.Channels[0].Hours = &chat.Hours{TZ: "UTC", Mon: []string{"00:00-24:00"}, Sat: []string{"09:00-12:00", "13:00-13:30"}, Holidays: []string{"2026-01-01"}}
	s.Channels[0].WebhookSecret = "any text"
	s.Bots[0].Temperature = &cold
	s.Integrations[0].Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s.Integrations[1].Events = []string{"all_messages", "is_bot", "session.closed", "message.status"}
	s.Integrations[1].WhTypes = map[string]string{"all_messages": "new", "session.closed": "end"}
	s.Integrations[1].MaxInflight = 256
	s.Integrations[1].Retry = &chat.Retry{Endpoint: []chat.Duration{0}}
	s.Operators[0].Capacity, s.Operators[0].Unit, s.Operators[0].Skills = &zero, "u", []string{"s"}
	s.Routes = []chat.Route{{Name: "day", Points: []chat.Point{
		{Bot: "demo"}, {Operators: []string{"ann"}}, {Supervisors: []string{"sue"}}, {Units: []string{"u"}}, {Skills: []string{"s"}},
		{PersonalManager: true}, {Anyone: true},
	}}}
	s.Segments = []chat.Segment{{Name: "vip", Route: "day"}, {Name: "no route"}}
	s.Tasks[0].Bot, s.Tasks[0].Route.Name, s.Tasks[0].SessionTTL = "", "day", &longest
	s.Tasks[0].UUID, s.Tasks[0].SelartiID = "5f0c2b1e-8a57-4d0b-9c3e-2b6a1f4d7e90", "1721129985149x478019552540622850"
	s.Tasks[1].Route.Points = nil // no bot and no route: people
	if got := s.Validate(); got != nil {
		t.Errorf("refused: %+v", got)
	}
	w := newWorld(t)
	w.apply(t, s)
	if stops := w.task("shop").Stops; len(stops) != 7 || stops[0].Bot == nil || !reflect.DeepEqual(stops[3].Units, []string{"u"}) {
		t.Errorf("the route of the shop is %+v", stops)
	}
	k := w.talk(t, "app")
	k.says("hello")
	k.expect(0, "opened for queue", "+operator", "client: hello (not_bot)")
}
