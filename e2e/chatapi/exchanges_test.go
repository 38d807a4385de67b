package chatapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// exchange is one of specs/chatapi.md §11. Each has a channel of its own, so
// that what one leaves behind is nothing to the next.
var exchange = map[string]channel{
	"E1": {name: "e1"},
	"E2": {name: "e2"},
	"E3": {name: "e3", keys: ", block_input: true"},
	"E4": {name: "e4", keys: ", webhook_url: RECEIVER"},
	"E5": {name: "e5", keys: ", poll_ceiling: 1s"},
	"E6": {name: "e6"},
}

// step is what a client was answered.
type step struct {
	Name   string          `json:"step"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// expected is each exchange's answers: see same for what stands for what.
// TOKEN is the channel's.
var expected = map[string][]struct {
	name   string
	status int
	body   string
}{
	"E1": {
		{"ask", 200, `{"token":"TOKEN","clientId":"u-1","questionId":"<text>","query":"hello","cid":"tab-A",
			"data":{"nlpClass":"/Hello","confidence":"<number>","replies":[{"type":"text","text":"Hi!","state":"/Hello"}],
			"answer":"Hi!","newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}`},
	},
	"E2": {
		{"simple", 200, `{"token":"TOKEN","clientId":"77","questionId":"<text>","query":"привет",
			"data":{"nlpClass":"/Hello","confidence":"<number>","replies":[{"type":"text","text":"Hi!","state":"/Hello"}],
			"answer":"Hi!","newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}`},
		{"number", 200, `{"token":"TOKEN","clientId":"77","questionId":"<text>","query":"again",
			"data":{"nlpClass":"/Hello","confidence":"<number>","replies":[{"type":"text","text":"Hi!","state":"/Hello"}],
			"answer":"Hi!","newSessionStarted":false,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}`},
		{"no question", 400, `{"timestamp":"<now>","status":400,"error":"Bad Request","exception":"<text>","message":"<text>","path":"/chatapi/TOKEN"}`},
		{"unknown token", 404, `{"timestamp":"<now>","status":404,"error":"Not Found","exception":"<text>",
			"message":"ChannelChat config not found for token nope and channel CHATAPI","path":"/chatapi/nope"}`},
	},
	"E3": {
		{"menu", 200, `{"token":"TOKEN","clientId":"u-1","questionId":"<text>","query":"menu",
			"data":{"nlpClass":"/Menu","confidence":"<number>","replies":[{"type":"text","text":"Pick one","state":"/Menu"},
			{"type":"buttons","buttons":[{"text":"Yes"},{"text":"No"}],"state":"/Menu"}],
			"answer":"Pick one","newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":true}`},
		{"file", 200, `{"token":"TOKEN","clientId":"u-1","questionId":"<text>","event":"fileEvent",
			"data":{"nlpClass":"<text>","confidence":"<number>","replies":[{"type":"text","text":"Got a.pdf","state":"<text>"}],
			"answer":"Got a.pdf","newSessionStarted":false,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}`},
	},
	"E4": {
		{"async", 200, `{"questionId":"<text>"}`},
	},
	"E5": {
		{"operator", 200, `{"token":"TOKEN","clientId":"u-3","questionId":"<text>","query":"operator","cid":"A",
			"data":{"nlpClass":"/Operator","confidence":"<number>","replies":[{"type":"text","text":"One moment","state":"/Operator"},{"type":"switch","state":"/Operator"}],
			"answer":"One moment","newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}`},
		{"anyone", 200, `{"token":"TOKEN","clientId":"u-3","questionId":"<text>","query":"anyone?","cid":"A",
			"data":{"nlpClass":"","confidence":0,"replies":[],"answer":"","newSessionStarted":false,"debugData":[],"endSession":false},
			"timestamp":"<now>","blockForm":false}`},
		{"default", 200, `{"hasMore":false,"events":[HUMAN]}`},
		{"all for B", 200, `{"hasMore":false,"events":[
			{"type":"request","event":{"token":"TOKEN","clientId":"u-3","questionId":"<text>","query":"operator","cid":"A","timestamp":"<now>","userId":"u-3"}},
			{"type":"botResponse","event":{"token":"TOKEN","clientId":"u-3","questionId":"<text>","cid":"A",
				"data":{"nlpClass":"/Operator","confidence":"<number>","replies":[{"type":"text","text":"One moment","state":"/Operator"},{"type":"switch","state":"/Operator"}],
				"answer":"One moment","newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}},
			{"type":"request","event":{"token":"TOKEN","clientId":"u-3","questionId":"<text>","query":"anyone?","cid":"A","timestamp":"<now>","userId":"u-3"}},
			HUMAN]}`},
		{"all for A", 200, `{"hasMore":false,"events":[HUMAN]}`},
		{"garbage", 400, `{"timestamp":"<now>","status":400,"error":"Bad Request","exception":"<text>","message":"<text>","path":"/chatapi/TOKEN/events"}`},
		{"nothing", 200, `{"hasMore":false,"events":[]}`},
	},
	"E6": {
		{"save", 200, `{"open":true,"x":[1,null]}`},
		{"saved", 200, `{"open":true,"x":[1,null]}`},
		{"unread", 200, `{"count":2,"notReadCount":2}`},
		{"read", 200, `{"status":"READ"}`},
		{"status", 200, `{"status":"READ"}`},
		{"seen", 400, `{"timestamp":"<now>","status":400,"error":"Bad Request","exception":"<text>","message":"<text>","path":"/chatapi/TOKEN/client/u-1/message/q-1/status"}`},
		{"bulk", 200, `{"statuses":[{"questionId":"q-2","status":"READ"}]}`},
		{"all read", 200, `{"count":0,"notReadCount":0}`},
	},
}

const human = `{"type":"humanResponse","event":{"token":"TOKEN","clientId":"u-3","questionId":"<text>",
	"data":{"nlpClass":"","confidence":"<number>","replies":[{"type":"text","text":"I am here"}],"answer":"I am here",
	"newSessionStarted":false,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false,
	"operator":{"id":"<number>","name":"Anna"}}}`

// exchangeWorld is a server with a channel for each exchange.
func exchangeWorld(t *testing.T, on harness.Engine) (*harness.Server, *harness.Receiver) {
	r := harness.Receive(t, nil)
	var channels []channel
	for i := 1; i <= len(exchange); i++ {
		c := exchange[fmt.Sprintf("E%d", i)]
		c.keys = strings.Replace(c.keys, "RECEIVER", r.URL+"/hook", 1)
		channels = append(channels, c)
	}
	return on.Start(t, setup(channels...), scenario), r
}

// TestExchanges is E1 to E6 with a plain HTTP client.
func TestExchanges(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s, r := exchangeWorld(t, on)
		for _, name := range []string{"E1", "E2", "E3", "E4", "E5", "E6"} {
			t.Run(name, func(t *testing.T) {
				p := &player{t: t, server: s, url: s.URL + "/chatapi/" + exchange[name].token()}
				play[name](p)
				checkSteps(t, name, p.steps)
				if name == "E4" {
					checkPushed(t, r, p.steps[0], p.answered)
				}
			})
		}
	})
}

// TestJavaScript is E1 to E6 with a client that was written from the spec alone.
func TestJavaScript(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s, r := exchangeWorld(t, on)
		args := []string{"play.js", s.URL}
		for i := 1; i <= len(exchange); i++ {
			args = append(args, exchange[fmt.Sprintf("E%d", i)].token())
		}
		steps := map[string][]step{}
		for _, line := range node(t, args...) {
			s := decode[struct {
				Exchange string
				step
			}](t, []byte(line))
			steps[s.Exchange] = append(steps[s.Exchange], s.step)
		}
		for name := range expected {
			checkSteps(t, name, steps[name])
		}
		checkPushed(t, r, steps["E4"][0], time.Time{})
	})
}

// player is the plain client: it notes what it was answered.
type player struct {
	t        *testing.T
	server   *harness.Server
	url      string
	steps    []step
	answered time.Time // the last call
}

func (p *player) call(name, method, url string, body any) {
	p.t.Helper()
	r := harness.Call(p.t, method, url, body)
	p.answered = time.Now()
	p.steps = append(p.steps, step{name, r.Status, r.Body})
}

// play is the exchanges, by the spec's own bodies.
var play = map[string]func(*player){
	"E1": func(p *player) {
		p.call("ask", "POST", p.url, `{"clientId":"u-1","query":"hello","cid":"tab-A"}`)
	},
	"E2": func(p *player) {
		other := strings.Replace(p.url, "/chatapi/", "/chatadapter/chatapi/", 1)
		p.call("simple", "GET", other+"?clientId=77&query=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", nil)
		p.call("number", "POST", other, `{"clientId":77,"query":"again"}`)
		p.call("no question", "GET", p.url+"?clientId=77", nil)
		p.call("unknown token", "GET", p.server.URL+"/chatapi/nope?clientId=77&query=x", nil)
	},
	"E3": func(p *player) {
		p.call("menu", "POST", p.url, `{"clientId":"u-1","query":"menu"}`)
		p.call("file", "POST", p.url, `{"clientId":"u-1","event":"fileEvent","data":{"eventData":[{"url":"http://127.0.0.1/a.pdf",`+
			`"type":"file","mimeType":"application/pdf","name":"a.pdf","size":10}]}}`)
	},
	"E4": func(p *player) {
		p.call("async", "POST", p.url+"/async", `{"clientId":"u-2","query":"slow"}`)
	},
	"E5": func(p *player) {
		p.call("operator", "POST", p.url, `{"clientId":"u-3","query":"operator","cid":"A"}`)
		p.call("anyone", "POST", p.url, `{"clientId":"u-3","query":"anyone?","cid":"A"}`)
		ann := signIn(p.t, p.server, "ann")
		ann.say(ann.conversation("u-3"), "I am here")
		events := p.url + "/events?clientId=u-3"
		p.call("default", "GET", events+"&ts=2024-05-01T10:00:00.000", nil)
		p.call("all for B", "GET", events+"&ts=1714557600000&all=true&cid=B", nil)
		p.call("all for A", "GET", events+"&ts=1714557600000&all=true&cid=A", nil)
		p.call("garbage", "GET", events+"&ts=garbage", nil)
		now := time.Now().UTC()
		p.call("nothing", "GET", events+"&ts="+url.QueryEscape(now.Add(time.Millisecond).Format(timeLayout)), nil)
		if took := time.Since(now); took < 900*time.Millisecond {
			p.t.Errorf("a poll with a ceiling of 1 s ended after %v with nothing", took)
		}
	},
	"E6": func(p *player) {
		p.call("save", "POST", p.url+"/client/u%2F4/state", `{"open":true,"x":[1,null]}`)
		p.call("saved", "GET", p.url+"/client/u%2F4/state", nil)
		for _, body := range []string{`{"clientId":"u-1","query":"one","questionId":"q-1"}`, `{"clientId":"u-1","query":"two","questionId":"q-2"}`} {
			if r := harness.Call(p.t, "POST", p.url, body); r.Status != 200 {
				p.t.Fatalf("a question was answered %d %s", r.Status, r.Body)
			}
		}
		client := p.url + "/client/u-1"
		p.call("unread", "GET", client+"/message-not-read-count", nil)
		p.call("read", "POST", client+"/message/q-1/status", `{"status":"READ"}`)
		p.call("status", "GET", client+"/message/q-1/status", nil)
		p.call("seen", "POST", client+"/message/q-1/status", `{"status":"SEEN"}`)
		p.call("bulk", "POST", client+"/message-statuses", `{"statuses":[{"questionId":"q-2","status":"READ"}]}`)
		p.call("all read", "GET", client+"/message-not-read-count", nil)
	},
}

// checkSteps holds what a client was answered to what the spec says.
func checkSteps(t *testing.T, name string, steps []step) {
	t.Helper()
	if len(steps) != len(expected[name]) {
		t.Fatalf("%s: %d answers, want %d: %+v", name, len(steps), len(expected[name]), steps)
	}
	tokens := strings.NewReplacer("HUMAN", strings.ReplaceAll(human, "TOKEN", exchange[name].token()), "TOKEN", exchange[name].token())
	for i, want := range expected[name] {
		got := steps[i]
		if got.Name != want.name || got.Status != want.status {
			t.Errorf("%s: %s answered %d, want %s %d: %s", name, got.Name, got.Status, want.name, want.status, got.Body)
			continue
		}
		same(t, name+", "+want.name, got.Body, tokens.Replace(want.body))
	}
}

// checkPushed demands E4's webhook: an array with the answer, under the id that
// the question was given, and after that was told.
func checkPushed(t *testing.T, r *harness.Receiver, asked step, answered time.Time) {
	t.Helper()
	id := decode[envelope](t, asked.Body).QuestionID
	hook := r.Wait(t, 1, "the webhook", nil)[0]
	same(t, "E4, webhook", hook.Body, fmt.Sprintf(`[{"token":%q,"clientId":"u-2","questionId":%q,
		"data":{"nlpClass":"/Slow","confidence":"<number>","replies":[{"type":"text","text":"done","state":"/Slow"}],"answer":"done",
		"newSessionStarted":true,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false}]`, exchange["E4"].token(), id))
	if !hook.At.After(answered) {
		t.Error("the webhook came before its question was answered")
	}
}

// node runs a script and returns the lines that it printed.
func node(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %v: %v\n%s%s", args, err, &out, &problems)
	}
	var lines []string
	for scanner := bufio.NewScanner(&out); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}
