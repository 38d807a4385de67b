package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/config"
)

const patience = 30 * time.Second

// running is a server in this process.
type running struct {
	url  string
	dir  string
	log  *lockedBuffer
	stop func() error
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const testSetup = `
tenant: local
channels: [{name: m, kind: page_messenger}]
bots: [{name: b, kind: scenario, file: bot.yaml}]
tasks: [{name: t, selarti_id: 1721129985149x478019552540622850, channel: m, bot: b}]
operators: [{login: ann, name: Anna, password: correct-horse-1, role: operator}]
api_keys: [{name: k, key: k-demo, scopes: [messages:write, conversations:read]}]
`

func botThatSays(words string) string {
	return "states:\n  - name: /A\n    patterns: [\"*\"]\n    replies: [{text: " + words + "}]\n"
}

// eventually looks again and again until the fact is there.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if fact() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func testConfig(dir string) config.Config {
	return config.Config{
		Storage: config.Storage{Data: filepath.Join(dir, "data")},
		Setup:   config.Setup{Apply: []string{filepath.Join(dir, "setup.yaml")}},
		HTTP: config.HTTP{
			Listen: "127.0.0.1:0", MaxBody: 256 << 10, MaxHeader: 32 << 10, MaxConnections: 100,
			HeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: patience, ShutdownTimeout: 5 * time.Second,
		},
		Delivery: config.Delivery{Horizon: 72 * time.Hour, Retention: 720 * time.Hour},
		Login:    config.Login{SessionLife: time.Hour, Tries: 10, TriesPerAddress: 50, Window: time.Minute},
		Log:      config.Log{Format: "json", Level: "debug"},
	}
}

func startServer(t *testing.T) *running {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm") // short: the admin socket must fit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "setup.yaml"), testSetup)
	write(t, filepath.Join(dir, "bot.yaml"), botThatSays("one"))
	return serveIn(t, dir, testConfig(dir))
}

// serveIn starts a server on a directory that is set up.
func serveIn(t *testing.T, dir string, c config.Config) *running {
	t.Helper()
	r := &running{dir: dir, log: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c, r.log) }()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() {
			cancel()
			result = <-ended
		})
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	eventually(t, "the server is ready: "+r.log.String(), func() bool {
		for line := range strings.Lines(r.log.String()) {
			var entry struct{ Msg, URL string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "server.ready" {
				r.url = entry.URL
			}
		}
		return r.url != ""
	})
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// do makes a call and returns status and body.
func (r *running) do(t *testing.T, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("X-Request-Id") == "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers %v", method, path, resp.Header)
	}
	return resp.StatusCode, string(content)
}

func (r *running) say(t *testing.T, text string) {
	t.Helper()
	status, body := r.do(t, "POST", "/api/1.1/wf/send_external_message",
		`{"task_id":"1721129985149x478019552540622850","chat_id":"42","message":"`+text+`"}`, "Authorization", "Bearer k-demo")
	if status != 200 {
		t.Fatalf("sending answered %d %s", status, body)
	}
}

// lastSaid is the last message of the only conversation.
func (r *running) lastSaid(t *testing.T) string {
	t.Helper()
	_, body := r.do(t, "GET", "/console/api/conversations", "", "Authorization", "Bearer k-demo")
	var list struct {
		Items []struct {
			LastMessage struct{ Text string } `json:"last_message"`
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("conversations: %v %s", err, body)
	}
	return list.Items[0].LastMessage.Text
}

func TestPathsOfOurOwn(t *testing.T) {
	r := startServer(t)
	for _, c := range []struct {
		path   string
		status int
		body   string
		header []string
	}{
		{"/healthz", 200, `"status":"ok"`, nil},
		{"/readyz", 200, `"status":"ready"`, nil},
		{"/metrics", 200, "tolmach_commit_seconds_bucket", nil},
		{"/metrics", 404, "", []string{"X-Forwarded-For", "192.0.2.1"}},
		{"/", 200, "<h1>Tolmach</h1>", nil},
		{"/no/such/path", 404, "", nil},
		{"/chatapi/webhook/zenbox/x", 404, "", nil},
	} {
		status, body := r.do(t, "GET", c.path, "", c.header...)
		if status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("GET %s answered %d %s, want %d with %q", c.path, status, body, c.status, c.body)
		}
	}
}

func TestAChangedScenarioIsServedAtOnceAndABrokenOneIsNot(t *testing.T) {
	r := startServer(t)
	r.say(t, "hello")
	eventually(t, "the first bot answers", func() bool { return r.lastSaid(t) == "one" })
	write(t, filepath.Join(r.dir, "bot.yaml"), botThatSays("two"))
	eventually(t, "the new file is applied", func() bool { return strings.Contains(r.log.String(), "setup.applied") })
	r.say(t, "hello")
	eventually(t, "the new bot answers", func() bool { return r.lastSaid(t) == "two" })
	write(t, filepath.Join(r.dir, "bot.yaml"), "states: 7")
	eventually(t, "the broken file is refused, with its place", func() bool {
		return strings.Contains(r.log.String(), "setup.refused") && strings.Contains(r.log.String(), "bot.yaml:1:9")
	})
	r.say(t, "hello?")
	eventually(t, "the bot that ran runs on", func() bool { return r.lastSaid(t) == "two" })
}

func TestASecondServerOnTheDirectoryIsRefused(t *testing.T) {
	r := startServer(t)
	err := Run(t.Context(), testConfig(r.dir), io.Discard)
	if !errors.Is(err, ErrDirInUse) {
		t.Errorf("a second server: %v", err)
	}
}

func TestCommandsReachTheRunningServer(t *testing.T) {
	r := startServer(t)
	data := filepath.Join(r.dir, "data")
	rep, err := Apply(t.Context(), ApplyOptions{Storage: config.Storage{Data: data}, File: filepath.Join(r.dir, "setup.yaml"), Log: io.Discard})
	if err != nil || len(rep.Tasks) != 1 || rep.Tasks[0].URL != r.url+"/api/1.1/wf/send_external_message" {
		t.Errorf("apply through the socket: %+v, %v", rep, err)
	}
	write(t, filepath.Join(r.dir, "taken.yaml"), "tenant: other\noperators: [{login: ann, role: admin}]\n")
	_, err = Apply(t.Context(), ApplyOptions{Storage: config.Storage{Data: data}, File: filepath.Join(r.dir, "taken.yaml"), Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "taken.yaml:2:") {
		t.Errorf("a login that is taken: %v", err)
	}
	r.do(t, "POST", "/api/1.1/wf/send_external_message", `{"chat_id":"42","message":"x"}`, "Authorization", "Bearer k-demo")
	calls, err := FailedCalls(t.Context(), data)
	if err != nil || len(calls) != 1 || calls[0].Field != "task_id" || calls[0].Actor != "api_key k" {
		t.Errorf("failed calls: %+v, %v", calls, err)
	}
	operators, err := Operators(t.Context(), config.Storage{Data: data}, io.Discard)
	if err != nil || len(operators) != 1 || operators[0].Login != "ann" {
		t.Errorf("operators: %+v, %v", operators, err)
	}
	info, err := os.Stat(filepath.Join(data, adminSocket))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v, %v", info, err)
	}
}

func TestSecretsAndTextsStayOutOfTheLog(t *testing.T) {
	r := startServer(t)
	r.say(t, "very private words")
	eventually(t, "the bot answers", func() bool { return r.lastSaid(t) == "one" })
	r.do(t, "POST", "/console/api/login", `{"login":"ann","password":"wrong-password-9"}`)
	r.do(t, "GET", "/share/0123456789abcdef0123456789abcdef", "")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"very private words", "k-demo", "wrong-password-9", "correct-horse-1", "0123456789abcdef0123456789abcdef"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestStoppedServerLeavesNothing(t *testing.T) {
	r := startServer(t)
	r.say(t, "hello")
	start := time.Now()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if unlock, err := lockDir(filepath.Join(r.dir, "data")); err != nil {
		t.Errorf("the lock is still held: %v", err)
	} else if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	r := startServer(t)
	c := testConfig(t.TempDir())
	if c.HTTP.MaxConnections != 100 {
		t.Fatal("the test expects 100")
	}
	var wg sync.WaitGroup
	for range 300 { // three times the limit, each closing: all are served in turn
		wg.Go(func() {
			req, err := http.NewRequest("GET", r.url+"/healthz", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Close = true
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("answered %d", resp.StatusCode)
			}
		})
	}
	wg.Wait()
}
