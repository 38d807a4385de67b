package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Ask is one request to a handler. The zero values are GET, no body and the
// address 192.0.2.1.
type Ask struct {
	Method string
	Path   string
	Query  string // raw; else what Path says
	Token  string // bearer
	Body   string
	Type   string // Content-Type; "" with a body: application/json; "-": none
	Header map[string]string
	From   string // host:port
}

// Answer is what came back.
type Answer struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   string
}

// Do asks the handler.
func (a Ask) Do(t testing.TB, h http.Handler) Answer {
	t.Helper()
	method := a.Method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, a.Path, strings.NewReader(a.Body))
	if a.From != "" {
		r.RemoteAddr = a.From
	}
	a.dress(r)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	answer, err := answerOf(t, rec.Result())
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// answerOf reads a response to its end.
func answerOf(t testing.TB, res *http.Response) (Answer, error) {
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return Answer{}, err
	}
	return Answer{t: t, Status: res.StatusCode, Header: res.Header, Body: string(body)}, nil
}

// dress gives a request the query and the headers.
func (a Ask) dress(r *http.Request) {
	if a.Query != "" {
		r.URL.RawQuery = a.Query
	}
	if a.Token != "" {
		r.Header.Set("Authorization", "Bearer "+a.Token)
	}
	switch {
	case a.Type == "-":
	case a.Type != "":
		r.Header.Set("Content-Type", a.Type)
	case a.Body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range a.Header {
		r.Header.Set(name, value)
	}
}

// Must fails the test unless the answer has the status.
func (a Answer) Must(status int) Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// Into decodes the JSON body.
func (a Answer) Into(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		a.t.Fatalf("the answer is not the JSON that was expected: %v: %s", err, a.Body)
	}
}

// At returns the value at a path of keys in the JSON body, nil when there is
// none.
func (a Answer) At(keys ...string) any {
	a.t.Helper()
	var v any
	a.Into(&v)
	for _, key := range keys {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

// Took decodes the body of an acknowledgement; the error of another answer than
// 200 says what it was.
func (a Answer) Took(into any) error {
	if a.Status != http.StatusOK {
		return fmt.Errorf("answered %d %s", a.Status, a.Body)
	}
	return json.Unmarshal([]byte(a.Body), into)
}
