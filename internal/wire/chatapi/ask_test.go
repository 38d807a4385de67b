package chatapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

var (
	timestamps = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}$`)
	uuids      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

// isEnvelope checks that an answer has every field of specs/chatapi.md §2.2.
func isEnvelope(t *testing.T, a wiretest.Answer, client string) {
	t.Helper()
	if a.At("token") != mine || a.At("clientId") != client {
		t.Errorf("the answer is of %v to %v", a.At("token"), a.At("clientId"))
	}
	if id, _ := a.At("questionId").(string); id == "" {
		t.Errorf("no questionId: %s", a.Body)
	}
	if ts, _ := a.At("timestamp").(string); !timestamps.MatchString(ts) || !strings.HasPrefix(ts, "2026-02-03T04:05:06") {
		t.Errorf("the timestamp is %v, want now in UTC", a.At("timestamp"))
	}
	for _, list := range []string{"replies", "debugData"} {
		if _, ok := a.At("data", list).([]any); !ok {
			t.Errorf("%s is no list: %s", list, a.Body)
		}
	}
	for key, value := range map[string]any{"nlpClass": "", "answer": "", "confidence": 0.0, "newSessionStarted": false, "endSession": false} {
		if got := a.At("data", key); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", value) {
			t.Errorf("%s is %v", key, got)
		}
	}
	if _, ok := a.At("blockForm").(bool); !ok {
		t.Errorf("blockForm is %v", a.At("blockForm"))
	}
}

// E1: a synchronous text.
func TestAsk(t *testing.T) {
	s := newSite(t)
	a := s.ask("u-1", `{"clientId":"u-1","query":"hello","cid":"tab-A"}`, hi).Must(200)
	isEnvelope(t, a, "u-1")
	want := map[string]any{
		"nlpClass": "/Hello", "confidence": 1.0, "answer": "Hi!", "newSessionStarted": true, "endSession": false, "debugData": []any{},
		"replies": []any{map[string]any{"type": "text", "text": "Hi!", "state": "/Hello"}},
	}
	if got, _ := json.Marshal(a.At("data")); string(got) != toJSON(want) {
		t.Errorf("data is %s", got)
	}
	if a.At("query") != "hello" || a.At("cid") != "tab-A" || a.At("event") != nil || a.At("blockForm") != false || !uuids.MatchString(a.At("questionId").(string)) {
		t.Errorf("the answer is %s", a.Body)
	}
	again := s.ask("u-1", `{"clientId":"u-1","event":"fileEvent","data":{"eventData":[{"url":"http://127.0.0.1/a.pdf"}]}}`,
		chat.Answer{Messages: hi.Messages, Confidence: -0.011, Close: true})
	isEnvelope(t, again, "u-1")
	if again.At("event") != "fileEvent" || again.At("query") != nil || again.At("cid") != nil || again.At("data", "newSessionStarted") != false ||
		again.At("data", "confidence") != -0.011 || again.At("data", "endSession") != true {
		t.Errorf("the event's answer is %s", again.Body)
	}
	if a := s.ask("u-1", `{"clientId":"u-1","query":"after the end"}`, hi); a.At("data", "newSessionStarted") != true {
		t.Errorf("after the end of the session: %s", a.Body)
	}
}

func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// E2: the simplified GET, numeric clients, and all prefixes and spellings of a
// token.
func TestAskSimply(t *testing.T) {
	s := newSite(t)
	form := url.Values{"clientId": {"77"}, "query": {"привет / & ?"}}
	for i, path := range []string{
		"/chatapi/" + mine, "/chatadapter/chatapi/" + mine, "/chatapi/bot/" + mine, "/chatapi/" + strings.Replace(mine, ":", "%3A", 1),
		"/chatapi/bot/" + strings.Replace(mine, ":", "%3a", 1), "/chatapi/" + mine + "/",
	} {
		done := s.bot(mine, "77", hi)
		a := wiretest.Ask{Path: path, Query: form.Encode()}.Do(t, s).Must(200)
		done()
		isEnvelope(t, a, "77")
		if a.At("query") != "привет / & ?" || a.At("data", "answer") != "Hi!" || a.At("data", "newSessionStarted") != (i == 0) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	a := s.ask("77", `{"clientId":77,"query":"again"}`, hi)
	if a.At("clientId") != "77" || a.At("data", "newSessionStarted") != false {
		t.Errorf("as a number: %s", a.Body)
	}
	done := s.bot(mine, "77", hi)
	if a := s.do("GET", "?clientId=77&event=start&query=", ""); a.At("event") != "start" || a.At("query") != nil {
		t.Errorf("an event: %s", a.Body)
	}
	done()
}

// TestClientIDs: any text, and numbers digit by digit.
func TestClientIDs(t *testing.T) {
	s := newSite(t)
	for sent, id := range map[string]string{
		`12345678901234567890123`: "12345678901234567890123", `-1`: "-1", `1.50`: "1.50", `9007199254740993`: "9007199254740993",
		`"C:\\a/b%2F?c#d е"`: `C:\a/b%2F?c#d е`, `"/"`: "/", `"."`: ".", `"a:b"`: "a:b", `"speechstate__ab12"`: "speechstate__ab12",
	} {
		if q := s.do("POST", "/async", `{"clientId":`+sent+`,"query":"x"}`).Must(200).At("questionId"); q == "" {
			t.Errorf("%s: no id", sent)
		}
		if len(s.seen(mine, id, 0, 0)) != 1 {
			t.Errorf("%s is not the client %s", sent, id)
		}
		a := s.do("GET", "/events?all=true&ts=0&clientId="+url.QueryEscape(id), "").Must(200)
		if !strings.Contains(a.Body, toJSON(id)) {
			t.Errorf("%s: the events are %s", id, a.Body)
		}
		if id == "." {
			continue // no client can write it into a path
		}
		if a := s.do("GET", "/client/"+escaped(id)+"/history", "").Must(200); !strings.Contains(a.Body, toJSON(id)) {
			t.Errorf("%s: the history is %s", id, a.Body)
		}
	}
}

// TestQuestionIDs: a text of up to 128 characters is honoured, as is a key to
// repeat the call by; anything else gets an id of ours.
func TestQuestionIDs(t *testing.T) {
	s := newSite(t)
	longest := strings.Repeat("й", 128)
	for i, tt := range []struct{ sent, key, want string }{
		{`"12345"`, "", "12345"}, {`"a/b:c"`, "", "a/b:c"}, {toJSON(longest), "", longest}, {toJSON(longest + "й"), "", ""},
		{`12345`, "", ""}, {`{"a":1}`, "", ""}, {`[]`, "", ""}, {`null`, "", ""}, {`""`, "", ""}, {`true`, "", ""},
		{`null`, "key", "key"}, {`"id"`, "key", "id"}, {`null`, strings.Repeat("k", 129), ""}, {`null`, "\xff", ""},
	} {
		client := fmt.Sprint("c", i)
		got, _ := wiretest.Ask{
			Method: "POST", Path: at + "/async", Body: fmt.Sprintf(`{"clientId":%q,"query":"x","questionId":%s}`, client, tt.sent),
			Header: map[string]string{"Idempotency-Key": tt.key},
		}.Do(t, s).Must(200).At("questionId").(string)
		if tt.want != "" && got != tt.want || tt.want == "" && !uuids.MatchString(got) {
			t.Errorf("%s with the key %q became %s", tt.sent, tt.key, got)
		}
	}
}

// TestRepeated: the same id with the same words is one turn, and its answer is
// returned again, whole.
func TestRepeated(t *testing.T) {
	s := newSite(t)
	body := `{"clientId":"u","query":"x","questionId":"q"}`
	first := s.ask("u", body, hi).Must(200)
	if again := s.do("POST", "", body).Must(200); again.Body != first.Body {
		t.Errorf("again it is %s, at first %s", again.Body, first.Body)
	}
	if again := s.do("POST", "/async", body); again.At("questionId") != "q" {
		t.Errorf("asynchronously it is %s", again.Body)
	}
	if n := len(s.seen(mine, "u", 0, 0)); n != 2 {
		t.Errorf("one turn is %d events", n)
	}
}

// TestData: any JSON reaches the bot as it was sent, with the headers of the
// call, without credentials.
func TestData(t *testing.T) {
	s := newSite(t)
	for i, data := range []string{
		`{"eventData":[{"url":"http://127.0.0.1/a?b=1&c=<2>","size":12345678901234567890.10}],"z":1,"a":2}`, `[1,null,"x"]`, `"text"`, `0.10`, `false`,
	} {
		for _, said := range []string{`"query":"x"`, `"event":"e"`} {
			client := fmt.Sprint("c", i)
			wiretest.Ask{
				Method: "POST", Path: at + "/async", Body: `{"clientId":"` + client + `",` + said + `,"data":` + data + `}`,
				Header: map[string]string{
					"X-App": "shop", "Accept-Language": "ru", "Authorization": "Bearer secret-1", "Cookie": "s=secret-2",
					"Proxy-Authorization": "secret-3", "X-Api-Key": "secret-4", "X-Auth-Token": "secret-5",
				},
			}.Do(t, s).Must(200)
			q := s.last(client)
			if string(q.Data.Payload) != data {
				t.Errorf("%s became %s", data, q.Data.Payload)
			}
			var headers map[string]string
			if err := json.Unmarshal(q.Data.Headers, &headers); err != nil || headers["x-app"] != "shop" || headers["accept-language"] != "ru" {
				t.Errorf("the headers are %s, %v", q.Data.Headers, err)
			}
			if strings.Contains(string(q.Data.Headers), "secret") {
				t.Errorf("credentials are handed on: %s", q.Data.Headers)
			}
		}
	}
	wiretest.Ask{
		Method: "POST", Path: at + "/async", Body: `{"clientId":"big","query":"x","data":null}`, Header: map[string]string{"X-Big": strings.Repeat("x", 5000)},
	}.Do(t, s).Must(200)
	if q := s.last("big"); q.Data.Payload != nil || q.Data.Headers != nil {
		t.Errorf("null is %s, and too many headers are %d bytes", q.Data.Payload, len(q.Data.Headers))
	}
}

// TestBothQueryAndEvent: the query wins; an empty one is none.
func TestBothQueryAndEvent(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]string{
		`"query":"x","event":"e"`: "query", `"query":"","event":"e"`: "event", `"query":null,"event":"e"`: "event", `"query":"x","event":""`: "query",
		`"query":"x","event":null`: "query", `"query":"x","Query":"y","EVENT":"z"`: "query",
	} {
		client := escaped(body)
		s.do("POST", "/async", `{"clientId":"`+client+`",`+body+`}`).Must(200)
		q := s.last(client)
		if got := map[bool]string{true: "query", false: "event"}[q.Message != nil]; got != want || q.Message != nil && q.Message.Content.Text != "x" {
			t.Errorf("%s was asked as %s: %+v", body, got, q)
		}
	}
	if !strings.Contains(s.Log.String(), "chatapi.event_ignored") {
		t.Error("the log does not say that an event was ignored")
	}
}

// TestClientInfo: names and contacts become the profile, the rest is kept.
func TestClientInfo(t *testing.T) {
	s := newSite(t)
	s.do("POST", "/async", `{"clientId":"u","query":"x","clientInfo":{"firstName":"Anna","lastName":"Petrova","phone":"+998","vip":true}}`).Must(200)
	q := s.last("u")
	if q.Data.Title != "Anna Petrova" || !strings.Contains(q.Data.Contacts, "+998") {
		t.Errorf("the client is %q, %q", q.Data.Title, q.Data.Contacts)
	}
	s.do("POST", "/async", `{"clientId":"u","query":"x","clientInfo":null}`).Must(200)
	if q := s.last("u"); q.Data.Title != "Anna Petrova" {
		t.Errorf("then the client is %q", q.Data.Title)
	}
}

// TestAskedWithoutAnAnswer: nobody is asked once people have the session.
func TestAskedWithoutAnAnswer(t *testing.T) {
	s := newSite(t)
	a := s.ask("u-3", `{"clientId":"u-3","query":"operator","cid":"A"}`, chat.Answer{
		Messages: []chat.Content{{Text: "Wait", State: "/Operator"}}, Class: "/Operator", Handover: &chat.Handover{},
	})
	want := `[{"state":"/Operator","text":"Wait","type":"text"},{"state":"/Operator","type":"switch"}]`
	if got := toJSON(a.At("data", "replies")); got != want {
		t.Errorf("the handover is %s", got)
	}
	b := s.do("POST", "", `{"clientId":"u-3","query":"anyone?","cid":"A"}`).Must(200)
	isEnvelope(t, b, "u-3")
	if len(b.At("data", "replies").([]any)) != 0 || b.At("data", "answer") != "" || b.At("query") != "anyone?" || b.At("cid") != "A" || b.At("data", "newSessionStarted") != false {
		t.Errorf("in the queue: %s", b.Body)
	}
	s.do("GET", "/client/u-3/message/"+b.At("questionId").(string)+"/status", "").Must(404)
}

// TestMailConversations: on a mail channel the subject parts them.
func TestMailConversations(t *testing.T) {
	s := newSite(t, func(c *chat.Channel) { c.ChannelType = "EMAIL" })
	ids := map[string]chat.ID{}
	for _, data := range []string{`{"subject":"Order"}`, `{"subject":"Re: order"}`, `{"subject":"Invoice"}`, `null`, `[]`, `{"subject":1}`} {
		s.do("POST", "/async", `{"clientId":"u","query":"x","data":`+data+`}`).Must(200)
		ids[data] = s.last("u").ConversationID
	}
	if ids[`{"subject":"Order"}`] != ids[`{"subject":"Re: order"}`] || ids[`{"subject":"Order"}`] == ids[`{"subject":"Invoice"}`] ||
		ids[`null`] != ids[`[]`] || ids[`null`] != ids[`{"subject":1}`] || ids[`null`] == ids[`{"subject":"Order"}`] {
		t.Errorf("the conversations are %v", ids)
	}
}
