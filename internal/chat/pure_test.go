package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFlags(t *testing.T) {
	names := []string{"success", "get_contact", "interest", "close", "operator", "is_bot"}
	if got := FlagNames(); !slices.Equal(got, names) {
		t.Errorf("the flags are %v", got)
	}
	FlagNames()[0] = "changed"
	var all Flags
	for i, name := range names {
		f, ok := FlagByName(name)
		if !ok || f != 1<<i || !slices.Equal(f.Names(), []string{name}) {
			t.Errorf("%s is %d, %v", name, f, ok)
		}
		all |= f
	}
	if !slices.Equal(all.Names(), names) || Flags(0).Names() != nil {
		t.Errorf("all are %v, none are %v", all.Names(), Flags(0).Names())
	}
	if _, ok := FlagByName("Success"); ok {
		t.Error("a flag has two spellings")
	}
	if !all.Has(FlagClose|FlagIsBot) || FlagClose.Has(FlagClose|FlagIsBot) {
		t.Error("Has wants all of them")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"0s": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1h30m0s": 90 * time.Minute, "1.5s": 1500 * time.Millisecond} {
		var got Duration
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{"", "5", "-1s", "1d", "soon"} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); ErrorCode(err) != CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	if text, err := json.Marshal(Duration(90 * time.Minute)); err != nil || string(text) != `"1h30m0s"` {
		t.Errorf("written as %s, %v", text, err)
	}
}

func TestMicros(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 678901000, time.FixedZone("", 3600))
	m := MicrosOf(at)
	if !m.Time().Equal(at) || m.Time().Location() != time.UTC {
		t.Errorf("%v came back as %v", at, m.Time())
	}
	if m.Add(time.Second).Sub(m) != time.Second || m.Sub(m.Add(time.Minute)) != -time.Minute {
		t.Error("adding and subtracting disagree")
	}
}

// TestErrorsTellNoInternals: only what was written for the caller is shown.
func TestErrorsTellNoInternals(t *testing.T) {
	own := &Error{Code: CodeInvalid, Field: "name", Message: "is odd", Err: errors.New("secret")}
	tests := []struct {
		err                  error
		code                 Code
		message, field, text string
	}{
		{nil, "", "internal error; the log of the server has the cause", "", ""},
		{own, CodeInvalid, "is odd", "name", "name: is odd: secret"},
		{fmt.Errorf("saving: %w", own), CodeInvalid, "is odd", "name", "saving: name: is odd: secret"},
		{errors.New("disk full"), CodeInternal, "internal error; the log of the server has the cause", "", "disk full"},
		{Errorf(CodeInternal, "disk %s", "full"), CodeInternal, "internal error; the log of the server has the cause", "", "disk full"},
	}
	for _, tt := range tests {
		if ErrorCode(tt.err) != tt.code || ErrorMessage(tt.err) != tt.message || ErrorField(tt.err) != tt.field {
			t.Errorf("%v: %q, %q, %q", tt.err, ErrorCode(tt.err), ErrorMessage(tt.err), ErrorField(tt.err))
		}
		if tt.err != nil && tt.err.Error() != tt.text {
			t.Errorf("got %q, want %q", tt.err.Error(), tt.text)
		}
	}
}

// TestWants is what subscriptions mean (specs/selarti.md §4.1).
func TestWants(t *testing.T) {
	no, yes := false, true
	message := func(a Author) *Event { return &Event{Kind: EventMessageCreated, Author: a} }
	flag := func(kind EventKind, name string) *Event { return &Event{Kind: kind, Data: EventData{Flag: name}} }
	tests := []struct {
		events []string
		echo   *bool
		event  *Event
		want   bool
	}{
		{[]string{"all_messages"}, nil, message(AuthorBot), true},
		{[]string{"all_messages"}, nil, message(AuthorOperator), true},
		{[]string{"all_messages"}, nil, message(AuthorClient), true},
		{[]string{"all_messages"}, &yes, message(AuthorClient), true},
		{[]string{"all_messages"}, &no, message(AuthorClient), false},
		{[]string{"all_messages"}, &no, message(AuthorBot), true},
		{[]string{"all_messages"}, nil, flag(EventFlagSet, "close"), false},
		{[]string{"all_messages"}, nil, &Event{Kind: EventMessageStatus}, false},
		{[]string{"close"}, nil, flag(EventFlagSet, "close"), true},
		{[]string{"close"}, nil, flag(EventFlagCleared, "close"), false},
		{[]string{"close"}, nil, flag(EventFlagSet, "operator"), false},
		{[]string{"interest", "close"}, nil, flag(EventFlagSet, "close"), true},
		{[]string{"close"}, nil, message(AuthorBot), false},
		{[]string{"session.closed"}, nil, &Event{Kind: EventSessionClosed}, true},
		{[]string{"flag.cleared"}, nil, flag(EventFlagCleared, "close"), true},
		{nil, nil, message(AuthorBot), false},
	}
	for _, tt := range tests {
		i := Integration{Events: tt.events, EchoUser: tt.echo}
		if got := i.Wants(tt.event); got != tt.want {
			t.Errorf("%v with %+v: %v", tt.events, tt.event, got)
		}
	}
}

func TestRoutesAreWrittenAsTheyWere(t *testing.T) {
	for _, text := range []string{`{"name":"","channel":"","route":"day"}`, `{"name":"","channel":"","route":[{"bot":"b"},{"anyone":true}]}`, `{"name":"","channel":""}`} {
		var task Task
		if err := json.Unmarshal([]byte(text), &task); err != nil {
			t.Error(err)
		}
		if got, err := json.Marshal(task); err != nil || string(got) != text {
			t.Errorf("got %s, %v, want %s", got, err, text)
		}
	}
	if err := new(TaskRoute).UnmarshalJSON([]byte(`{"bot":"b"}`)); err == nil {
		t.Error("a mapping was taken for a route")
	}
}

// TestSettingsSurviveTheirForm: what is stored is what was set up.
func TestSettingsSurviveTheirForm(t *testing.T) {
	ttl := Duration(time.Minute)
	task := Task{Name: "t", Channel: "c", Status: TaskPaused, SessionTTL: &ttl, Limit: &TaskLimit{5},
		Reminders: []Reminder{{After: ttl, Type: "static", Text: "x", CancelledBy: []string{"close"}}}, Lists: []List{{"white", []string{"a"}}}}
	body, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode[Task](&Setting{Body: body}, nameIndex{})
	if err != nil || !reflect.DeepEqual(*got, task) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestFingerprints are the same for one request and differ for any other.
func TestFingerprints(t *testing.T) {
	request := rapid.Custom(func(rt *rapid.T) Incoming {
		short := rapid.SampledFrom([]string{"", "a", "b", `a","b`})
		return Incoming{Key: "k", TaskID: ID(rapid.IntRange(1, 2).Draw(rt, "task")), ExternalID: short.Draw(rt, "id"), ConversationKey: short.Draw(rt, "key")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		a, b := request.Draw(rt, "a"), request.Draw(rt, "b")
		if same := reflect.DeepEqual(a, b); (a.fingerprint("x") == b.fingerprint("x")) != same {
			rt.Fatalf("%+v and %+v are the same: %v", a, b, same)
		}
		if a.fingerprint("x") == a.fingerprint("y") || a.fingerprint("x") == "" {
			rt.Fatalf("the fingerprint of %+v is not of its content", a)
		}
	})
}
