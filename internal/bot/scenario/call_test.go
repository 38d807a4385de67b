package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sent is a request as the other side sees it.
type sent struct {
	method, url, body string
	header            http.Header
}

// canned is what the other side says.
type canned struct {
	status int
	kind   string // content type
	body   string
	err    error
}

// doer answers requests without a network.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func serve(reply func(*sent) canned) Doer {
	return doer(func(r *http.Request) (*http.Response, error) {
		call := &sent{method: r.Method, url: r.URL.String(), header: r.Header}
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			call.body = string(body)
		}
		a := reply(call)
		if a.err != nil {
			return nil, &url.Error{Op: r.Method, URL: call.url, Err: a.err}
		}
		header := http.Header{}
		if a.kind != "" {
			header.Set("Content-Type", a.kind)
		}
		return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
	})
}

func TestRequest(t *testing.T) {
	for _, c := range []struct{ rule, http, method, url, body string }{
		{"get", `{get: "http://a/b"}`, "GET", "http://a/b", ""},
		{"put without a body", `{put: "https://a/b"}`, "PUT", "https://a/b", ""},
		{"a value in the path", `{get: "http://a/{{ text }}/x"}`, "GET", "http://a/1%2F2%3F%26%20%D1%91%25/x", ""},
		{"a value in the query", `{get: "http://a?q={{ text }}&n={{ vars.n }}"}`, "GET", "http://a?q=1%2F2%3F%26%20%D1%91%25&n=7", ""},
		{"a missing value", `{get: "http://a/{{ vars.none }}"}`, "GET", "http://a/", ""},
		{"json keeps types", `{post: "http://a/", json: {t: "{{ text }}", n: "{{ vars.n }}", m: "n{{ vars.n }}", l: [1, "{{ vars.list }}", {x: null, y: true, z: 1.5}]}}`,
			"POST", "http://a/", `{"l":[1,[1,"b"],{"x":null,"y":true,"z":1.5}],"m":"n7","n":7,"t":"1/2?& ё%"}`},
		{"json that is one value", `{put: "http://a/", json: "{{ vars.list }}"}`, "PUT", "http://a/", `[1,"b"]`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var got *sent
			sc := mustParse(t, one("    http: "+c.http))
			playWith(t, sc, Input{Text: "1/2?& ё%", Vars: map[string]any{"n": 7.0, "list": []any{1, "b"}}}, Effects{HTTP: serve(func(s *sent) canned {
				got = s
				return canned{status: 204}
			})})
			if got == nil || got.method != c.method || got.url != c.url || got.body != c.body {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	var got http.Header
	sc := mustParse(t, one("    http: {post: \"http://a/\", json: {}, headers: {x-token: \"{{ vars.token }}\", Accept: text/plain}}"))
	in := Input{Text: "x", Vars: map[string]any{"token": "a\r\nX-Evil: 1"}}
	playWith(t, sc, in, Effects{Key: "turn-1", HTTP: serve(func(s *sent) canned {
		got = s.header
		return canned{status: 200}
	})})
	want := http.Header{
		"Content-Type": {"application/json"}, "X-Token": {"a  X-Evil: 1"}, "Accept": {"text/plain"}, "Idempotency-Key": {"turn-1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnswers(t *testing.T) {
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, c := range []struct {
		rule   string
		answer canned
		want   string // of "status body error"
	}{
		{"JSON by its type", canned{status: 200, kind: "application/json; charset=utf-8", body: `{"state":"ready"}`}, `200 {"state":"ready"} `},
		{"JSON by a vendor's type", canned{status: 404, kind: "application/problem+json", body: `"no"`}, `404 no `},
		{"JSON by its look", canned{status: 200, kind: "text/plain; charset=utf-8", body: ` {"a":[1]} `}, `200 {"a":[1]} `},
		{"JSON without a type", canned{status: 200, body: `[1,2.50,12345678901234567]`}, `200 [1,2.5,12345678901234567] `},
		{"text", canned{status: 200, kind: "text/html", body: `{"a":1}`}, `200 {"a":1} `},
		{"text that is a number", canned{status: 200, body: `42`}, `200 42 `},
		{"nothing", canned{status: 204}, `204  `},
		{"a redirect isn't followed here", canned{status: 302, body: "moved"}, `302 moved `},
		{"bytes that aren't text", canned{status: 200, body: "a\xff\x00b"}, "200 a\uFFFDb "},
		{"broken JSON", canned{status: 200, kind: "application/json", body: `{`}, `200 { the answer says it is JSON but isn't`},
		{"JSON too deep is cut, not fatal", canned{status: 200, kind: "application/json", body: deep}, `200 ` + strings.Repeat("[", 65) + "null" + strings.Repeat("]", 65) + ` `},
		{"64 KiB", canned{status: 200, body: strings.Repeat("a", maxResponse)}, "200 " + strings.Repeat("a", maxResponse) + " "},
		{"more than 64 KiB", canned{status: 200, body: strings.Repeat("a", maxResponse+1)}, `0  the answer is longer than 64 KiB`},
		{"no connection", canned{err: errors.New("the proxy said: secret words")}, `0  no connection`},
		{"refused", canned{err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}}, `0  no connection: dial tcp: connection refused`},
		{"a late answer", canned{err: context.DeadlineExceeded}, `0  no answer in time`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			sc := mustParse(t, one("    http: {get: \"http://a/{{ text }}\", into: x}\n    set: {a: \"{{ x.status }} {{ x.body }} {{ x.error }}\"}"))
			out := playWith(t, sc, Input{Text: "confidential"}, Effects{HTTP: serve(func(*sent) canned { return c.answer })})
			want := c.want
			if len(want) > maxText {
				want = want[:maxText]
			}
			if out.Vars["a"] != want {
				t.Errorf("got %.300q, want %.300q", out.Vars["a"], want)
			}
			if notes := strings.Join(out.Notes, "\n"); strings.Contains(notes, "confidential") || strings.Contains(notes, "secret") {
				t.Errorf("the notes tell a text: %q", notes)
			}
		})
	}
}

func TestCallsThatAreNotSent(t *testing.T) {
	for _, c := range []struct{ rule, url, text, want string }{
		{"one dot", "http://a/b/{{ text }}/c", ".", ". or .."},
		{"two dots", "http://a/b/{{ text }}", "..", ". or .."},
		{"dots in pieces", "http://a/{{ match[0] }}{{ text }}/c", ".", ". or .."},
		{"dots in the file", "http://a/../{{ text }}", "b", ". or .."},
		{"too long", "http://a/{{ text }}", strings.Repeat("a", 4001), "longer than 4,000 bytes"},
	} {
		sc := mustParse(t, one("    http: {get: \""+c.url+"\", into: x}\n    set: {e: \"{{ x.error }}\", s: \"{{ x.status }}\"}"))
		out := playWith(t, sc, Input{Text: c.text}, Effects{HTTP: serve(func(s *sent) canned {
			t.Errorf("%s: %s was sent", c.rule, s.url)
			return canned{status: 200}
		})})
		if e, _ := out.Vars["e"].(string); !strings.Contains(e, c.want) || out.Vars["s"] != 0 {
			t.Errorf("%s: got %v", c.rule, out.Vars)
		}
	}
	out := play(t, mustParse(t, one("    http: {get: \"http://a/\", into: x}\n    set: {e: \"{{ x.error }}\"}")), Input{Text: "x"})
	if out.Vars["e"] != "HTTP calls are switched off here" {
		t.Errorf("without a client: %v", out.Vars)
	}
	big := mustParse(t, one("    http: {post: \"http://a/\", into: x, json: ["+strings.TrimSuffix(strings.Repeat("\"{{ text }}\",", 5), ",")+"]}\n    set: {e: \"{{ x.error }}\"}"))
	out = playWith(t, big, Input{Text: strings.Repeat("a", maxText)}, Effects{HTTP: serve(func(*sent) canned { return canned{status: 200} })})
	if e, _ := out.Vars["e"].(string); !strings.Contains(e, "256 KiB") {
		t.Errorf("a body of 320 KiB: %v", out.Vars)
	}
}

func TestTimeout(t *testing.T) {
	for _, c := range []struct {
		timeout string
		want    time.Duration
	}{{", timeout: 3s", 3 * time.Second}, {"", 5 * time.Second}, {", timeout: 10s", 10 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			sc := mustParse(t, one("    http: {get: \"http://a/\", into: x"+c.timeout+"}\n    set: {e: \"{{ x.error }}\"}"))
			began := time.Now()
			out := playWith(t, sc, Input{Text: "x"}, Effects{HTTP: doer(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})})
			if took := time.Since(began); took != c.want || out.Vars["e"] != "no answer in time" {
				t.Errorf("ended after %s with %v, want %s", took, out.Vars, c.want)
			}
		})
	}
}

func TestEndOfTheTurnDuringACallIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	sc := mustParse(t, one("    http: {get: \"http://a/\", into: x}"))
	_, err := sc.Turn(ctx, Input{Text: "x"}, Effects{HTTP: doer(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
