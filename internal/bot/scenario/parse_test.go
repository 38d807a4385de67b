package scenario

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestExampleIsGood(t *testing.T) {
	if sc := shop(t); sc.Language != "ru" {
		t.Errorf("language is %q, want ru", sc.Language)
	}
}

func TestLanguageDefaultsToEnglish(t *testing.T) {
	if sc := mustParse(t, one("    replies: [{text: x}]")); sc.Language != "en" {
		t.Errorf("language is %q, want en", sc.Language)
	}
}

// Every case is a whole file, the place of the mistake and a part of what is said about it.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, src, place, says string }{
		{"empty file", "", "1:1", "the file is empty"},
		{"comments only", "# nothing\n", "1:1", "the file is empty"},
		{"not a mapping", "- a\n", "1:1", "the scenario must be a mapping"},
		{"no states", "language: ru\n", "1:1", "no states"},
		{"broken YAML", "states: [\n", "2:1", "isn't valid YAML"},
		{"tab", "states:\n\t- name: x\n", "2:1", "isn't valid YAML"},
		{"unknown anchor", "states: *x\n", "1:9", "unknown anchor"},
		{"not UTF-8", "language: ru\nstates: \xff\n", "2:9", "isn't valid UTF-8"},
		{"control character", "a: b\nc: \x01\n", "2:4", "control character"},
		{"two documents", one("    replies: []") + "\n---\nstates: []\n", "5:1", "second YAML document"},
		{"duplicate key", "language: ru\nlanguage: en\n", "2:1", "stands twice"},
		{"merge key", "states: []\n<<: {language: ru}\n", "2:1", "must be a plain word"},
		{"key that is a list", "[a]: b\n", "1:1", "must be a plain word"},

		{"unknown top key", "state: []\n", "1:1", `unknown key "state" in the scenario; the keys are language, states, events, fallback`},
		{"unknown state key", one("    reply: []"), "4:5", `unknown key "reply"`},
		{"unknown event key", "events:\n  a: {patterns: [a]}\n", "2:7", `unknown key "patterns"`},
		{"unknown fallback key", "fallback: {patterns: [a]}\n", "1:12", `unknown key "patterns"`},
		{"unknown reply key", one("    replies: [{txt: a}]"), "4:16", `unknown key "txt"`},
		{"unknown button key", one("    replies: [{buttons: [{label: a}]}]"), "4:27", `unknown key "label"`},
		{"unknown http key", one("    http: {get: \"http://a/\", body: x}"), "4:30", `unknown key "body"`},
		{"unknown handover key", one("    handover: {skill: [a]}"), "4:16", `unknown key "skill"`},

		{"states not a list", "states: {}\n", "1:9", "must be a list"},
		{"no state at all", "states: []\n", "1:9", "`states` is empty"},
		{"state not a mapping", "states: [a]\n", "1:10", "must be a mapping"},
		{"no name", "states: [{patterns: [a], close: true}]\n", "1:10", "has no name"},
		{"empty name", "states: [{name: \"\", patterns: [a], close: true}]\n", "1:17", "isn't usable"},
		{"null name", "states: [{name: , patterns: [a], close: true}]\n", "1:17", "is empty"},
		{"no patterns", "states: [{name: a, close: true}]\n", "1:17", "no patterns"},
		{"empty patterns", "states: [{name: a, patterns: [], close: true}]\n", "1:30", "`patterns` is empty"},
		{"patterns not a list", "states: [{name: a, patterns: b, close: true}]\n", "1:30", "must be a list"},
		{"pattern that is a list", "states: [{name: a, patterns: [[b]], close: true}]\n", "1:31", "single value"},
		{"bad word pattern", "states: [{name: a, patterns: [a, \"!\"], close: true}]\n", "1:34", "no words"},
		{"bad regular expression", "states: [{name: a, patterns: [\"~(\"], close: true}]\n", "1:31", "missing closing )"},
		{"state that does nothing", "states: [{name: a, patterns: [a]}]\n", "1:17", "does nothing"},
		{"state with a condition only", "states: [{name: a, patterns: [a], when: \"true\"}]\n", "1:17", "does nothing"},
		{"event that does nothing", "events:\n  a: {}\n", "2:3", "does nothing"},
		{"fallback that does nothing", "fallback: {name: /F}\n", "1:18", "does nothing"},
		{"event without a name", "events:\n  \"\": {replies: []}\n", "2:3", "no usable name"},
		{"same name twice", "states:\n  - {name: a, patterns: [a], close: true}\n  - {name: a, patterns: [b], close: true}\n", "3:12", `the name "a" is already taken on line 2`},
		{"same name in next", one("    next:\n      - {name: /One, patterns: [b], close: true}\n"), "5:16", "already taken on line 2"},
		{"same name as the fallback", one("    close: true\nfallback: {name: /One, close: true}\n"), "5:18", "already taken"},
		{"event with next and a state's name", "states: [{name: /x, patterns: [x], close: true}]\nevents:\n  x: {next: [{name: /y, patterns: [y], close: true}]}\n", "3:3", "already taken"},
		{"empty next", one("    next: []"), "4:11", "`next` is empty"},
		{"fallback with next", "fallback:\n  next: [{name: a, patterns: [a], close: true}]\n  close: true\n", "2:9", "leaves the current state as it is"},

		{"language with a space", "language: a b\n" + one("    close: true"), "1:11", "isn't a language tag"},
		{"unknown flag", one("    flags: [sucess]"), "4:13", `unknown flag "sucess"; the flags are success, get_contact, interest, close, operator, is_bot`},
		{"flag twice", one("    flags: [success, success]"), "4:22", "stands twice"},
		{"close not a bool", one("    close: please"), "4:12", "must be true or false"},
		{"delay not a duration", one("    delay: 5"), "4:12", "isn't a duration"},
		{"delay of zero", one("    delay: 0s"), "4:12", "out of range"},
		{"delay too long", one("    delay: 2m"), "4:12", "out of range"},
		{"negative delay", one("    delay: -1s"), "4:12", "out of range"},
		{"handover and close", one("    handover: {}\n    close: true"), "5:12", "can't hand over and close"},
		{"flag operator and close", one("    flags: [operator]\n    close: true"), "5:12", "can't hand over and close"},

		{"expression that doesn't compile", one("    replies: [{text: \"{{ client.name ?? }}\"}]"), "4:22", "doesn't compile: unexpected token EOF at character 14"},
		{"unknown name", one("    replies: [{text: \"{{ user.name }}\"}]"), "4:22", "unknown name user at character 1; correct it; it sees text, event, data, match, vars, client, session, now"},
		{"wrong types", one("    replies: [{text: \"{{ text + 1 }}\"}]"), "4:22", "mismatched types"},
		{"empty expression", one("    replies: [{text: \"a {{ }}\"}]"), "4:22", "it is empty"},
		{"unclosed expression", one("    replies: [{text: \"a {{ text\"}]"), "4:22", "{{ has no }}"},
		{"brace inside quotes doesn't close", one("    replies: [{text: \"{{ '}}' \"}]"), "4:22", "{{ has no }}"},
		{"when with braces", one("    when: \"{{ true }}\"\n    close: true"), "4:11", "an expression already"},
		{"when that isn't a condition", one("    when: text\n    close: true"), "4:11", "doesn't compile"},
		{"when sees into too early", one("    when: \"order.status == 1\"\n    http: {get: \"http://a/\", into: order}"), "4:11", "unknown name order"},
		{"into of another state", one("    http: {get: \"http://a/\", into: order}\n  - name: b\n    patterns: [b]\n    replies: [{text: \"{{ order.status }}\"}]"), "7:22", "unknown name order"},
		{"the environment", one("    replies: [{text: \"{{ $env }}\"}]"), "4:22", "$env isn't available"},
		{"bad constant expression", one("    when: \"text matches '('\"\n    close: true"), "4:11", "missing closing )"},
		{"huge constant expression", one("    when: \"text matches '(?:a{900}){1}a{900}a{900}'\"\n    close: true"), "4:11", "too large"},
		{"now is a value", one("    replies: [{text: \"{{ now() }}\"}]"), "4:22", "not callable"},
		{"bad name in set", one("    set: {a-b: 1}"), "4:11", "can't be used in expressions"},
		{"set not a mapping", one("    set: [a]"), "4:10", "must be a mapping"},
		{"bad expression deep in a value", one("    set: {a: [1, {b: \"{{ x }}\"}]}"), "4:22", "unknown name x"},

		{"replies not a list", one("    replies: {text: a}"), "4:14", "must be a list"},
		{"reply not a mapping", one("    replies: [a]"), "4:15", "must be a mapping"},
		{"empty reply", one("    replies: [{}]"), "4:15", "nothing to show"},
		{"reply with a condition only", one("    replies: [{when: \"true\"}]"), "4:15", "nothing to show"},
		{"null text", one("    replies: [{text: }]"), "4:22", "is empty"},
		{"empty text", one("    replies: [{text: \" \"}]"), "4:22", "is empty"},
		{"after not a duration", one("    replies: [{text: a, after: soon}]"), "4:32", "isn't a duration"},
		{"after too long", one("    replies: [{text: a, after: 1000h}]"), "4:32", "out of range"},
		{"unknown markup", one("    replies: [{text: a, markup: html}]"), "4:33", "unknown markup"},
		{"markup without text", one("    replies: [{markdown: a, markup: markdown}]"), "4:37", "goes with `text` alone"},
		{"two files", one("    replies: [{image: \"https://a/\", file: \"https://a/\"}]"), "4:43", "links to one file"},
		{"name without a file", one("    replies: [{text: a, name: b}]"), "4:31", "the reply has none"},
		{"empty buttons", one("    replies: [{buttons: []}]"), "4:25", "`buttons` is empty"},
		{"button without text", one("    replies: [{buttons: [{url: \"https://a/\"}]}]"), "4:26", "has no text"},
		{"button with an empty text", one("    replies: [{buttons: [\"\"]}]"), "4:26", "has no text"},
		{"button with a bad address", one("    replies: [{buttons: [{text: a, url: \"javascript:alert(1)\"}]}]"), "4:41", "must begin with"},
		{"image without a scheme", one("    replies: [{image: map.png}]"), "4:23", "must begin with"},
		{"image without a host", one("    replies: [{image: \"https:///map.png\"}]"), "4:23", "no host"},
		{"native without a type", one("    replies: [{native: {text: a}}]"), "4:24", "an object with a `type`"},
		{"native that is a list", one("    replies: [{native: [a]}]"), "4:24", "an object with a `type`"},
		{"native beside text", one("    replies: [{native: {type: a}, text: b}]"), "4:41", "`text` stands beside `native`"},

		{"http without a method", one("    http: {into: a}"), "4:11", "no method"},
		{"http with two methods", one("    http: {get: \"http://a/\", post: \"http://a/\"}"), "4:36", "two methods, get and post"},
		{"get with json", one("    http: {get: \"http://a/\", json: {}}"), "4:36", "a get carries no `json`"},
		{"timeout too long", one("    http: {get: \"http://a/\", timeout: 11s}"), "4:39", "out of range"},
		{"address of another scheme", one("    http: {get: \"ftp://a/\"}"), "4:17", "must begin with"},
		{"address from a value", one("    http: {get: \"{{ vars.url }}\"}"), "4:17", "scheme and host as plain text"},
		{"host from a value", one("    http: {get: \"http://{{ text }}/\"}"), "4:17", "scheme and host as plain text"},
		{"host that a value could continue", one("    http: {get: \"http://a{{ text }}/\"}"), "4:17", "scheme and host as plain text"},
		{"port from a value", one("    http: {get: \"http://a:{{ text }}/\"}"), "4:17", "scheme and host as plain text"},
		{"bad header name", one("    http: {get: \"http://a/\", headers: {\"a b\": c}}"), "4:40", "isn't a header name"},
		{"header of the transport", one("    http: {get: \"http://a/\", headers: {content-length: 1}}"), "4:40", "Content-Length is set by the server"},
		{"idempotency header", one("    http: {get: \"http://a/\", headers: {idempotency-key: 1}}"), "4:40", "Idempotency-Key is set by the server"},
		{"header twice", one("    http: {get: \"http://a/\", headers: {x-a: 1, X-A: 2}}"), "4:48", "stands twice"},
		{"into a name that is taken", one("    http: {get: \"http://a/\", into: vars}"), "4:36", "which expressions see already"},
		{"into no name", one("    http: {get: \"http://a/\", into: a.b}"), "4:36", "can't be"},
		{"into a word of expressions", one("    http: {get: \"http://a/\", into: not}"), "4:36", "can't be"},

		{"handover of true", one("    handover: true"), "4:15", "must be a mapping"},
		{"handover of null", one("    handover:"), "4:14", "must be a mapping"},
		{"handover to two", one("    handover: {skills: [a], users: [b]}"), "4:36", "names both skills and users"},
		{"handover to nobody", one("    handover: {skills: []}"), "4:24", "`skills` is empty"},
		{"handover to a word", one("    handover: {skills: a}"), "4:24", "must be a list"},
		{"handover with a wrong type", one("    handover: {ignoreOffline: \"yes\"}"), "4:31", "`ignoreOffline` must be a flag"},
		{"handover with a wrong list", one("    handover: {closeChatPhrases: bye}"), "4:34", "`closeChatPhrases` must be a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("bots/bot.yaml", []byte(c.src))
			if err == nil {
				t.Fatalf("the file was accepted:\n%s", c.src)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if strings.HasPrefix(line, "bots/bot.yaml:"+c.place+": ") && strings.Contains(line, c.says) {
					return
				}
			}
			t.Errorf("want %s: …%s…\ngot\n%v", c.place, c.says, err)
		})
	}
}

func TestAllProblemsAreFoundInFileOrder(t *testing.T) {
	src := `language: "?"
states:
  - name: /A
    patterns: ["~("]
    flags: [nonsense]
    replies:
      - text: "{{ nobody }}"
      - after: soon
        text: x
  - patterns: [a]
    close: true
fallback: {replys: []}
`
	_, err := Parse("b.yaml", []byte(src))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want Problems", err)
	}
	var lines []int
	shape := regexp.MustCompile(`^b\.yaml:\d+:\d+: [^;]+; .+$`)
	for i, line := range strings.Split(err.Error(), "\n") {
		if !shape.MatchString(line) {
			t.Errorf("line %q isn't file:line:column: what is wrong; what to do", line)
		}
		lines = append(lines, problems[i].Line)
	}
	if fmt.Sprint(lines) != "[1 4 5 7 8 10 12 12]" {
		t.Errorf("problems on lines %v:\n%v", lines, err)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	src := "states:\n" + strings.Repeat("  - {}\n", 5000)
	_, err := Parse("b.yaml", []byte(src))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxProblems+1 || !strings.Contains(err.Error(), "more problems than are shown") {
		t.Errorf("got %d lines", len(lines))
	}
}

func TestFileLimits(t *testing.T) {
	manyStates := func(n int) string {
		var b strings.Builder
		b.WriteString("states:\n")
		for i := range n {
			fmt.Fprintf(&b, "- {name: s%d, patterns: [p], close: true}\n", i)
		}
		return b.String()
	}
	aliases := "states:\n  - name: a\n    patterns: [a]\n    set:\n      a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := 'b'; c <= 'h'; c++ {
		aliases += fmt.Sprintf("      %c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ","))
	}
	for _, c := range []struct{ name, src, says string }{
		{"longer than 1 MiB", one("    close: true\n") + strings.Repeat("#", maxFile), "longer than 1 MiB"},
		{"10,001 states", manyStates(maxStates + 1), "more than 10,000 states"},
		{"aliases that multiply", aliases, "too large once its aliases are followed"},
		{"an alias of itself", one("    set: {a: &a [*a]}"), "nested too deeply"},
		{"deep brackets", "states: " + strings.Repeat("[", 100_000), "max depth"},
		{"a deep value", one("    set: {a: " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "}"), "nested too deeply"},
		{"a long expression", one("    replies: [{text: \"{{ '" + strings.Repeat("a", maxExpression) + "' }}\"}]"), "longer than 4096 bytes"},
		{"an expression of many parts", one("    replies: [{text: \"{{ 1" + strings.Repeat("+1", 1500) + " }}\"}]"), "doesn't compile"},
		{"20,001 expressions", one("    replies: [{text: \"" + strings.Repeat("{{1}}", maxExpressions+1) + "\"}]"), "more than 20,000 expressions"},
		{"expressions that are large together", "states: [{name: x, close: true, patterns: [a" + strings.Repeat(", \"~a{900}b{900}\"", 5000) + "]}]\n", "too large together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("b.yaml", []byte(c.src))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("want …%s…, got %.300v", c.says, err)
			}
		})
	}
	if _, err := Parse("b.yaml", []byte(manyStates(maxStates))); err != nil {
		t.Errorf("10,000 states are allowed: %.300v", err)
	}
}

func TestNextIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("states:\n")
	for i := range maxNesting + 1 {
		pad := strings.Repeat("  ", i)
		fmt.Fprintf(&b, "%s- name: s%d\n%s  patterns: [p]\n%s  next:\n", pad, i, pad, pad)
	}
	fmt.Fprintf(&b, "%s- {name: end, patterns: [p], close: true}\n", strings.Repeat("  ", maxNesting+1))
	_, err := Parse("b.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "states are nested too deeply") {
		t.Errorf("got %v", err)
	}
}

func TestAliasesMayShareParts(t *testing.T) {
	sc := mustParse(t, `
states:
  - {name: /A, patterns: [a], replies: &hello [{text: Hello}]}
  - {name: /B, patterns: [b], replies: *hello}
`)
	if got := texts(play(t, sc, Input{Text: "b"})); got != "Hello" {
		t.Errorf("got %q", got)
	}
}

func TestScalarsAreTakenAsTheyAreSpelled(t *testing.T) {
	sc := mustParse(t, "states:\n  - {name: 1, patterns: [10, yes, 2025-01-02], replies: [{text: 0x10}, {text: true}]}\n")
	for _, text := range []string{"10", "Yes", "2025-01-02"} {
		if out := play(t, sc, Input{Text: text}); texts(out) != "0x10|true" || out.Class != "1" {
			t.Errorf("%s: got %q of %q", text, texts(out), out.Class)
		}
	}
}

func TestFileNameIsOnlyAName(t *testing.T) {
	if _, err := Parse("no/such/file.yaml", []byte(one("    close: true"))); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("no"); err == nil {
		t.Error("Parse made a directory")
	}
}
