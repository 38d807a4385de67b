package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newReceiver(t *testing.T, c ReceiverConfig) *Receiver {
	t.Helper()
	if c.Now == nil {
		c.Now = func() time.Time { return at }
	}
	r, err := NewReceiver(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// call hands the receiver a POST with a body and headers (name, value, …) and returns the status.
func call(r *Receiver, path, body string, headers ...string) int {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Code
}

func signed(t *testing.T, id, body, secret string) []string {
	t.Helper()
	signature, err := Sign(id, at, []byte(body), secret)
	if err != nil {
		t.Fatal(err)
	}
	return []string{HeaderID, id, HeaderTimestamp, strconv.FormatInt(at.Unix(), 10), HeaderSignature, signature}
}

func TestReceiverShowsCallsToPeople(t *testing.T) {
	var out bytes.Buffer
	r := newReceiver(t, ReceiverConfig{Out: &out, Secrets: []string{vectorSecret}})
	const body = `{"text":"Привет","n":[1,2]}`
	call(r, "/hook?token=s3cr3t", body, signed(t, "evt_1", body, vectorSecret)...)
	call(r, "/hook", body, signed(t, "evt_1", body, "another")...)
	call(r, "/hook", "")
	want := `#1  12:00:00.000  POST /hook
    webhook-id evt_1, try 1
    signature ok
    answered 200
{
  "text": "Привет",
  "n": [
    1,
    2
  ]
}

#2  12:00:00.000  POST /hook
    webhook-id evt_1, try 2
    signature wrong: the webhook-signature does not fit the secret and the body
    answered 200
{
  "text": "Привет",
  "n": [
    1,
    2
  ]
}

#3  12:00:00.000  POST /hook
    signature none
    answered 200
(no body)

`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestReceiverShowsCallsAsJSONLines(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{"{\n \"a\": \"<b>\" }", `"body":{"a":"<b>"}`},
		{"a=1&b=2", `"text":"a=1&b=2"`},
		{"{\"a\":\"\u009b\U000e0001😀\"}", `"body":{"a":"\u009b\udb40\udc01😀"}`},
		{"\xff\x00", `"base64":"/wA="`},
		{"{\"a\":\"\xff\"}", `"base64":"eyJhIjoi/yJ9"`},
		{"", ``},
	} {
		var out bytes.Buffer
		r := newReceiver(t, ReceiverConfig{Out: &out, JSON: true, Statuses: []int{503}})
		call(r, "/hook", tt.body, append(signed(t, "evt_1", tt.body, vectorSecret), "Content-Type", "text/x")...)
		want := `{"n":1,"at":"2026-03-01T12:00:00Z","method":"POST","path":"/hook","webhookId":"evt_1","try":1,` +
			`"signature":"unchecked","why":"no secret given","status":503,"contentType":"text/x"`
		if tt.want != "" {
			want += "," + tt.want
		}
		if out.String() != want+"}\n" {
			t.Errorf("got %s\nwant %s}", out.String(), want)
		}
	}
}

func TestReceiverVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		secrets []string
		now     time.Time
		headers []string
		want    string
	}{
		{"right", []string{vectorSecret}, at, signed(t, "evt_1", "x", vectorSecret), "ok"},
		{"one of two secrets", []string{"other", vectorSecret}, at, signed(t, "evt_1", "x", vectorSecret), "ok"},
		{"other secret", []string{"other"}, at, signed(t, "evt_1", "x", vectorSecret), "wrong"},
		{"other body", []string{vectorSecret}, at, signed(t, "evt_1", "y", vectorSecret), "wrong"},
		{"old", []string{vectorSecret}, at.Add(time.Hour), signed(t, "evt_1", "x", vectorSecret), "wrong"},
		{"signature without an id", []string{vectorSecret}, at, []string{HeaderSignature, "v1,x"}, "wrong"},
		{"unsigned", []string{vectorSecret}, at, []string{HeaderID, "evt_1", HeaderTimestamp, "1"}, "none"},
		{"unsigned, no secret", nil, at, nil, "none"},
		{"no secret", nil, at, signed(t, "evt_1", "x", vectorSecret), "unchecked"},
	} {
		var out bytes.Buffer
		r := newReceiver(t, ReceiverConfig{Out: &out, Secrets: tt.secrets, Now: func() time.Time { return tt.now }})
		call(r, "/", "x", tt.headers...)
		_, rest, _ := strings.Cut(out.String(), "signature ")
		if got := strings.FieldsFunc(rest, func(c rune) bool { return c == '\n' || c == ':' })[0]; got != tt.want {
			t.Errorf("%s: signature %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestReceiverAnswersItsStatuses(t *testing.T) {
	for list, want := range map[string][]int{"200": {200, 200}, "503, 503,200": {503, 503, 200, 200}, "410": {410, 410}, "204,302": {204, 302, 302}} {
		statuses, err := ParseStatuses(list)
		if err != nil {
			t.Fatal(err)
		}
		r := newReceiver(t, ReceiverConfig{Out: io.Discard, Statuses: statuses})
		for i, status := range want {
			if got := call(r, "/", "{}"); got != status {
				t.Errorf("%s: answer %d is %d, want %d", list, i+1, got, status)
			}
		}
	}
	for _, list := range []string{"", ",", "200,", "ok", "100", "101", "600", "-1", "200 503"} {
		if statuses, err := ParseStatuses(list); err == nil {
			t.Errorf("%q was read as %v", list, statuses)
		}
	}
}

func TestReceiverShowsOnlyThePath(t *testing.T) {
	for _, root := range []string{"/chatapi", "/chatapi/"} {
		var out bytes.Buffer
		r := newReceiver(t, ReceiverConfig{Out: &out, Path: root, Statuses: []int{503, 200}})
		if call(r, "/other", "{}") != 503 || call(r, "/chatapi", "{}") != 200 {
			t.Error("a call that is not shown must be answered like any other")
		}
		call(r, "/chatapix", "{}")
		call(r, "/chatapi/in", "{}")
		if got := out.String(); strings.Count(got, "#") != 2 || !strings.Contains(got, "POST /chatapi\n") || !strings.Contains(got, "POST /chatapi/in\n") {
			t.Errorf("%s: %s", root, got)
		}
	}
}

func TestReceiverDelaysItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := newReceiver(t, ReceiverConfig{Out: &out, Delay: 3 * time.Second, Now: time.Now})
		start := time.Now()
		call(r, "/", "{}")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}

func TestReceiverLimitsTheBody(t *testing.T) {
	var out bytes.Buffer
	r := newReceiver(t, ReceiverConfig{Out: &out})
	if status := call(r, "/", strings.Repeat("x", 1<<20)); status != 200 {
		t.Errorf("1 MiB: %d", status)
	}
	out.Reset()
	if status := call(r, "/", strings.Repeat("x", 1<<20+1)); status != 413 {
		t.Errorf("more than 1 MiB: %d", status)
	}
	if !strings.Contains(out.String(), "over 1 MiB") || out.Len() > 1000 {
		t.Errorf("%.200s", out.String())
	}
}

func TestReceiverShowsABodyThatBrokeOff(t *testing.T) {
	var out bytes.Buffer
	r := newReceiver(t, ReceiverConfig{Out: &out})
	req := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("half"), brokenReader{}))
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	if w.Code != 400 || !strings.Contains(out.String(), "broke off") {
		t.Errorf("%d %s", w.Code, out.String())
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReceiverIsSafeToLookAt(t *testing.T) {
	var out bytes.Buffer
	r := newReceiver(t, ReceiverConfig{Out: &out})
	call(r, "/%1b%0a", "{\"a\":\"\u009b31m\u202e\"}", HeaderID, "evt\u202e\x1b[2J")
	call(r, "/", "\x1b[2J\rred")
	call(r, "/", "\xff\xfe", "Content-Type", "image/\x1bpng")
	got := out.String()
	if strings.ContainsAny(got, "\x1b\r\u009b\u202e") {
		t.Errorf("%q", got)
	}
	for _, part := range []string{`/%1b%0a`, `\u009b31m\u202e`, `\u001b[2J\u000dred`, `(2 bytes of image/\u001bpng)`} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %q", part, got)
		}
	}
}

func TestReceiverDoesNotMultiplyABody(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("0,", 30000) + "0" + strings.Repeat("]", 100)
	decoy := `["]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\"]]]]]]]",` + deep + "]"
	wide := "[" + strings.Repeat("0,", 100000) + "0]"
	for _, body := range []string{deep, decoy, wide} {
		var out bytes.Buffer
		call(newReceiver(t, ReceiverConfig{Out: &out}), "/", body)
		if out.Len() > len(body)+1000 {
			t.Errorf("%d bytes became %d", len(body), out.Len())
		}
	}
}

func TestReceiverForgetsOldIDs(t *testing.T) {
	counter := newTryCounter()
	for i := range triesKept + 1 {
		if try := counter.next(strconv.Itoa(i)); try != 1 {
			t.Fatalf("id %d: try %d", i, try)
		}
	}
	if len(counter.counts) != triesKept || len(counter.order) != triesKept {
		t.Errorf("%d ids are kept", len(counter.counts))
	}
	if counter.next("0") != 1 || counter.next(strconv.Itoa(triesKept)) != 2 || counter.next("0") != 2 || counter.next("") != 1 || counter.next("") != 1 {
		t.Error("the wrong id was forgotten")
	}
}

func TestNewReceiverChecksItsConfiguration(t *testing.T) {
	now := func() time.Time { return at }
	for name, c := range map[string]ReceiverConfig{
		"secret": {Out: io.Discard, Now: now, Secrets: []string{"whsec_!"}},
		"status": {Out: io.Discard, Now: now, Statuses: []int{101}},
		"writer": {Now: now},
		"clock":  {Out: io.Discard},
	} {
		if _, err := NewReceiver(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// run starts a receiver and returns its URL, and what ends it and gives Run's error.
func run(t *testing.T, r *Receiver) (url string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, l) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() }) // the tests that care call it themselves
	return "http://" + l.Addr().String(), stop
}

func TestReceiverMeetsTheSender(t *testing.T) {
	var out bytes.Buffer
	url, stop := run(t, newReceiver(t, ReceiverConfig{Out: &out, JSON: true, Secrets: []string{vectorSecret}, Statuses: []int{503, 200}}))
	sender := newSender(t, loopback())
	r := request(url + "/in")
	r.Secrets = []string{"newer", vectorSecret}
	for i, want := range []Class{Retry, Delivered} {
		if reply := sender.Send(context.Background(), r); reply.Class != want {
			t.Errorf("try %d: %v %v", i+1, reply.Class, reply.Err)
		}
	}
	var calls sync.WaitGroup
	for i := range 20 {
		r := r
		r.ID = "evt_p" + strconv.Itoa(i)
		calls.Go(func() { sender.Send(context.Background(), r) })
	}
	calls.Wait()
	sender.client.Close() // also the connections that were opened and never used
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 22 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var rec record
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatal(err)
		}
		if rec.N != i+1 || rec.Signature != "ok" || string(rec.Body) != `{"a":1}` || i == 1 && rec.Try != 2 {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
}

func TestReceiverStopsInTheMiddleOfADelay(t *testing.T) {
	shown := make(chan struct{})
	url, stop := run(t, newReceiver(t, ReceiverConfig{Out: writerFunc(func(p []byte) (int, error) {
		close(shown)
		return len(p), nil
	}), Delay: time.Hour, Statuses: []int{503}}))
	replies := make(chan Reply)
	sender := newSender(t, loopback())
	go func() { replies <- sender.Send(context.Background(), request(url)) }()
	<-shown
	go stop() // checked below
	if reply := <-replies; reply.Status != 503 {
		t.Errorf("%d %v, want the status it was told", reply.Status, reply.Err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestReceiverEndsWhenItCannotShow(t *testing.T) {
	full := errors.New("the pipe is closed")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t, ReceiverConfig{Out: writerFunc(func([]byte) (int, error) { return 0, full }), Delay: time.Hour})
	ended := make(chan error, 1)
	go func() { ended <- r.Run(context.Background(), l) }()
	if reply := newSender(t, loopback()).Send(context.Background(), request("http://"+l.Addr().String())); reply.Class != Delivered {
		t.Errorf("the call under way was cut off: %v", reply.Err)
	}
	if err := <-ended; !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

func TestReceiverEndsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := newReceiver(t, ReceiverConfig{Out: io.Discard}).Run(context.Background(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
