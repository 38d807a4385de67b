package chatapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/e2e/harness"
	"github.com/tolmach/tolmach/examples"
)

// block is a fenced block of a page, with its language.
var block = regexp.MustCompile("(?s)```(yaml|sh|json|js|text)\n(.*?)```")

// differing are the values of an answer that are others each time.
var differing = regexp.MustCompile(`"(questionId|timestamp)":"[^"]*"|"(id|confidence)":[0-9.]+`)

func TestGuide(t *testing.T)        { guide(t, "CHAT-API.md") }
func TestGuideRussian(t *testing.T) { guide(t, "CHAT-API.ru.md") }

// guide runs the examples of a user's page as they stand, against the demo: each
// block of commands, and of JavaScript, prints what the block after it says.
func guide(t *testing.T, page string) {
	text, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	demo := func(name string) string {
		content, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	s := harness.Start(t, demo("setup.yaml"), demo("scenario.yaml"))
	blocks := block.FindAllStringSubmatch(string(text), -1)
	ran := map[string]int{}
	for i, b := range blocks {
		language, content := b[1], strings.ReplaceAll(b[2], "http://127.0.0.1:8080", s.URL)
		ran[language]++
		switch language {
		case "yaml":
			applies(t, content, demo("scenario.yaml"))
		case "sh":
			printsJSON(t, shell(t, content), blocks[i+1][2])
		case "js":
			if got := script(t, content); got != blocks[i+1][2] {
				t.Errorf("%s\nprinted\n%s", content, got)
			}
		}
	}
	if ran["yaml"] != 1 || ran["sh"] != 6 || ran["js"] != 1 {
		t.Errorf("the page has %v blocks", ran)
	}
}

// applies demands that a setup file of the page is good.
func applies(t *testing.T, setup, scenario string) {
	t.Helper()
	dir := harness.ShortDir(t)
	harness.Write(t, dir, "scenario.yaml", scenario)
	file := harness.Write(t, dir, "setup.yaml", setup)
	if out, err := harness.Run(t, "apply", "--data", filepath.Join(dir, "data"), file); err != nil {
		t.Errorf("the setup file is refused: %s", out)
	}
}

func shell(t *testing.T, commands string) []byte {
	t.Helper()
	return output(t, exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands))
}

func script(t *testing.T, program string) string {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", "-")
	node.Stdin = strings.NewReader(program)
	return string(output(t, node))
}

func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &problems)
	}
	return out
}

// printsJSON compares one JSON value after the other, but for what is another
// each time.
func printsJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	pattern := differing.ReplaceAllStringFunc(want, func(field string) string {
		name, _, _ := strings.Cut(field, ":")
		kind := map[string]string{`"timestamp"`: "<now>", `"id"`: "<number>", `"confidence"`: "<number>"}[name]
		if kind == "" {
			kind = "<text>"
		}
		return fmt.Sprintf("%s:%q", name, kind)
	})
	answers, patterns := values(t, string(got)), values(t, pattern)
	if len(answers) != len(patterns) {
		t.Fatalf("%d answers, the page shows %d: %s", len(answers), len(patterns), got)
	}
	for i := range answers {
		same(t, "the page", []byte(show(answers[i])), show(patterns[i]))
	}
}

// values are the JSON values of a text, one after the other.
func values(t *testing.T, text string) []any {
	t.Helper()
	var all []any
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		all = append(all, v)
	}
}
