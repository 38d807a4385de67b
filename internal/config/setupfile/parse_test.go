package setupfile

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

func lookup(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// parse reads one document that must be right.
func parse(t *testing.T, src string) chat.Setup {
	t.Helper()
	setups, _, err := Parse("setup.yaml", []byte(src), Options{})
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	if len(setups) != 1 {
		t.Fatalf("got %d setups, want 1", len(setups))
	}
	return setups[0]
}

// refused returns the error of a source that must be wrong.
func refused(t *testing.T, src string, opts Options) string {
	t.Helper()
	_, _, err := Parse("setup.yaml", []byte(src), opts)
	if err == nil {
		t.Fatalf("accepted:\n%s", src)
	}
	return err.Error()
}

func TestExampleAsWritten(t *testing.T) {
	setups, _, err := Load("testdata/setup.yaml", lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	s := setups[0]
	scenario, err := os.ReadFile("testdata/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	minute := chat.Duration(time.Minute)
	hour := chat.Duration(time.Hour)
	capacity := 5
	want := chat.Setup{
		Tenant: "local",
		Channels: []chat.Channel{
			{Name: "messenger", Kind: chat.ChannelPageMessenger},
			{Name: "app", Kind: chat.ChannelChatAPI, Token: "AbCdEfGh:0123456789abcdef0123456789abcdef01234567",
				WebhookURL: "http://127.0.0.1:9701/chatapi", BlockInput: true},
			{Name: "site", Kind: chat.ChannelWidget, AllowedOrigins: []string{"http://127.0.0.1:*"}},
			{Name: "support-app", Kind: chat.ChannelChatAPI, Token: "support-token-1", ChannelType: "MOBILE"},
			{Name: "mail", Kind: chat.ChannelChatAPI, Token: "mail-token-1", ChannelType: "EMAIL"},
		},
		Bots: []chat.Bot{
			{Name: "demo", Kind: chat.BotScenario, File: "scenario.yaml", Scenario: string(scenario)},
			{Name: "external", Kind: chat.BotWebhook, Token: "bot-secret-1", MessageURL: "http://127.0.0.1:9702/bot",
				InitURL: "http://127.0.0.1:9702/init", AnswerTimeout: &minute, DuplicateAnswers: "soft"},
			{Name: "ai", Kind: chat.BotLLM, BaseURL: "http://127.0.0.1:9703/v1", APIKey: "none", Model: "some-model",
				Prompt: "You are a polite assistant of a parcel company. Answer briefly."},
		},
		Integrations: []chat.Integration{{Name: "all-messages", Format: "selarti", URL: "http://127.0.0.1:9701/selarti",
			Events: []string{"all_messages"}, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
		Managers: []chat.Manager{{Name: "Virtual sales"}},
		Units:    []chat.Unit{{Name: "front-office"}},
		Skills:   []chat.Skill{{Name: "sales"}, {Name: "returns"}},
		Operators: []chat.Operator{
			{Login: "ann", Name: "Anna", Password: "correct-horse-1", Role: "operator", Unit: "front-office",
				Skills: []string{"sales"}, Capacity: &capacity},
			{Login: "root", Name: "Admin", Password: "correct-horse-2", Role: "admin"},
		},
		Tasks: []chat.Task{
			{Name: "shop", Type: "web", Channel: "messenger", Bot: "demo", Manager: "Virtual sales",
				Integrations: []string{"all-messages"}},
			{Name: "app", Channel: "app", Bot: "demo"},
			{Name: "site", UUID: "5f0c2b1e-8a57-4d0b-9c3e-2b6a1f4d7e90", Channel: "site", Bot: "demo",
				SessionTTL: &hour, RatingRequired: true},
			{Name: "support", Channel: "support-app",
				Route: chat.TaskRoute{Points: []chat.Point{{Bot: "external"}, {Skills: []string{"sales"}}, {Anyone: true}}}},
			{Name: "mail", Channel: "mail", Route: chat.TaskRoute{Points: []chat.Point{{Bot: "external"}, {Anyone: true}}}},
		},
		APIKeys: []chat.APIKey{{Name: "bridge", Key: "k-demo", Scopes: []string{"messages:write", "conversations:read"}}},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got\n%+v\nwant\n%+v", s, want)
	}
}

func TestDocuments(t *testing.T) {
	src := "tenant: one\nunits: [{name: a}]\n---\n---\n# nothing\n---\ntenant: two\nunits: [{name: b}]\n---\n"
	setups, positions, err := Parse("s.yaml", []byte(src), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(setups) != 2 || setups[0].Tenant != "one" || setups[1].Tenant != "two" {
		t.Fatalf("got %+v", setups)
	}
	if at := positions.Of(1, "units[0].name"); at.Line != 8 || at.Column != 16 {
		t.Errorf("units[0].name of the second document is at %v, want 8:16", at)
	}
}

func TestExplain(t *testing.T) {
	src := "tenant: one\nchannels:\n  - name: a\n    kind: pigeon\n  - name: b\n"
	_, positions, err := Parse("s.yaml", []byte(src), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := positions.Explain(0, nil); err != nil {
		t.Errorf("no problems gave %v", err)
	}
	err = positions.Explain(0, []chat.Problem{
		{Path: "channels[1].kind", Message: "is missing"},
		{Path: "tasks[0].channel", Message: "is missing"},
		{Path: "channels[0].kind", Message: "unknown kind"},
	})
	want := "s.yaml:1:1: tasks[0].channel: is missing\n" +
		"s.yaml:4:11: channels[0].kind: unknown kind\n" +
		"s.yaml:5:5: channels[1].kind: is missing"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := positions.Explain(7, []chat.Problem{{Path: "tenant", Message: "odd"}}); err.Error() != "s.yaml: tenant: odd" {
		t.Errorf("unknown document: %v", err)
	}
}

func TestScenarioFiles(t *testing.T) {
	files := fstest.MapFS{
		"bots/a.yaml":  {Data: []byte("states: []")},
		"big.yaml":     {Data: []byte(strings.Repeat("x", maxScenario+1))},
		"largest.yaml": {Data: []byte(strings.Repeat("x", maxScenario))},
		"latin.yaml":   {Data: []byte("\xe4")},
	}
	tests := []struct{ file, want string }{
		{"bots/a.yaml", ""},
		{"./bots/../bots/a.yaml", ""},
		{"largest.yaml", ""},
		{"missing.yaml", `there is no file "missing.yaml" beside the setup file; check the name`},
		{"big.yaml", "is larger than 1024 KiB"},
		{"latin.yaml", "is not UTF-8 text"},
		{"../a.yaml", "must name a file in the directory of the setup file or below it"},
		{"bots/../../a.yaml", "must name a file in the directory"},
		{"/etc/passwd", "must name a file in the directory"},
		{".", "must name a file in the directory"},
		{"bots", "the file can't be"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			src := "tenant: t\nbots:\n  - {name: b, kind: scenario, file: " + tt.file + "}\n"
			setups, _, err := Parse("s.yaml", []byte(src), Options{Files: files})
			if tt.want == "" {
				if err != nil || setups[0].Bots[0].Scenario == "" {
					t.Fatalf("err %v, bot %+v", err, setups[0].Bots[0])
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "s.yaml:3:37: bots[0].file: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
