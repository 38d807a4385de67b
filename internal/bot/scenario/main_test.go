package scenario

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the time of every turn in the tests.
var noon = time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)

// mustParse checks a scenario that a test needs to be good.
func mustParse(t testing.TB, src string) *Scenario {
	t.Helper()
	sc, err := Parse("bot.yaml", []byte(src))
	if err != nil {
		t.Fatalf("the scenario should be good:\n%v", err)
	}
	return sc
}

// shop is the example file.
func shop(t testing.TB) *Scenario {
	t.Helper()
	src, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := Parse("shop.yaml", src)
	if err != nil {
		t.Fatalf("the example should be good:\n%v", err)
	}
	return sc
}

// play runs one turn that must not fail.
func play(t testing.TB, sc *Scenario, in Input) Outcome {
	t.Helper()
	return playWith(t, sc, in, Effects{})
}

func playWith(t testing.TB, sc *Scenario, in Input, fx Effects) Outcome {
	t.Helper()
	if in.Now.IsZero() {
		in.Now = noon
	}
	out, err := sc.Turn(context.Background(), in, fx)
	if err != nil {
		t.Fatalf("the turn failed: %v", err)
	}
	return out
}

// texts joins the texts of the replies.
func texts(out Outcome) string {
	var list []string
	for _, r := range out.Replies {
		list = append(list, r.Text)
	}
	return strings.Join(list, "|")
}

// one is a scenario of one state that answers everything with the given body, which is indented YAML lines.
func one(body string) string {
	return "states:\n  - name: /One\n    patterns: [\"*\"]\n" + body
}
