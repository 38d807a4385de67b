package selarti_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// refusal is a request to send_external_message and the answer it must get;
// text is how the message begins.
type refusal struct {
	body, kind    string
	header        map[string]string
	status        int
	keyword, text string
}

// with writes a good body with one field changed, added or, by "", left out.
func (s *site) with(field, value string) string {
	values := map[string]string{"task_id": s.quotedID("shop"), "chat_id": `"1"`, "message": `"x"`}
	values[field] = value
	var pairs []string
	for k, v := range values {
		if v != "" {
			pairs = append(pairs, fmt.Sprintf("%q:%s", k, v))
		}
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// quotedID is the id of acme's task as JSON.
func (s *site) quotedID(task string) string {
	return `"` + selarti.TaskID(s.Task(s.Acme.Tenant.ID, task).Task) + `"`
}

func missing(param string) string {
	return "Missing parameter for workflow send_external_message: parameter " + param
}

func wrong(param string) string {
	return "Invalid parameter for workflow send_external_message: parameter " + param + ": "
}

// refusals are the bodies that are wrong, and those over a limit.
func refusals(s *site) []map[string]refusal {
	return []map[string]refusal{wrongBodies(s), largeBodies(s)}
}

func wrongBodies(s *site) map[string]refusal {
	return map[string]refusal{
		"no message":           {body: s.with("message", ""), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"an empty message":     {body: s.with("message", `""`), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"null for the message": {body: s.with("message", "null"), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"no task":              {body: s.with("task_id", ""), status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"no chat":              {body: s.with("chat_id", ""), status: 400, keyword: "MISSING_DATA", text: missing("chat_id")},
		"an empty chat":        {body: s.with("chat_id", `""`), status: 400, keyword: "MISSING_DATA", text: missing("chat_id")},
		"an empty body":        {body: "", status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"an empty form":        {body: "x=1", kind: "application/x-www-form-urlencoded", status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"an object, message":   {body: s.with("message", `{"a":1}`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a list, message":      {body: s.with("message", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a boolean, message":   {body: s.with("message", `true`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a list, text":         {body: s.with("text", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("text")},
		"a number, task":       {body: s.with("task_id", `1721129985149`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"an object, task":      {body: s.with("task_id", `{}`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"two different tasks":  {body: s.with("task", s.quotedID("given")), status: 400, keyword: "INVALID_DATA", text: wrong("task")},
		"two different texts":  {body: s.with("text", `"y"`), status: 400, keyword: "INVALID_DATA", text: wrong("text")},
		"a fraction, chat":     {body: s.with("chat_id", `1.5`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"an exponent, chat":    {body: s.with("chat_id", `1e5`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"a boolean, chat":      {body: s.with("chat_id", `false`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"an object, name":      {body: s.with("name", `{}`), status: 400, keyword: "INVALID_DATA", text: wrong("name")},
		"a list, contacts":     {body: s.with("contacts", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("contacts")},
		"a list, phone":        {body: s.with("phone", `[1]`), status: 400, keyword: "INVALID_DATA", text: wrong("phone")},
		"NUL in the message":   {body: s.with("message", `"a\u0000"`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"not UTF-8":            {body: "{\"message\":\"\xff\"}", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a key twice":          {body: `{"message":"a","message":"b"}`, status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a form field twice":   {body: "message=a&message=b", kind: "application/x-www-form-urlencoded", status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"deep nesting":         {body: s.with("x", strings.Repeat("[", 100)+strings.Repeat("]", 100)), status: 400, keyword: "INVALID_DATA", text: wrong("x")},
		"not JSON":             {body: "hello", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a list":               {body: "[]", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"cut off":              {body: `{"task_id":"`, status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"an unknown type":      {body: "<a/>", kind: "application/xml", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a multipart form":     {body: "--b--", kind: "multipart/form-data; boundary=b", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"another charset":      {body: s.with("x", "1"), kind: "application/json; charset=koi8-r", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"compressed":           {body: s.with("x", "1"), header: map[string]string{"Content-Encoding": "gzip"}, status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"an unknown task":      {body: s.with("task_id", `"1721129985149x478019552540622851"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"no id at all":         {body: s.with("task_id", `"shop"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"another company's":    {body: s.with("task_id", `"`+selarti.TaskID(s.Rival.Task.Task)+`"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a stopped task":       {body: s.with("task_id", s.quotedID("stopped")), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a completed task":     {body: s.with("task_id", s.quotedID("completed")), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a key not UTF-8":      {body: s.with("x", "1"), header: map[string]string{"Idempotency-Key": "\xff"}, status: 400, keyword: "INVALID_DATA", text: wrong("Idempotency-Key")},
	}
}

func largeBodies(s *site) map[string]refusal {
	return map[string]refusal{
		"a long text":           {body: s.with("message", `"`+strings.Repeat("x", 64<<10+1)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("message")},
		"a long chat":           {body: s.with("chat_id", `"`+strings.Repeat("1", 513)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("chat_id")},
		"a long name":           {body: s.with("name", `"`+strings.Repeat("x", 4001)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("name")},
		"much metadata":         {body: s.with("x", `"`+strings.Repeat("x", 64<<10)+`"`), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a large body":          {body: s.with("x", `"`+strings.Repeat("x", maxBody)+`"`), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a large body, no JSON": {body: strings.Repeat("x", maxBody+1), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a long key":            {body: s.with("x", "1"), header: map[string]string{"Idempotency-Key": strings.Repeat("k", 257)}, status: 413, keyword: "TOO_LARGE", text: wrong("Idempotency-Key")},
	}
}

// E6 and everything else that is refused: the shape, the words, and that
// nothing is made.
func TestSendRefuses(t *testing.T) {
	s := newSite(t, func(setup *chat.Setup) {
		setup.Tasks = append(setup.Tasks,
			chat.Task{Name: "stopped", Channel: "messenger", Bot: "demo", Status: chat.TaskStopped},
			chat.Task{Name: "completed", Channel: "messenger", Bot: "demo", Status: chat.TaskCompleted})
	})
	for _, list := range refusals(s) {
		for name, tt := range list {
			t.Run(name, func(t *testing.T) { s.refuses(t, tt) })
		}
	}
	if list := s.conversations(t); len(list) != 0 {
		t.Errorf("%d conversations were made", len(list))
	}
}

func (s *site) refuses(t *testing.T, tt refusal) {
	t.Helper()
	a := wiretest.Ask{
		Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token, Body: tt.body, Type: tt.kind, Header: tt.header,
	}.Do(t, s.mux).Must(tt.status)
	message, _ := a.At("body", "message").(string)
	if a.At("statusCode") != float64(tt.status) || a.At("body", "status") != tt.keyword || !strings.HasPrefix(message, tt.text) {
		t.Errorf("answered %s; want %s %q…", a.Body, tt.keyword, tt.text)
	}
	if tt.keyword == "MISSING_DATA" && message != tt.text {
		t.Errorf("the message is %q, want %q exactly", message, tt.text)
	}
	if len(message) > 600 {
		t.Errorf("the message repeats %d bytes", len(message))
	}
}

// The bad token has a shape of its own (specs/selarti.md §3.1).
func TestBadTokens(t *testing.T) {
	s := newSite(t)
	share := func() string {
		s.send(t, s.fields("")).Must(http.StatusOK)
		return s.conversations(t)[0].ShareToken
	}()
	expired := s.token
	s.Clock.Advance(24 * time.Hour)
	for _, workflow := range []string{"send_external_message", "add_target"} {
		for name, token := range map[string]string{"wrong": "nonsense", "expired": expired, "none": "", "long": strings.Repeat("x", 900)} {
			a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + workflow, Token: token, Body: s.fields("")}.Do(t, s.mux).Must(http.StatusUnauthorized)
			code, _ := a.At("args", "code").(string)
			said, _ := a.At("translation").(string)
			if a.At("error_class") != "Unauthorized" || !vendorForm.MatchString(code) || a.At("statusCode") != nil ||
				!strings.HasPrefix(said, "Invalid or expired token: "+token[:min(len(token), 100)]) || len(said) > 300 || !strings.Contains(a.Body, `"message":null`) {
				t.Errorf("%s, %s: %s", workflow, name, a.Body)
			}
		}
		// A share link reads only (specs/selarti.md §6, E7).
		a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + workflow, Token: share, Body: s.fields("")}.Do(t, s.mux).Must(http.StatusForbidden)
		if a.At("body", "status") != "FORBIDDEN" {
			t.Error(a.Body)
		}
	}
	if got := s.conversations(t)[0].Messages; got != 1 {
		t.Errorf("%d messages", got)
	}
}

// Which credential may call what: the scope decides, not the kind.
func TestScopes(t *testing.T) {
	s := newSite(t)
	operator := func(name string) string {
		token, _, err := s.Login(t.Context(), name, wiretest.Password, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for token, status := range map[string]int{
		"key-all": 200, "key-bridge": 200, "key-reader": 403, "key-worker": 403, "key-sender": 403,
		operator("ann"): 403, operator("sue"): 403, operator("root"): 200,
		issue(t, newTokens(s.World), "key-bridge"): 200, issue(t, newTokens(s.World), "key-reader"): 403,
		// A rival's key is good, but knows no such task.
		"key-all-rival": 400, "key-reader-rival": 400,
	} {
		task := selarti.TaskID(s.Acme.Task.Task)
		for path, body := range map[string]string{
			"send_external_message": s.fields(""), "add_target": fmt.Sprintf(`{"task":%q,"target":"@anna"}`, task),
		} {
			a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + path, Token: token, Body: body}.Do(t, s.mux)
			if a.Status != status || status == 403 && a.At("body", "status") != "FORBIDDEN" {
				t.Errorf("%s with %.10s…: %d %s, want %d", path, token, a.Status, a.Body, status)
			}
		}
	}
}

func TestAuthRefuses(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		body    string
		status  int
		keyword string
	}{
		"no key":           {`{}`, 400, "MISSING_DATA"},
		"a wrong key":      {`{"key":"k-demo"}`, 401, "UNAUTHORIZED"},
		"a key's hash":     {`{"key":"` + chat.HashToken("key-all") + `"}`, 401, "UNAUTHORIZED"},
		"a list for a key": {`{"key":["key-all"]}`, 400, "INVALID_DATA"},
	} {
		a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/auth", Body: tt.body}.Do(t, s.mux).Must(tt.status)
		if a.At("body", "status") != tt.keyword || a.At("statusCode") != float64(tt.status) {
			t.Errorf("%s: %s", name, a.Body)
		}
		if tt.keyword == "MISSING_DATA" && a.At("body", "message") != "Missing parameter for workflow auth: parameter key" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
}

func TestUnknownWorkflowsAndMethods(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"close_dialog", "auth/x", "", "send_external_message2", strings.Repeat("x", 5000), "%ff%00"} {
		for _, method := range []string{"POST", "GET"} {
			a := wiretest.Ask{Method: method, Path: "/api/1.1/wf/" + name, Token: s.token}.Do(t, s.mux).Must(http.StatusNotFound)
			if a.At("statusCode") != 404.0 || a.At("body", "status") != "NOT_FOUND" || len(a.Body) > 500 {
				t.Errorf("%.20q: %s", name, a.Body)
			}
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		a := wiretest.Ask{Method: method, Path: "/api/1.1/wf/send_external_message", Token: s.token}.Do(t, s.mux).Must(http.StatusMethodNotAllowed)
		if a.Header.Get("Allow") != "POST" || a.At("body", "status") != "METHOD_NOT_ALLOWED" {
			t.Errorf("%s: %s", method, a.Body)
		}
	}
}

// Texts, names and tokens never reach the log; why a call failed does.
func TestLogIsDiscreet(t *testing.T) {
	s := newSite(t)
	post := func(path, token, body string, status int) {
		t.Helper()
		wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + path, Token: token, Body: body}.Do(t, s.calls).Must(status)
	}
	post("send_external_message", s.token, s.fields(`,"name":"Anna Petrova"`), http.StatusOK)
	post("send_external_message", s.token, strings.Replace(s.fields(`,"x":"secret words"`), "chat_id", "y", 1), http.StatusBadRequest)
	post("send_external_message", s.token, s.fields(`,"phone":["secret words"]`), http.StatusBadRequest)
	post("add_target", "some-token-of-mine", `{"target":"Anna"}`, http.StatusUnauthorized)
	post("auth", "", `{"key":"some-token-of-mine"}`, http.StatusUnauthorized)
	post("auth/some-token-of-mine", "", "", http.StatusNotFound)
	for _, word := range []string{"Sunday", "Anna", "secret", "some-token", s.token, "123456789"} {
		if strings.Contains(s.Log.String(), word) {
			t.Errorf("%q is in the log: %s", word, s.Log)
		}
	}
	for _, reason := range []string{"parameter chat_id", "field=phone", "code=unauthorized", "status=401", "api_key all"} {
		if !strings.Contains(s.Log.String(), reason) {
			t.Errorf("%q is not in the log: %s", reason, s.Log)
		}
	}
}
