package setupfile

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
)

// everything is a setup with a value of each form that a file can hold.
func everything() chat.Setup {
	number, no, hour := 0, false, chat.Duration(90*time.Minute)
	warm := 0.5
	return chat.Setup{
		Tenant: "local",
		Channels: []chat.Channel{
			{ID: 7, Name: "app", Kind: chat.ChannelChatAPI, Token: "channel-secret", WebhookSecret: "hook-secret", Authorized: &no,
				SyncTimeout: &hour, Hours: &chat.Hours{TZ: "Europe/Moscow", Mon: []string{"09:00-18:00"}}, UnavailableMessage: "yes"},
			{ID: 8, Name: "сайт", Kind: chat.ChannelWidget, Token: "widget-secret", AllowedOrigins: []string{"http://127.0.0.1:*"}},
			{Name: "лавка", Kind: chat.ChannelWidget, Token: "other-secret"},
		},
		Bots: []chat.Bot{
			{Name: "ai", Kind: chat.BotLLM, BaseURL: "http://a", APIKey: "llm-secret", Model: "m", Temperature: &warm,
				Prompt: "Say:\n  ${NAME} and $5 and $$\n\n# no comment\n", Functions: []chat.LLMFunction{{
					Name: "order", Description: "007", URL: "http://b", Headers: map[string]string{"X-Key": "header-secret"},
					Parameters: json.RawMessage(`{"properties":{"token":{"type":"string"}},"required":["token"],"x":[],"y":{},"z":[1,2.5,true,null,"no"]}`),
				}}},
			{Name: "demo", Kind: chat.BotScenario, File: "scenario.yaml", Scenario: "states: []"},
		},
		Integrations: []chat.Integration{{Name: "all", Format: "selarti", URL: "http://c", Events: []string{"all_messages"}, Secret: "whsec",
			Headers: map[string]string{"Authorization": "Bearer x"}, WhTypes: map[string]string{"all_messages": "message"},
			Retry: &chat.Retry{Event: []chat.Duration{chat.Duration(100 * time.Millisecond), hour}}}},
		Operators: []chat.Operator{{Login: "007", Role: "operator", Capacity: &number, Skills: []string{"sales"}}},
		Skills:    []chat.Skill{{Name: "sales"}},
		Segments:  []chat.Segment{{Name: "s", When: chat.SegmentWhen{Channel: []string{"app"}, Params: map[string][]string{"a": {"b", "c"}}}, Route: "r"}},
		Routes:    []chat.Route{{Name: "r", Points: []chat.Point{{Bot: "demo"}, {Anyone: true}}}},
		Tasks: []chat.Task{
			{Name: "shop", Channel: "app", Route: chat.TaskRoute{Name: "r"}, SessionTTL: &hour},
			{Name: "site", Channel: "сайт", Route: chat.TaskRoute{Points: []chat.Point{{Skills: []string{"sales"}}}}},
		},
		APIKeys: []chat.APIKey{{Name: "bridge", Scopes: []string{"messages:write"}}},
	}
}

func TestFormat(t *testing.T) {
	before := everything()
	got, variables, err := Format([]chat.Setup{before, {Tenant: "other", Channels: before.Channels[:1]}})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/formatted.yaml", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/formatted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(string(got), "secret") && strings.Contains(string(got), "-secret") || strings.Contains(string(got), "Bearer") {
		t.Errorf("a secret is in it:\n%s", got)
	}
	values := map[string]string{}
	for _, name := range variables {
		values[name] = "value of " + name
	}
	files := fstest.MapFS{"scenario.yaml": {Data: []byte("states: []")}}
	after, _, err := Parse("f.yaml", got, Options{Lookup: lookup(values), Files: files})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []*string{
		&before.Channels[0].Token, &before.Channels[0].WebhookSecret, &before.Channels[1].Token, &before.Channels[2].Token,
		&before.Bots[0].APIKey, nil, &before.Integrations[0].Secret, nil,
	} {
		name := variables[0]
		variables = variables[1:]
		if secret != nil {
			*secret = "value of " + name
		}
	}
	before.Bots[0].Functions[0].Headers["X-Key"] = "value of BOTS_AI_FUNCTIONS_ORDER_HEADERS_X_KEY"
	before.Integrations[0].Headers["Authorization"] = "value of INTEGRATIONS_ALL_HEADERS_AUTHORIZATION"
	if !reflect.DeepEqual(after[0], before) {
		t.Errorf("read back is\n%+v\nwritten was\n%+v", after[0], before)
	}
}

// TestFormatKeepsEveryText: whatever a text holds, it is read back as it was.
func TestFormatKeepsEveryText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("${}$: #-'\"\n\t |>&*!%@`,[]?0xeyn~.+\u0085\u2028\ufeff\r"))))
		words := rapid.StringMatching(`[a-z]{1,8}`)
		before := chat.Setup{Tenant: odd.Draw(t, "tenant"),
			Bots: []chat.Bot{{Name: odd.Draw(t, "name"), Kind: chat.BotLLM, Prompt: odd.Draw(t, "prompt"),
				ClientDataKeys: rapid.SliceOfN(odd, 1, 3).Draw(t, "keys")}},
			Integrations: []chat.Integration{{WhTypes: map[string]string{words.Draw(t, "key"): odd.Draw(t, "value")}, Events: []string{"a"}}},
		}
		text, _, err := Format([]chat.Setup{before})
		if err != nil {
			t.Fatal(err)
		}
		after, _, err := Parse("f.yaml", text, Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(after[0], before) {
			t.Fatalf("read back is\n%+v\nwritten was\n%+v\nin\n%s", after[0], before, text)
		}
	})
}

func TestNameScenarios(t *testing.T) {
	bot := func(file, text string) chat.Bot { return chat.Bot{Kind: chat.BotScenario, File: file, Scenario: text} }
	setups := []chat.Setup{
		{Bots: []chat.Bot{bot("a.yaml", "one"), bot("bots/a.yaml", "two"), bot("./a.yaml", "one"), {Kind: chat.BotLLM}}},
		{Bots: []chat.Bot{bot("a.yaml", "three"), bot("a.yaml", "three"), bot("a.yaml", "four"), bot("../x", "five"), bot("setup.yaml", "six")}},
	}
	files := NameScenarios(setups)
	want := map[string]string{"a.yaml": "one", "bots/a.yaml": "two", "a-2.yaml": "three", "a-3.yaml": "four",
		"scenario.yaml": "five", "scenario-2.yaml": "six"}
	if !reflect.DeepEqual(files, want) {
		t.Errorf("got %v, want %v", files, want)
	}
	for _, setup := range setups {
		for _, b := range setup.Bots {
			if b.Kind == chat.BotScenario && files[b.File] != b.Scenario {
				t.Errorf("the bot of %q names %s", b.Scenario, b.File)
			}
		}
	}
	if again := NameScenarios(setups); !reflect.DeepEqual(again, want) {
		t.Errorf("a second time gave %v", again)
	}
}
