package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// block is a fenced piece of the page.
type block struct {
	kind, text string
	line       int
}

func blocks(page string) []block {
	var list []block
	open := false
	for i, line := range strings.Split(page, "\n") {
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !open:
			list = append(list, block{kind: kind, line: i + 1})
			open = true
		case fence:
			open = false
		case open:
			list[len(list)-1].text += line + "\n"
		}
	}
	return list
}

// Every scenario of the page is good, and every dialogue goes as the page says.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var sc *Scenario
	dialogues := 0
	for _, b := range blocks(string(page)) {
		switch b.kind {
		case "yaml":
			if sc, err = Parse(fmt.Sprintf("README.md after line %d", b.line), []byte(b.text)); err != nil {
				t.Fatal(err)
			}
		case "dialogue":
			dialogues++
			if got := converse(t, sc, b.text); got != b.text {
				t.Errorf("the dialogue of line %d goes\n%s", b.line, got)
			}
		default:
			t.Errorf("line %d: a block of kind %q", b.line, b.kind)
		}
	}
	if dialogues < 8 {
		t.Errorf("only %d dialogues were found", dialogues)
	}
}

// converse plays the client's lines and writes down the whole dialogue.
func converse(t *testing.T, sc *Scenario, script string) string {
	t.Helper()
	d := newDialogue(t, sc, Effects{HTTP: serve(shopServer)})
	var b strings.Builder
	for _, line := range strings.Split(script, "\n") {
		said, client := strings.CutPrefix(line, "> ")
		if !client {
			continue
		}
		b.WriteString(line + "\n")
		in := Input{Text: said}
		if event, isEvent := strings.CutPrefix(said, "/event "); isEvent {
			name, data, _ := strings.Cut(event, " ")
			in = Input{Event: name}
			if data != "" {
				if err := json.Unmarshal([]byte(data), &in.Data); err != nil {
					t.Fatal(err)
				}
			}
		}
		transcribe(&b, d.play(in))
	}
	return b.String()
}

// shopServer is the other side of the page's calls.
func shopServer(call *sent) canned {
	switch call.method + " " + call.url + " " + call.body {
	case "GET https://shop.example/orders/42 ":
		return canned{status: 200, kind: "application/json", body: `{"number": 42, "state": "on its way"}`}
	case `POST https://shop.example/orders {"client":"","goods":["soup"]}`:
		if call.header.Get("X-Shop") == "7" {
			return canned{status: 201, body: `{"number": 43}`}
		}
	}
	return canned{status: 404}
}

func transcribe(b *strings.Builder, out Outcome) {
	for _, r := range out.Replies {
		line := "<"
		if r.Text != "" {
			line += " " + r.Text
		}
		if r.Attachment != nil {
			line += fmt.Sprintf(" <%s %s>", r.Attachment.Kind, r.Attachment.URL)
		}
		if r.Native != nil {
			line += fmt.Sprintf(" <%s>", r.Native["type"])
		}
		for _, button := range r.Buttons {
			line += " [" + strings.TrimSpace(button.Text+" "+button.URL) + "]"
		}
		if r.After > 0 {
			line += fmt.Sprintf(" (after %s)", r.After)
		}
		b.WriteString(line + "\n")
	}
	if len(out.Flags) > 0 {
		b.WriteString("(flags " + strings.Join(out.Flags, ", ") + ")\n")
	}
	if h := out.Handover; h != nil {
		names := slices.Concat(h.Skills, h.Units, h.Users)
		b.WriteString(strings.TrimSpace("(handover "+strings.Join(names, ", ")) + ")\n")
	}
	if out.Close {
		b.WriteString("(close)\n")
	}
	if out.Silent {
		b.WriteString("(silent)\n")
	}
}
