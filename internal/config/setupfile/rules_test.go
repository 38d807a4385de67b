package setupfile

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

func TestValues(t *testing.T) {
	span := chat.Duration(90 * time.Minute)
	zero, half := 0, 0.5
	no := false
	tests := []struct {
		name, src string
		want      chat.Setup
	}{
		{"numbers as names", "operators: [{login: 007, name: 1.50, password: 0x1F, email: 2020-01-01}]",
			chat.Setup{Operators: []chat.Operator{{Login: "007", Name: "1.50", Password: "0x1F", Email: "2020-01-01"}}}},
		{"numbers in lists of texts", "tasks: [{close_phrases: [1, 2e3]}]",
			chat.Setup{Tasks: []chat.Task{{ClosePhrases: []string{"1", "2e3"}}}}},
		{"durations", "tasks: [{session_ttl: 1h30m, reminders: [{after: 90m}]}]",
			chat.Setup{Tasks: []chat.Task{{SessionTTL: &span, Reminders: []chat.Reminder{{After: span}}}}}},
		{"zero and false are values", "operators: [{capacity: 0}]\nchannels: [{authorized: false}]",
			chat.Setup{Operators: []chat.Operator{{Capacity: &zero}}, Channels: []chat.Channel{{Authorized: &no}}}},
		{"ids", "units: [{id: 9007199254740991, name: u}]",
			chat.Setup{Units: []chat.Unit{{ID: 9007199254740991, Name: "u"}}}},
		{"fractions", "bots: [{temperature: 0.5}]", chat.Setup{Bots: []chat.Bot{{Temperature: &half}}}},
		{"headers", "bots: [{headers: {X-Team: a, 1: 2}}]",
			chat.Setup{Bots: []chat.Bot{{Headers: map[string]string{"X-Team": "a", "1": "2"}}}}},
		{"a route by name", "tasks: [{route: day}]", chat.Setup{Tasks: []chat.Task{{Route: chat.TaskRoute{Name: "day"}}}}},
		{"a route in place", "tasks: [{route: [{bot: b}, {personal_manager: true}]}]",
			chat.Setup{Tasks: []chat.Task{{Route: chat.TaskRoute{Points: []chat.Point{{Bot: "b"}, {PersonalManager: true}}}}}}},
		{"a condition with one value", "segments: [{when: {channel: app, params: {tier: [a, b], city: x}}}]",
			chat.Setup{Segments: []chat.Segment{{When: chat.SegmentWhen{Channel: []string{"app"},
				Params: map[string][]string{"tier": {"a", "b"}, "city": {"x"}}}}}}},
		{"hours", "channels: [{hours: {tz: Europe/Moscow, mon: ['09:00-18:00'], holidays: [2026-01-01]}}]",
			chat.Setup{Channels: []chat.Channel{{Hours: &chat.Hours{TZ: "Europe/Moscow", Mon: []string{"09:00-18:00"},
				Holidays: []string{"2026-01-01"}}}}}},
		{"JSON inside", "bots: [{functions: [{parameters: {type: object, n: [1, 2.5, true, null, '3']}}]}]",
			chat.Setup{Bots: []chat.Bot{{Functions: []chat.LLMFunction{{
				Parameters: json.RawMessage(`{"n":[1,2.5,true,null,"3"],"type":"object"}`)}}}}}},
		{"aliases", "tasks: [{close_phrases: &p [bye]}, {close_phrases: *p}]",
			chat.Setup{Tasks: []chat.Task{{ClosePhrases: []string{"bye"}}, {ClosePhrases: []string{"bye"}}}}},
		{"JSON is YAML", `{"tenant": "local", "units": [{"name": "u"}]}`,
			chat.Setup{Tenant: "local", Units: []chat.Unit{{Name: "u"}}}},
		{"a byte order mark", "\ufefftenant: local", chat.Setup{Tenant: "local"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, tt.src); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"unknown key", "chanels: []", `1:1: chanels: unknown key; did you mean "channels"?`},
		{"unknown key below", "bots:\n - nmae: x", `2:4: bots[0].nmae: unknown key; did you mean "name"?`},
		{"a reference in brackets", "units: [{name: ${A}}]", "inside [ ] and { } put ${NAME} in quotes"},
		{"a beginning", "channels: [{hours: {monday: []}}]", `unknown key; did you mean "mon"?`},
		{"nothing near", "units: [{colour: red}]", `1:10: units[0].colour: unknown key; the keys here are id, name`},
		{"only in the database", "api_keys: [{key_hash: x}]", "1:13: api_keys[0].key_hash: unknown key"},
		{"hash of a token", "bots: [{token_hash: x}]", "bots[0].token_hash: unknown key"},
		{"scenario text", "bots: [{scenario: x}]", "bots[0].scenario: unknown key"},
		{"hash of a password", "operators: [{password_hash: x}]", "operators[0].password_hash: unknown key"},
		{"uuid of a bot", "bots: [{uuid: x}]", "bots[0].uuid: unknown key"},
		{"operator who is barred", "operators: [{disabled: true}]", "operators[0].disabled: unknown key"},
		{"several secrets", "integrations: [{secrets: [x]}]", `integrations[0].secrets: unknown key; did you mean "secret"?`},
		{"previous secret", "integrations: [{previous_secret: x}]", "integrations[0].previous_secret: unknown key"},
		{"end of the previous secret", "integrations: [{previous_until: 1}]", "integrations[0].previous_until: unknown key"},
		{"time of birth", "tasks: [{created_at: 1}]", "tasks[0].created_at: unknown key"},
		{"key twice", "tenant: a\nunits: []\ntenant: b", "3:1: tenant: is written twice, first on line 1; remove one"},
		{"no value", "tenant:\nunits: []", "1:8: tenant: has no value; give one or remove the line"},
		{"null", "tenant: ~", "1:9: tenant: has no value"},
		{"empty item", "units:\n  -\n", "units[0]: has no value"},
		{"text for a list", "units: front", `1:8: units: must be a list, not text; write it as [a, b]`},
		{"list for keys", "units: [[a]]", "1:9: units[0]: must be keys with values, not a list"},
		{"list for text", "tenant: [a]", "1:9: tenant: must be text, not a list"},
		{"boolean for text", "tenant: true", "1:9: tenant: must be text, not true or false; put it in quotes"},
		{"yes for true", "channels: [{block_input: yes}]", `1:26: channels[0].block_input: "yes" is not true or false; write true or false without quotes`},
		{"quoted true", `channels: [{block_input: "true"}]`, `"true" is not true or false`},
		{"duration without a unit", "channels: [{sync_timeout: 30}]", `1:27: channels[0].sync_timeout: "30" has no unit; write it as 90s, 15m or 1h30m`},
		{"no duration", "channels: [{sync_timeout: soon}]", `"soon" is not a duration; write it as`},
		{"negative duration", "channels: [{sync_timeout: -1s}]", `"-1s" is negative`},
		{"fraction for a count", "integrations: [{rate: 1.5}]", `integrations[0].rate: "1.5" is not a whole number; write digits only, without quotes`},
		{"hexadecimal count", "integrations: [{rate: 0x10}]", `"0x10" is not a whole number`},
		{"octal count", "integrations: [{rate: 010}]", `"010" is not a whole number`},
		{"count with underscores", "integrations: [{rate: 1_000}]", `"1_000" is not a whole number`},
		{"quoted count", "integrations: [{rate: '5'}]", `"5" is not a whole number`},
		{"huge count", "integrations: [{rate: 99999999999999999999}]", "is out of range"},
		{"id zero", "units: [{id: 0}]", "1:14: units[0].id: an id is a number from 1 to 9007199254740991; leave it out to get one"},
		{"id beyond JavaScript", "units: [{id: 9007199254740992}]", "units[0].id: an id is a number from 1 to"},
		{"id as text", "units: [{id: seven}]", `units[0].id: "seven" is not a whole number`},
		{"infinity", "bots: [{temperature: .inf}]", `bots[0].temperature: ".inf" is not a number; write it as 0.7, without quotes`},
		{"route as keys", "tasks: [{route: {bot: x}}]", "1:17: tasks[0].route: must be the name of a route or a list of points"},
		{"mistake in a point", "tasks: [{route: [{bots: x}]}]", `1:19: tasks[0].route[0].bots: unknown key; did you mean "bot"?`},
		{"one value where a list is due", "tasks: [{integrations: all}]", "tasks[0].integrations: must be a list, not text"},
		{"merge key", "units: [{<<: {name: x}}]", "1:10: units[0]: merge keys (<<) are not supported; write the keys out"},
		{"key of keys", "units: [{[a]: b}]", "1:10: units[0]: a key must be a plain word"},
		{"tag", "tenant: !x secret", "1:9: tenant: has a tag that means nothing here"},
		{"binary", "tenant: !!binary aGk=", "tenant: has a tag"},
		{"endless alias", "bots: [{functions: [{parameters: &p {a: *p}}]}]", "nested more than 64 levels deep"},
		{"list at the top", "- a", "1:1: must be keys with values, not a list"},
		{"odd key", "bots: [{headers: {\"a\\nb\": [1]}}]", `1:27: bots[0].headers["a\nb"]: must be text, not a list`},
		{"same tenant twice", "tenant: a\n---\ntenant: b\n---\ntenant: a", "5:9: tenant: the document on line 1 is about the same tenant; join the two"},
		{"nothing", "# empty\n", `1:1: the file holds no setup; start with "tenant: name"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(t, tt.src, Options{})
			if !strings.HasPrefix(got, "setup.yaml:") || !strings.Contains(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "\n") {
				t.Errorf("one mistake gave several problems:\n%s", got)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	env := lookup(map[string]string{"A": "alpha", "EMPTY": "", "N": "7", "B": "true", "D": "5m",
		"YAML": "x\nrole: admin", "BAD": "\xff"})
	tests := []struct{ name, text, want string }{
		{"set", "${A}", "alpha"},
		{"inside a text", "a-${A}-${N}", "a-alpha-7"},
		{"default of an unset one", "${NO:-other}", "other"},
		{"default of an empty one", "${EMPTY:-other}", "other"},
		{"empty default", "x${NO:-}", "x"},
		{"default that isn't used", "${A:-other}", "alpha"},
		{"default with a colon", "${NO:-http://h:1/p}", "http://h:1/p"},
		{"empty but set", "x${EMPTY}", "x"},
		{"escape", "$${A}", "${A}"},
		{"two escapes", "$$$$", "$$"},
		{"lone dollar", "5$ or $A", "5$ or $A"},
		{"values aren't references", "${YAML}", "x\nrole: admin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setups, _, err := Parse("s.yaml", []byte("operators: [{name: '"+tt.text+"'}]"), Options{Lookup: env})
			if err != nil {
				t.Fatal(err)
			}
			got := setups[0].Operators[0]
			if got.Name != tt.want || got.Role != "" {
				t.Errorf("got %+v, want name %q", got, tt.want)
			}
		})
	}
	setups, _, err := Parse("s.yaml", []byte("operators: [{capacity: '${N}'}]\nchannels: [{block_input: '${B}'}]\ntasks: [{session_ttl: \"${D}\"}]"), Options{Lookup: env})
	if err != nil {
		t.Fatal(err)
	}
	if s := setups[0]; *s.Operators[0].Capacity != 7 || !s.Channels[0].BlockInput || *s.Tasks[0].SessionTTL != chat.Duration(5*time.Minute) {
		t.Errorf("typed values of references: %+v", s)
	}
	for text, want := range map[string]string{
		"${NO}":            "1:20: operators[0].name: the variable NO is not set; set it, or write ${NO:-default}",
		"${BAD}":           "the variable BAD is not UTF-8 text",
		"${":               "has a ${ that is no reference",
		"${}":              "has a ${ that is no reference",
		"${1A}":            "has a ${ that is no reference",
		"${A-b}":           "has a ${ that is no reference",
		"${NO:-${A}}":      "has a ${ that is no reference",
		"${A}${NO2}${NO3}": "the variable NO2 is not set",
	} {
		got := refused(t, "operators: [{name: '"+text+"'}]", Options{Lookup: env})
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestSecretsAreNeverQuoted(t *testing.T) {
	const secret = "hunter2"
	env := lookup(map[string]string{"S": secret})
	for _, src := range []string{
		"operators: [{password: {hunter2: x}}]",
		"operators: [{password: &hunter2 }]",
		"operators: [{password: *hunter2}]",
		"operators: [{password: !hunter2 x}]",
		"operators: [{password: '${hunter2-}'}]",
		"operators: [{password: [hunter2]}]",
		"channels: [{token: [hunter2], webhook_secret: [hunter2]}]",
		"api_keys: [{key: {a: hunter2}}]",
		"bots: [{hints_token: [hunter2], api_key: [hunter2], headers: {Authorization: [hunter2]}}]",
		"integrations: [{secret: [hunter2], headers: hunter2}]",
		"integrations: [{rate: '${S}', retry: {event: ['${S}']}}]",
		"bots: [{temperature: '${S}', concat: '${S}'}]",
		"units: [{id: '${S}'}]",
		"tenant: '${S}'\n---\ntenant: '${S}'",
	} {
		if got := refused(t, src, Options{Lookup: env}); strings.Contains(got, secret) {
			t.Errorf("%s\nquotes the secret: %s", src, got)
		}
	}
}

func TestLimits(t *testing.T) {
	big := "tenant: t\n#" + strings.Repeat("x", maxFile)
	if got := refused(t, big, Options{}); !strings.Contains(got, "1:1: the file is larger than 4096 KiB; split it") {
		t.Errorf("size: %s", got)
	}
	deep := "tenant: " + strings.Repeat("[", 100_000)
	if got := refused(t, deep, Options{}); !strings.Contains(got, "nested more than 64 levels deep") {
		t.Errorf("depth: %s", got)
	}
	var laughs strings.Builder
	laughs.WriteString("bots: [{functions: [{parameters: {a0: &a0 [x,x,x,x,x,x,x,x,x,x]")
	for _, level := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		last := "*a" + string(level[0]-1)
		laughs.WriteString(", a" + level + ": &a" + level + " [" + strings.Repeat(last+",", 10) + "]")
	}
	laughs.WriteString("}}]}]")
	if got := refused(t, laughs.String(), Options{}); !strings.Contains(got, "the file holds more than 250000 values") {
		t.Errorf("aliases: %.300s", got)
	}
	many := "units: [" + strings.Repeat("{x: 1}, ", 250) + "]"
	if got := refused(t, many, Options{}); strings.Count(got, "\n") != 100 || !strings.HasSuffix(got, "setup.yaml: and 150 more") {
		t.Errorf("many problems: %d lines", strings.Count(got, "\n"))
	}
}

// TestEveryTypeIsReadable fails when the core grows a type that files can't hold.
func TestEveryTypeIsReadable(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var visit func(ty reflect.Type, path string)
	visit = func(ty reflect.Type, path string) {
		switch ty.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(ty.Elem(), path)
			return
		case reflect.Struct:
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Uint8:
			return
		default:
			t.Errorf("%s has the type %s, which the decoder does not know", path, ty)
			return
		}
		if seen[ty] || ty == reflect.TypeFor[chat.TaskRoute]() {
			return
		}
		seen[ty] = true
		for i := range ty.NumField() {
			field := ty.Field(i)
			if field.Tag.Get("json") != "-" {
				visit(field.Type, path+"."+field.Name)
			}
			if field.Tag.Get("json") == "" {
				t.Errorf("%s.%s has no json tag, so no key", path, field.Name)
			}
		}
	}
	visit(reflect.TypeFor[chat.Setup](), "Setup")
}

func TestErrorIsTyped(t *testing.T) {
	_, _, err := Parse("s.yaml", []byte("tenant: [\n"), Options{})
	problems := err.(*yamlfile.Error).Problems
	if len(problems) != 1 || problems[0].Line != 2 {
		t.Errorf("got %+v", problems)
	}
}
