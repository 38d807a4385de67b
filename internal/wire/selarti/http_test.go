package selarti_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

const maxBody = 256 << 10

// site is the dialect served over a world.
type site struct {
	*wiretest.World
	mux   *http.ServeMux
	calls http.Handler // mux behind the inbound-call log
	token string       // of acme's key with every scope
}

func newSite(t testing.TB, edits ...func(*chat.Setup)) *site {
	t.Helper()
	w := wiretest.New(t, edits...)
	tokens := newTokens(w)
	d, err := selarti.New(selarti.Options{
		Service: w.Service, Auth: w.Gate(tokens), Tokens: tokens, MaxBody: maxBody, Now: w.Clock.Now, Random: rand.Reader,
		Aliases: map[string]string{"send-message-v2": "send_external_message"}, Log: w.Log.Logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{World: w, mux: http.NewServeMux(), token: issue(t, tokens, "key-all")}
	d.Register(s.mux)
	s.calls = inbound.New(w.Log.Logger(), w.Clock.Now, func(*http.Request) string { return "192.0.2.1" }, nil).Middleware(s.mux)
	return s
}

// send posts a JSON body to send_external_message.
func (s *site) send(t testing.TB, body string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token, Body: body}.Do(t, s.mux)
}

// fields writes a body with the three required fields and whatever else.
func (s *site) fields(extra string) string {
	return fmt.Sprintf(`{"task_id":%q,"chat_id":"123456789","message":"Do you deliver on Sunday?"%s}`, selarti.TaskID(s.Acme.Task.Task), extra)
}

// conversations lists acme's, with the last message and the client.
func (s *site) conversations(t testing.TB) []chat.Listed {
	t.Helper()
	list, err := s.Conversations(t.Context(), s.Actor(s.Acme), chat.ConversationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// E1: the token of auth, then a message.
func TestAuthThenSend(t *testing.T) {
	s := newSite(t)
	a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/auth", Body: `{"key":"key-bridge"}`}.Do(t, s.mux).Must(http.StatusOK)
	token, _ := a.At("response", "token").(string)
	if a.At("status") != "success" || !strings.HasPrefix(token, "bus|") || a.At("response", "expires") != 86400.0 {
		t.Fatalf("auth answered %s", a.Body)
	}
	user, _ := a.At("response", "user_id").(string)
	if !vendorForm.MatchString(user) || !strings.Contains(token, user) {
		t.Errorf("user_id %q", user)
	}
	sent := wiretest.Ask{
		Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: token, Body: s.fields(`,"name":"Anna Petrova"`),
	}.Do(t, s.mux).Must(http.StatusOK)
	if sent.At("status") != "success" {
		t.Errorf("answered %s", sent.Body)
	}
	list := s.conversations(t)
	if len(list) != 1 || list[0].ExternalID != "123456789" || list[0].Client.Title() != "Anna Petrova" ||
		list[0].LastMessage.Content.Text != "Do you deliver on Sunday?" || list[0].LastMessage.Author != chat.AuthorClient {
		t.Fatalf("stored %+v", list)
	}
	if got := sent.At("response", "thread_id"); got != selarti.BubbleID(list[0].CreatedAt, list[0].Conversation.ID) {
		t.Errorf("thread_id %v", got)
	}
	if got := sent.At("response", "message_id"); got != selarti.BubbleID(list[0].LastMessage.At, list[0].LastMessage.ID) {
		t.Errorf("message_id %v", got)
	}
}

// One chat_id is one dialog, however it is written and sent.
func TestChatIDJoinsTheDialog(t *testing.T) {
	s := newSite(t)
	task := selarti.TaskID(s.Acme.Task.Task)
	thread := func(a wiretest.Answer) any { return a.Must(http.StatusOK).At("response", "thread_id") }
	first := thread(s.send(t, s.fields("")))
	for name, ask := range map[string]wiretest.Ask{
		"a number":              {Body: fmt.Sprintf(`{"task_id":%q,"chat_id":123456789,"message":"x"}`, task)},
		"form-encoded":          {Type: "application/x-www-form-urlencoded", Body: "task_id=" + task + "&chat_id=123456789&message=x+y"},
		"a form with a charset": {Type: "application/x-www-form-urlencoded; charset=UTF-8", Body: "task_id=" + task + "&chat_id=123456789&message=x"},
		"JSON typed as a form":  {Type: "application/x-www-form-urlencoded", Body: " " + s.fields("")},
		"JSON typed as text":    {Type: "text/plain", Body: s.fields("")},
		"JSON without a type":   {Type: "-", Body: s.fields("")},
		"a form without a type": {Type: "-", Body: "task_id=" + task + "&chat_id=123456789&message=x"},
		"a type of its own":     {Type: "application/vnd.x+json", Body: s.fields("")},
		"a byte order mark":     {Body: "\ufeff" + s.fields("")},
	} {
		ask.Method, ask.Path, ask.Token = "POST", "/api/1.1/wf/send_external_message", s.token
		if got := thread(ask.Do(t, s.mux)); got != first {
			t.Errorf("%s: thread %v, want %v", name, got, first)
		}
	}
	if other := thread(s.send(t, strings.Replace(s.fields(""), "123456789", "987654321", 1))); other == first {
		t.Error("another chat_id must be another dialog")
	}
}

func TestChatIDIsTakenAsWritten(t *testing.T) {
	s := newSite(t)
	for written, want := range map[string]string{
		`123456789012345678901`: "123456789012345678901",
		`-1001234567890`:        "-1001234567890",
		`"007"`:                 "007",
		`" a b "`:               " a b ",
		`"1e5"`:                 "1e5",
		`"Юзер"`:                "Юзер",
		`0`:                     "0",
	} {
		s.send(t, strings.Replace(s.fields(""), `"123456789"`, written, 1)).Must(http.StatusOK)
		list := s.conversations(t)
		if got := list[len(list)-1].ExternalID; got != want {
			t.Errorf("%s became %q", written, got)
		}
	}
}

func TestParameterAliases(t *testing.T) {
	s := newSite(t)
	task := selarti.TaskID(s.Acme.Task.Task)
	n := 0
	try := func(params string) chat.Listed {
		n++
		s.send(t, fmt.Sprintf(`{"chat_id":"%d",%s}`, n, params)).Must(http.StatusOK)
		list := s.conversations(t)
		return list[len(list)-1]
	}
	required := fmt.Sprintf(`"task_id":%q,"message":"hi"`, task)
	for _, params := range []string{
		fmt.Sprintf(`"task_id":%q,"message":"hi"`, task), fmt.Sprintf(`"task":%q,"text":"hi"`, task),
		fmt.Sprintf(`"task":%q,"message_text":"hi"`, task), fmt.Sprintf(`"task":%q,"task_id":%q,"message":"hi","text":"hi"`, task, task),
		fmt.Sprintf(`"task_id":%q,"message":null,"text":"hi"`, task),
	} {
		if got := try(params); got.LastMessage.Content.Text != "hi" || len(got.Client.Metadata) != 0 {
			t.Errorf("%s: stored %+v, metadata %v", params, got.LastMessage.Content, got.Client.Metadata)
		}
	}
	if got := try(fmt.Sprintf(`"task_id":%q,"message":42`, task)); got.LastMessage.Content.Text != "42" {
		t.Errorf("a number as the message: %q", got.LastMessage.Content.Text)
	}
	for _, name := range []string{"name", "title", "fio", "full_name"} {
		if got := try(required + fmt.Sprintf(`,%q:"Anna Petrova"`, name)); got.Client.Title() != "Anna Petrova" {
			t.Errorf("%s: the title is %q", name, got.Client.Title())
		}
	}
	for _, tt := range []struct{ params, field, want string }{
		{`"username":"@anna"`, "username", "@anna"},
		{`"username":"anna"`, "username", "anna"},
		{`"phone":"+998901234567"`, "phone", "+998901234567"},
		{`"phone":998901234567`, "phone", "998901234567"},
		{`"email":"a@example.com"`, "email", "a@example.com"},
		{`"contact":"@anna"`, "username", "@anna"},
		{`"contact":"+998 90 123-45-67"`, "phone", "+998 90 123-45-67"},
		{`"contacts":"a@example.com"`, "email", "a@example.com"},
		{`"contacts":"room 12"`, "contact", "room 12"},
		{`"contacts":"+998901234567","phone":"123"`, "contact", "+998901234567"},
	} {
		got := try(required + "," + tt.params)
		if got.Client.Profile[tt.field] != tt.want || !strings.Contains(got.Client.Contacts(), tt.want) || len(got.Client.Metadata) != 0 {
			t.Errorf("%s: profile %v, metadata %v", tt.params, got.Client.Profile, got.Client.Metadata)
		}
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	s := newSite(t)
	s.send(t, s.fields(`,"utm":{"source":"tg","n":[1,true,null]},"name":"Anna","fio":"Anna Petrova","lang":"uz"`)).Must(http.StatusOK)
	got := s.conversations(t)[0].Client
	utm, _ := got.Metadata["utm"].(map[string]any)
	if got.Title() != "Anna" || got.Metadata["lang"] != "uz" || utm["source"] != "tg" || got.Metadata["fio"] != "Anna Petrova" || len(got.Metadata) != 3 {
		t.Errorf("title %q, metadata %v", got.Title(), got.Metadata)
	}
}

func TestWorkflowNamesAreFolded(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{
		"send_external_message", "send-external-message", "Send-External_Message", "send_external_message/", "send-message-v2", "SEND_MESSAGE_V2",
	} {
		wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + name, Token: s.token, Body: s.fields("")}.Do(t, s.mux).Must(http.StatusOK)
	}
}

func TestAliasOfNothing(t *testing.T) {
	if _, err := selarti.New(selarti.Options{Aliases: map[string]string{"a": "b"}}); chat.ErrorCode(err) != chat.CodeInvalid {
		t.Error(err)
	}
}

func TestTasksByBothIDs(t *testing.T) {
	s := newSite(t)
	given := s.Task(s.Acme.Tenant.ID, "given")
	if selarti.TaskID(given.Task) != wiretest.Given {
		t.Fatalf("the id of a task that was given one is %s", selarti.TaskID(given.Task))
	}
	computed := selarti.BubbleID(given.CreatedAt, given.ID)
	otherMilli := selarti.BubbleID(given.CreatedAt.Add(time.Second), given.ID)
	for id, status := range map[string]int{
		wiretest.Given: http.StatusOK, computed: http.StatusOK, otherMilli: http.StatusBadRequest,
		computed[:12] + "0" + computed[13:]: http.StatusBadRequest, given.ID.String(): http.StatusBadRequest,
	} {
		s.send(t, strings.Replace(s.fields(""), selarti.TaskID(s.Acme.Task.Task), id, 1)).Must(status)
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
	task := selarti.TaskID(s.Acme.Task.Task)
	with := func(field, value string) string {
		values := map[string]string{"task_id": `"` + task + `"`, "chat_id": `"1"`, "message": `"x"`}
		values[field] = value
		var pairs []string
		for k, v := range values {
			if v != "" {
				pairs = append(pairs, fmt.Sprintf("%q:%s", k, v))
			}
		}
		return "{" + strings.Join(pairs, ",") + "}"
	}
	missing := func(param string) string {
		return "Missing parameter for workflow send_external_message: parameter " + param
	}
	wrong := func(param string) string {
		return "Invalid parameter for workflow send_external_message: parameter " + param + ": "
	}
	id := func(name string) string { return `"` + selarti.TaskID(s.Task(s.Acme.Tenant.ID, name).Task) + `"` }
	tests := map[string]struct {
		body, kind    string
		header        map[string]string
		status        int
		keyword, text string // text: how the message begins
	}{
		"no message":            {body: with("message", ""), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"an empty message":      {body: with("message", `""`), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"null for the message":  {body: with("message", "null"), status: 400, keyword: "MISSING_DATA", text: missing("message")},
		"no task":               {body: with("task_id", ""), status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"no chat":               {body: with("chat_id", ""), status: 400, keyword: "MISSING_DATA", text: missing("chat_id")},
		"an empty chat":         {body: with("chat_id", `""`), status: 400, keyword: "MISSING_DATA", text: missing("chat_id")},
		"an empty body":         {body: "", status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"an empty form":         {body: "x=1", kind: "application/x-www-form-urlencoded", status: 400, keyword: "MISSING_DATA", text: missing("task_id")},
		"an object, message":    {body: with("message", `{"a":1}`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a list, message":       {body: with("message", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a boolean, message":    {body: with("message", `true`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a list, text":          {body: with("text", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("text")},
		"a number, task":        {body: with("task_id", `1721129985149`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"an object, task":       {body: with("task_id", `{}`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"two different tasks":   {body: with("task", id("given")), status: 400, keyword: "INVALID_DATA", text: wrong("task")},
		"two different texts":   {body: with("text", `"y"`), status: 400, keyword: "INVALID_DATA", text: wrong("text")},
		"a fraction, chat":      {body: with("chat_id", `1.5`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"an exponent, chat":     {body: with("chat_id", `1e5`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"a boolean, chat":       {body: with("chat_id", `false`), status: 400, keyword: "INVALID_DATA", text: wrong("chat_id")},
		"an object, name":       {body: with("name", `{}`), status: 400, keyword: "INVALID_DATA", text: wrong("name")},
		"a list, contacts":      {body: with("contacts", `["a"]`), status: 400, keyword: "INVALID_DATA", text: wrong("contacts")},
		"a list, phone":         {body: with("phone", `[1]`), status: 400, keyword: "INVALID_DATA", text: wrong("phone")},
		"NUL in the message":    {body: with("message", `"a\u0000"`), status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"not UTF-8":             {body: "{\"message\":\"\xff\"}", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a key twice":           {body: `{"message":"a","message":"b"}`, status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"a form field twice":    {body: "message=a&message=b", kind: "application/x-www-form-urlencoded", status: 400, keyword: "INVALID_DATA", text: wrong("message")},
		"deep nesting":          {body: with("x", strings.Repeat("[", 100)+strings.Repeat("]", 100)), status: 400, keyword: "INVALID_DATA", text: wrong("x")},
		"not JSON":              {body: "hello", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a list":                {body: "[]", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"cut off":               {body: `{"task_id":"`, status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"an unknown type":       {body: "<a/>", kind: "application/xml", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"a multipart form":      {body: "--b--", kind: "multipart/form-data; boundary=b", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"another charset":       {body: with("x", "1"), kind: "application/json; charset=koi8-r", status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"compressed":            {body: with("x", "1"), header: map[string]string{"Content-Encoding": "gzip"}, status: 400, keyword: "INVALID_DATA", text: "Workflow send_external_message: "},
		"an unknown task":       {body: with("task_id", `"1721129985149x478019552540622851"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"no id at all":          {body: with("task_id", `"shop"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"another company's":     {body: with("task_id", `"`+selarti.TaskID(s.Rival.Task.Task)+`"`), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a stopped task":        {body: with("task_id", id("stopped")), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a completed task":      {body: with("task_id", id("completed")), status: 400, keyword: "INVALID_DATA", text: wrong("task_id")},
		"a long text":           {body: with("message", `"`+strings.Repeat("x", 64<<10+1)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("message")},
		"a long chat":           {body: with("chat_id", `"`+strings.Repeat("1", 513)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("chat_id")},
		"a long name":           {body: with("name", `"`+strings.Repeat("x", 4001)+`"`), status: 413, keyword: "TOO_LARGE", text: wrong("name")},
		"much metadata":         {body: with("x", `"`+strings.Repeat("x", 64<<10)+`"`), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a large body":          {body: with("x", `"`+strings.Repeat("x", maxBody)+`"`), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a large body, no JSON": {body: strings.Repeat("x", maxBody+1), status: 413, keyword: "TOO_LARGE", text: "Workflow send_external_message: "},
		"a long key":            {body: with("x", "1"), header: map[string]string{"Idempotency-Key": strings.Repeat("k", 257)}, status: 413, keyword: "TOO_LARGE", text: wrong("Idempotency-Key")},
		"a key not UTF-8":       {body: with("x", "1"), header: map[string]string{"Idempotency-Key": "\xff"}, status: 400, keyword: "INVALID_DATA", text: wrong("Idempotency-Key")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
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
		})
	}
	if list := s.conversations(t); len(list) != 0 {
		t.Errorf("%d conversations were made", len(list))
	}
}

func TestTheLongestTextIsTaken(t *testing.T) {
	s := newSite(t)
	text := strings.Repeat("ы", 32<<10)
	s.send(t, strings.Replace(s.fields(""), "Do you deliver on Sunday?", text, 1)).Must(http.StatusOK)
	if s.conversations(t)[0].LastMessage.Content.Text != text {
		t.Error("64 KiB came out changed")
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

func TestAddTarget(t *testing.T) {
	s := newSite(t)
	task := selarti.TaskID(s.Acme.Task.Task)
	add := func(body string) wiretest.Answer {
		return wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/add-target", Token: s.token, Body: body}.Do(t, s.mux)
	}
	for range 2 { // a known target is left as it is
		a := add(fmt.Sprintf(`{"task":%q,"target":"@anna"}`, task)).Must(http.StatusOK)
		if a.Body != `{"status":"success","response":{}}`+"\n" {
			t.Errorf("answered %s", a.Body)
		}
	}
	add(fmt.Sprintf(`{"task_id":%q,"target":998901234567}`, task)).Must(http.StatusOK)
	for body, message := range map[string]string{
		`{"target":"@a"}`:                            "Missing parameter for workflow add_target: parameter task",
		fmt.Sprintf(`{"task":%q}`, task):             "Missing parameter for workflow add_target: parameter target",
		fmt.Sprintf(`{"task":%q,"target":{}}`, task): "Invalid parameter for workflow add_target: parameter target: ",
		`{"task":"nonsense","target":"@a"}`:          "Invalid parameter for workflow add_target: parameter task: ",
	} {
		a := add(body).Must(http.StatusBadRequest)
		if got, _ := a.At("body", "message").(string); !strings.HasPrefix(got, message) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	if len(s.conversations(t)) != 0 || len(queue(t, s.World)) != 0 {
		t.Error("a target must start no dialog")
	}
}

// One key, a hundred times at once: one message, one answer for all.
func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	answers := make([]wiretest.Answer, 100)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = wiretest.Ask{
				Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token, Body: s.fields(""),
				Header: map[string]string{"Idempotency-Key": "k1"},
			}.Do(t, s.mux)
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status != http.StatusOK || a.Body != answers[0].Body {
			t.Fatalf("%d %s; the first was %s", a.Status, a.Body, answers[0].Body)
		}
	}
	if list := s.conversations(t); len(list) != 1 || list[0].Messages != 1 || len(queue(t, s.World)) != 1 {
		t.Errorf("stored %+v", list)
	}
	other := wiretest.Ask{
		Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token,
		Body: strings.Replace(s.fields(""), "Sunday", "Monday", 1), Header: map[string]string{"Idempotency-Key": "k1"},
	}.Do(t, s.mux).Must(http.StatusConflict)
	if other.At("body", "status") != "CONFLICT" {
		t.Error(other.Body)
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

func TestPages(t *testing.T) {
	s := newSite(t)
	s.send(t, s.fields("")).Must(http.StatusOK)
	share := "/share/" + s.conversations(t)[0].ShareToken
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/panel?menu=chats&thread=1732700000000x300000000000000001", 200}, {"HEAD", "/panel", 200}, {"POST", "/panel", 405},
		{"GET", "/frame?channel=1732603656932x383344135484473340", 200}, {"POST", "/frame", 405},
		{"GET", share, 200}, {"POST", share, 403}, {"DELETE", share, 403}, {"POST", share + "/messages", 403}, {"GET", share + "/messages", 404},
		{"GET", "/share/nonsense", 404}, {"GET", "/share/" + strings.Repeat("0", 32), 404}, {"POST", "/share/nonsense", 403},
		{"GET", share + "%00", 404}, {"GET", strings.ToUpper(share[:8]) + share[8:], 404},
	} {
		a := wiretest.Ask{Method: tt.method, Path: tt.path}.Do(t, s.mux)
		if a.Status != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, a.Status, tt.status)
		}
		if strings.Contains(a.Body, "Sunday") || strings.Contains(a.Body, "123456789") || strings.Contains(a.Body, "<form") {
			t.Errorf("%s shows data: %s", tt.path, a.Body)
		}
		if tt.status != 200 || tt.method != "GET" {
			continue
		}
		csp, embeddable := a.Header.Get("Content-Security-Policy"), strings.HasPrefix(tt.path, "/frame")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "frame-ancestors *") != embeddable ||
			a.Header.Get("X-Robots-Tag") != "noindex, nofollow" || !strings.Contains(a.Body, `name="robots" content="noindex`) {
			t.Errorf("%s: %v", tt.path, a.Header)
		}
		if !strings.Contains(a.Body, "not part of this build") || !strings.Contains(a.Body, "В эту сборку") {
			t.Errorf("%s does not say what is missing, in both languages: %s", tt.path, a.Body)
		}
	}
}

// The patterns must live beside the console's catch-all.
func TestRoutesBesideACatchAll(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/", http.NotFound)
	s.send(t, s.fields("")).Must(http.StatusOK)
}

// FuzzSend: whatever comes, the answer is one of the dialect's shapes and never
// the server's fault.
func FuzzSend(f *testing.F) {
	s := newSite(f)
	f.Add(s.fields(""), "application/json")
	f.Add(s.fields(`,"contacts":"+1 234 567 89","x":{"y":[1,2]}`), "text/plain")
	f.Add("task_id="+wiretest.Given+"&chat_id=1&message=x", "application/x-www-form-urlencoded")
	f.Add(`{"task_id":`, "")
	f.Fuzz(func(t *testing.T, body, kind string) {
		a := wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token, Body: body, Header: map[string]string{"Content-Type": kind}}.Do(t, s.mux)
		switch a.Status {
		case http.StatusOK:
			if a.At("status") != "success" {
				t.Fatalf("answered %s", a.Body)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if a.At("statusCode") != float64(a.Status) {
				t.Fatalf("answered %s", a.Body)
			}
		default:
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	})
}
