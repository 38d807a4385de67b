package selarti_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

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

func TestTheLongestTextIsTaken(t *testing.T) {
	s := newSite(t)
	text := strings.Repeat("ы", 32<<10)
	s.send(t, strings.Replace(s.fields(""), "Do you deliver on Sunday?", text, 1)).Must(http.StatusOK)
	if s.conversations(t)[0].LastMessage.Content.Text != text {
		t.Error("64 KiB came out changed")
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
