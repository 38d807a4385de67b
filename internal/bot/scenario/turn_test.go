package scenario

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const tree = `
states:
  - name: /Ask
    patterns: [ask]
    replies: [{text: how many?}]
    next:
      - {name: /Ask/Number, patterns: ["~^\\d+$"], replies: [{text: "child {{ match[0] }}"}], next: [
          {name: /Ask/Number/Sure, patterns: [sure], replies: [{text: grandchild}]}]}
      - {name: /Ask/Word, patterns: [word], replies: [{text: child word}]}
  - {name: /Word, patterns: [word], replies: [{text: first}]}
  - {name: /Late, patterns: [word, number *], replies: [{text: second}]}
fallback: {name: /Fall, replies: [{text: fallback}]}
`

func TestOrderOfMatching(t *testing.T) {
	sc := mustParse(t, tree)
	for _, c := range []struct {
		rule, state, text   string
		reply, class, after string
		confidence          float64
	}{
		{"top level, in a new session", "", "ask", "how many?", "/Ask", "/Ask", 1},
		{"file order", "", "word", "first", "/Word", "/Word", 1},
		{"any pattern of a state", "", "number 5", "second", "/Late", "/Late", 1},
		{"children only below their state", "", "5", "fallback", "/Fall", "", 0},
		{"children first", "/Ask", "word", "child word", "/Ask/Word", "/Ask/Word", 1},
		{"children of the current state only", "/Ask", "sure", "fallback", "/Fall", "/Ask", 0},
		{"grandchildren below children", "/Ask/Number", "sure", "grandchild", "/Ask/Number/Sure", "/Ask/Number/Sure", 1},
		{"siblings are not children", "/Ask/Number", "7", "fallback", "/Fall", "/Ask/Number", 0},
		{"top level after children", "/Ask", "number 5", "second", "/Late", "/Late", 1},
		{"the fallback leaves the current state as it is", "/Ask", "what?", "fallback", "/Fall", "/Ask", 0},
		{"a state that the file no longer has", "/Gone", "word", "first", "/Word", "/Word", 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			out := play(t, sc, Input{Text: c.text, State: c.state})
			if texts(out) != c.reply || out.Class != c.class || out.State != c.after || out.Confidence != c.confidence {
				t.Errorf("got %q of %s (%v), now in %q", texts(out), out.Class, out.Confidence, out.State)
			}
		})
	}
}

func TestNlpClassIsTheStateOfEveryReply(t *testing.T) {
	out := play(t, mustParse(t, tree), Input{Text: "5", State: "/Ask"})
	if out.Replies[0].State != "/Ask/Number" {
		t.Errorf("the reply is of %q", out.Replies[0].State)
	}
}

func TestConditionOnAState(t *testing.T) {
	sc := mustParse(t, `
states:
  - {name: /VIP, patterns: ["hello *"], when: "client.vip ?? false", replies: [{text: vip}]}
  - {name: /Named, patterns: ["hello *", "* hi"], when: "match[1] != ''", replies: [{text: named}]}
  - {name: /Any, patterns: ["hello *", "hi"], replies: [{text: any}]}
fallback: {when: "vars.talkative ?? false", replies: [{text: fall}]}
`)
	for _, c := range []struct {
		text         string
		client, vars map[string]any
		want         string
	}{
		{"hello", map[string]any{"vip": true}, nil, "vip"},
		{"hello", map[string]any{"vip": false}, nil, "any"},
		{"hello you", nil, nil, "named"},
		{"hi", nil, nil, "any"},
		{"zzz", nil, map[string]any{"talkative": true}, "fall"},
		{"zzz", nil, nil, "I didn't understand. Please say it in other words."},
	} {
		if got := texts(play(t, sc, Input{Text: c.text, Client: c.client, Vars: c.vars})); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestConditionOnAReply(t *testing.T) {
	sc := mustParse(t, one(`
    set: {n: "{{ int(vars.n ?? 0) + 1 }}"}
    replies:
      - {when: "vars.n == 1", text: first time}
      - {when: "vars.n > 1", text: again}
      - {when: "client.vip", text: never}
      - {when: "vars.n.deep", text: never}
      - {when: "vars.n", text: never}
`))
	out := play(t, sc, Input{Text: "x", Vars: map[string]any{"n": 1.0}})
	if texts(out) != "again" {
		t.Errorf("got %q", texts(out))
	}
	if len(out.Notes) != 2 {
		t.Errorf("what can't be calculated or is no condition is noted, a missing value isn't: %q", out.Notes)
	}
}

func TestBuiltInFallbackSpeaksTheLanguage(t *testing.T) {
	for language, want := range map[string]string{"ru": "Не понял", "ru-RU": "Не понял", "en": "I didn't", "uz": "I didn't"} {
		sc := mustParse(t, "language: "+language+"\nstates: [{name: a, patterns: [a], close: true}]\n")
		out := play(t, sc, Input{Text: "zzz", State: "a"})
		if !strings.HasPrefix(texts(out), want) || out.Class != "/CatchAll" || out.Confidence != 0 || out.State != "a" || out.Silent {
			t.Errorf("%s: %+v", language, out)
		}
	}
}

func TestDeliberateSilence(t *testing.T) {
	sc := mustParse(t, "fallback: {name: /Quiet, replies: []}\n")
	if out := play(t, sc, Input{Text: "zzz"}); len(out.Replies) != 0 || out.Class != "/Quiet" || out.Silent {
		t.Errorf("%+v", out)
	}
}

func TestEvents(t *testing.T) {
	sc := mustParse(t, `
states:
  - {name: /Begin, patterns: [/start], replies: [{text: "hello {{ match[0] }}/{{ event }}/{{ text }}"}]}
  - {name: /Anything, patterns: ["*"], replies: [{text: anything}]}
events:
  livechatFinished: {replies: [{text: welcome back}]}
  quiz: {replies: [{text: 2+2?}], next: [{name: /quiz/four, patterns: ["4"], replies: [{text: right}]}]}
  secret: {when: "client.vip ?? false", replies: [{text: psst}]}
  fileEvent: {replies: [{text: "{{ data.eventData[0].name }} {{ event }}"}]}
fallback: {replies: [{text: fallback}]}
`)
	for _, c := range []struct {
		rule         string
		in           Input
		reply, class string
		state        string
		silent       bool
	}{
		{"start defaults to the state that matches /start", Input{Event: "start"}, "hello /start/start/", "/Begin", "/Begin", false},
		{"a listed event", Input{Event: "livechatFinished", State: "/Begin"}, "welcome back", "/livechatFinished", "/Begin", false},
		{"an event that isn't listed gives nothing, no fallback", Input{Event: "unheard", State: "/Begin"}, "", "", "/Begin", true},
		{"event names are exact", Input{Event: "fileevent"}, "", "", "", true},
		{"event data", Input{Event: "fileEvent", Data: map[string]any{"eventData": []any{map[string]any{"name": "a.pdf"}}}}, "a.pdf fileEvent", "/fileEvent", "", false},
		{"an event with next waits for it", Input{Event: "quiz", State: "/Begin"}, "2+2?", "/quiz", "/quiz", false},
		{"and the next message is matched there", Input{Text: "4", State: "/quiz"}, "right", "/quiz/four", "/quiz/four", false},
		{"an event whose condition doesn't hold", Input{Event: "secret"}, "", "", "", true},
		{"an event whose condition holds", Input{Event: "secret", Client: map[string]any{"vip": true}}, "psst", "/secret", "", false},
		{"a text is never an event", Input{Text: "quiz"}, "anything", "/Anything", "/Anything", false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			out := play(t, sc, c.in)
			if texts(out) != c.reply || out.Class != c.class || out.State != c.state || out.Silent != c.silent {
				t.Errorf("got %q of %q, state %q, silent %v", texts(out), out.Class, out.State, out.Silent)
			}
			if want := 1.0; !c.silent && out.Confidence != want {
				t.Errorf("confidence %v", out.Confidence)
			}
		})
	}
}

func TestStartOfItsOwn(t *testing.T) {
	sc := mustParse(t, `
states: [{name: /Begin, patterns: [/start], replies: [{text: typed}]}]
events: {start: {replies: [{text: opened}]}}
`)
	if got := texts(play(t, sc, Input{Event: "start"})); got != "opened" {
		t.Errorf("got %q", got)
	}
	if got := texts(play(t, sc, Input{Text: "/start"})); got != "typed" {
		t.Errorf("got %q", got)
	}
	silent := mustParse(t, "states: [{name: a, patterns: [a], close: true}]\nfallback: {replies: [{text: x}]}\n")
	if out := play(t, silent, Input{Event: "start"}); !out.Silent {
		t.Errorf("start without a state for it is silent, got %+v", out)
	}
}

// recorder notes in which order the effects of a turn happen.
type recorder struct{ steps []string }

func (r *recorder) sleep(_ context.Context, d time.Duration) error {
	r.steps = append(r.steps, "delay "+d.String())
	return nil
}

func TestOrderOfSteps(t *testing.T) {
	sc := mustParse(t, one(`
    close: true
    replies: [{text: "{{ a.body }} {{ vars.x }} {{ vars.y }} {{ client.z }}"}]
    delay: 700ms
    flags: [success, interest]
    client: {z: "{{ vars.y }}!"}
    set: {x: "{{ a.body }}", y: "{{ vars.x }}{{ vars.x }}"}
    http: {get: "http://a/", into: a}
`))
	r := &recorder{}
	doer := serve(func(call *sent) canned {
		r.steps = append(r.steps, "http")
		return canned{status: 200, body: "b"}
	})
	out := playWith(t, sc, Input{Text: "?"}, Effects{HTTP: doer, Sleep: r.sleep})
	if got := strings.Join(r.steps, ", "); got != "http, delay 700ms" {
		t.Errorf("effects: %s", got)
	}
	if texts(out) != "b b bb bb!" {
		t.Errorf("each step sees those before it, got %q", texts(out))
	}
	want := Outcome{
		State: "/One", Class: "/One", Confidence: 1,
		Vars: map[string]any{"x": "b", "y": "bb"}, Client: map[string]any{"z": "bb!"},
		Flags: []string{"success", "interest"}, Close: true, Replies: out.Replies,
	}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got %+v, want %+v", out, want)
	}
}

func TestInputIsNotChanged(t *testing.T) {
	sc := mustParse(t, one(`
    set: {n: 2, list: "{{ concat(vars.list, [1]) }}", gone: null}
    client: {name: Zoe}
    replies: []
`))
	in := Input{Text: "x", Vars: map[string]any{"n": 1, "list": []any{0}, "gone": 1}, Client: map[string]any{"name": "Ann"}}
	out := play(t, sc, in)
	if fmt.Sprint(in.Vars) != "map[gone:1 list:[0] n:1]" || in.Client["name"] != "Ann" {
		t.Errorf("the input was changed: %v %v", in.Vars, in.Client)
	}
	want := map[string]any{"n": 2, "list": []any{0, 1}, "gone": nil}
	if !reflect.DeepEqual(out.Vars, want) {
		t.Errorf("vars %v, want %v", out.Vars, want)
	}
}

func TestTurnsRunAtOnce(t *testing.T) {
	sc := shop(t)
	done := make(chan string)
	for i := range 8 {
		go func() {
			out, err := sc.Turn(context.Background(), Input{Text: fmt.Sprintf("echo %d", i), Now: noon}, Effects{})
			done <- fmt.Sprint(texts(out), err)
		}()
	}
	var got []string
	for range 8 {
		got = append(got, <-done)
	}
	slices.Sort(got)
	if strings.Join(got, " ") != "0<nil> 1<nil> 2<nil> 3<nil> 4<nil> 5<nil> 6<nil> 7<nil>" {
		t.Errorf("got %q", got)
	}
}

func TestDelay(t *testing.T) {
	sc := mustParse(t, one("    delay: 1s\n    replies: [{text: x}]"))
	if out := play(t, sc, Input{Text: "?"}); texts(out) != "x" {
		t.Error("without Sleep nothing waits")
	}
	failed := errors.New("the process ends")
	_, err := sc.Turn(context.Background(), Input{Text: "?"}, Effects{Sleep: func(context.Context, time.Duration) error { return failed }})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

func TestTurnEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out, err := shop(t).Turn(ctx, Input{Text: "hi"}, Effects{})
	if !errors.Is(err, context.Canceled) || out.Replies != nil {
		t.Errorf("got %v, %+v", err, out)
	}
}

func TestHandover(t *testing.T) {
	for _, c := range []struct {
		yaml string
		want Handover
	}{
		{"handover: {}", Handover{}},
		{"handover: {skills: [sales, \"{{ vars.skill }}\"]}", Handover{Skills: []string{"sales", "vip"}}},
		{"handover: {units: [east]}", Handover{Units: []string{"east"}}},
		{"handover: {users: [ann, \"{{ vars.nobody ?? '' }}\"]}", Handover{Users: []string{"ann"}}},
		{"flags: [operator]", Handover{}},
		{
			"handover: {skills: [sales], firstMessage: \"about {{ text }}\", lastMessage: bye, closeChatPhrases: [end, stop]," +
				" appendCloseChatButton: true, ignoreOffline: false, oneTimeMessage: true, theme: t, sendMessagesToOperator: true," +
				" sendMessageHistoryAmount: 5, attributes: {a: \"{{ vars.skill }}\"}, hiddenAttributes: {b: 1}, customData: [1]}",
			Handover{Skills: []string{"sales"}, Switch: map[string]any{
				"firstMessage": "about it", "lastMessage": "bye", "closeChatPhrases": []any{"end", "stop"},
				"appendCloseChatButton": true, "ignoreOffline": false, "oneTimeMessage": true, "theme": "t",
				"sendMessagesToOperator": true, "sendMessageHistoryAmount": 5,
				"attributes": map[string]any{"a": "vip"}, "hiddenAttributes": map[string]any{"b": 1}, "customData": []any{1},
			}},
		},
	} {
		out := play(t, mustParse(t, one("    "+c.yaml)), Input{Text: "it", Vars: map[string]any{"skill": "vip"}})
		if out.Handover == nil || !reflect.DeepEqual(*out.Handover, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.yaml, out.Handover, c.want)
		}
	}
}

func TestFlagCloseIsNotClose(t *testing.T) {
	out := play(t, mustParse(t, one("    flags: [close]")), Input{Text: "x"})
	if out.Close || !slices.Equal(out.Flags, []string{"close"}) {
		t.Errorf("%+v", out)
	}
}

func TestLongTextIsCut(t *testing.T) {
	sc := mustParse(t, one("    replies: [{text: \"{{ text }}\"}]"))
	out := play(t, sc, Input{Text: strings.Repeat("ж", maxText)})
	if len(texts(out)) > maxText || strings.ContainsRune(texts(out), '\uFFFD') && !strings.HasSuffix(texts(out), "\uFFFD") {
		t.Errorf("got %d bytes", len(texts(out)))
	}
	if len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "bot.yaml: the message is longer") {
		t.Errorf("notes %q", out.Notes)
	}
}
