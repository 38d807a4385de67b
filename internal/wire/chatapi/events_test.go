package chatapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// types are the types of the events of an answer, in order.
func types(t *testing.T, a wiretest.Answer) string {
	t.Helper()
	a.Must(200)
	list, ok := a.At("events").([]any)
	if !ok {
		t.Fatalf("events is no list: %s", a.Body)
	}
	var words []string
	for _, e := range list {
		words = append(words, e.(map[string]any)["type"].(string))
	}
	return strings.Join(words, " ")
}

// events asks for a client's.
func (s *site) events(query string) wiretest.Answer {
	s.T.Helper()
	return s.do("GET", "/events?"+query, "")
}

// E5: an operator takes over; two tabs.
func TestEvents(t *testing.T) {
	s := newSite(t)
	start := s.Clock.Now().UnixMilli()
	s.ask("u-3", `{"clientId":"u-3","query":"operator","cid":"A"}`, chat.Answer{Messages: hi.Messages, Handover: &chat.Handover{}})
	s.do("POST", "", `{"clientId":"u-3","query":"anyone?","cid":"A","data":{"x":[1]}}`).Must(200)
	s.do("POST", "/client/u-3/state?cid=A", `{"open":true}`).Must(200)
	s.operator("u-3", "I am here")
	for query, want := range map[string]string{
		"": "humanResponse", "&cid=A": "humanResponse", "&cid=B": "humanResponse", "&all=false": "humanResponse",
		"&all=true&cid=B": "request botResponse request state humanResponse", "&all=1": "request botResponse request state humanResponse",
		"&all=TRUE&cid=A": "humanResponse",
	} {
		if got := types(t, s.events(fmt.Sprintf("clientId=u-3&ts=%d%s", start, query))); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	a := s.events(fmt.Sprintf("clientId=u-3&all=true&ts=%d", start))
	list := a.At("events").([]any)
	event := func(i int) map[string]any { return list[i].(map[string]any)["event"].(map[string]any) }
	if a.At("hasMore") != false {
		t.Errorf("hasMore is %v", a.At("hasMore"))
	}
	if e := event(2); e["token"] != mine || e["clientId"] != "u-3" || e["userId"] != "u-3" || e["query"] != "anyone?" || e["cid"] != "A" ||
		toJSON(e["data"]) != `{"x":[1]}` || !timestamps.MatchString(e["timestamp"].(string)) {
		t.Errorf("the request is %v", e)
	}
	if e := event(3); toJSON(e) != fmt.Sprintf(`{"cid":"A","clientId":"u-3","state":{"open":true},"timestamp":%q}`, e["timestamp"]) {
		t.Errorf("the state is %s", toJSON(e))
	}
	human := event(4)
	if toJSON(human["data"].(map[string]any)["replies"]) != `[{"text":"I am here","type":"text"}]` || human["operator"].(map[string]any)["name"] != "Anna" ||
		human["token"] != mine || human["blockForm"] != false {
		t.Errorf("the operator's words are %v", human)
	}
	if e := event(1); e["cid"] != "A" || e["data"].(map[string]any)["answer"] != "Hi!" || e["operator"] != nil {
		t.Errorf("the bot's answer is %v", e)
	}
}

// TestMoments: both forms, inclusive to the millisecond, in UTC.
func TestMoments(t *testing.T) {
	s := newSite(t)
	s.do("POST", "/async", `{"clientId":"u","query":"x"}`).Must(200)
	now := s.last("u").At.Time() // 2026-02-03T04:05:06.007…
	for ts, want := range map[string]string{
		now.Format("2006-01-02T15:04:05.000"): "request", now.Format("2006-01-02T15:04:05,000"): "request",
		now.Add(time.Millisecond).Format("2006-01-02T15:04:05.000"): "", "0": "request", "1970-01-01T00:00:00.000": "request",
		fmt.Sprint(now.UnixMilli()): "request", fmt.Sprint(now.UnixMilli() + 1): "", fmt.Sprint(now.Unix()): "request", fmt.Sprint(now.Unix() + 1): "",
		fmt.Sprintf("%d.007", now.Unix()): "request", fmt.Sprintf("%d.5", now.Unix()): "", fmt.Sprintf("%d.9", now.UnixMilli()): "request",
	} {
		if got := types(t, s.events("clientId=u&all=true&ts="+escaped(ts))); got != want {
			t.Errorf("from %s: %q, want %q", ts, got, want)
		}
	}
	if got := types(t, s.events("clientId=u&all=true&ts=")); got != "request" {
		t.Errorf("an empty ts: %q", got)
	}
	if got := types(t, s.events("clientId=u&all=true&ts=")); got != "" {
		t.Errorf("an empty ts is none, then: %q", got)
	}
}

// TestEventsPage: 250 and the rest.
func TestEventsPage(t *testing.T) {
	s := newSite(t)
	for i := range 251 {
		s.do("POST", "/async", fmt.Sprintf(`{"clientId":"u","query":"%d"}`, i)).Must(200)
	}
	a := s.events("clientId=u&all=true")
	if n := len(a.At("events").([]any)); n != 250 || a.At("hasMore") != true {
		t.Errorf("%d events, hasMore %v", n, a.At("hasMore"))
	}
	if b := s.events("clientId=u&all=true"); types(t, b) != "request" || b.At("hasMore") != false || !strings.Contains(b.Body, `"query":"250"`) {
		t.Errorf("then %s", b.Body)
	}
	if h := s.do("GET", "/client/u/history", ""); len(h.At("events").([]any)) != 250 || h.At("hasMore") != true {
		t.Errorf("the history has %d, hasMore %v", len(h.At("events").([]any)), h.At("hasMore"))
	}
	if h := s.do("GET", "/client/u/history?limit=1000", ""); len(h.At("events").([]any)) != 251 || h.At("hasMore") != false {
		t.Errorf("the whole history has %d, hasMore %v", len(h.At("events").([]any)), h.At("hasMore"))
	}
}

// TestHistory: the dialogue with statuses and without states, by period.
func TestHistory(t *testing.T) {
	s := newSite(t)
	if a := s.do("GET", "/client/nobody/history", ""); a.Must(200).Body != `{"hasMore":false,"events":[]}`+"\n" {
		t.Errorf("nobody's is %s", a.Body)
	}
	first := s.Clock.Now()
	id := s.later("u", `{"clientId":"u","query":"x"}`, hi)
	s.do("POST", "/client/u/state", `1`).Must(200)
	s.do("POST", "/client/u/message/"+id+"/status", `{"status":"DELIVERED"}`).Must(200)
	s.Clock.Advance(time.Minute)
	s.operator("u", "here")
	a := s.do("GET", "/client/u/history", "")
	if got := types(t, a); got != "request botResponse humanResponse" {
		t.Errorf("it has %s", got)
	}
	var statuses []any
	for _, e := range a.At("events").([]any) {
		statuses = append(statuses, e.(map[string]any)["event"].(map[string]any)["status"])
	}
	if toJSON(statuses) != `[null,"DELIVERED","SENT"]` {
		t.Errorf("the statuses are %s", toJSON(statuses))
	}
	form := "2006-01-02T15:04:05.000"
	for query, want := range map[string]string{
		"?to=" + first.Format(form):                    "request botResponse",
		"?from=" + first.Add(time.Second).Format(form): "humanResponse",
		fmt.Sprintf("?to=%d", first.UnixMilli()):       "request botResponse",
		fmt.Sprintf("?to=%d", first.UnixMilli()-1):     "",
		"?limit=1":          "request",
		"?from=&to=&limit=": "request botResponse humanResponse",
		"?from=0&to=" + url.QueryEscape("32503680000"): "request botResponse humanResponse",
	} {
		if got := types(t, s.do("GET", "/client/u/history"+query, "")); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestLongPoll: it ends at the ceiling with nothing, and at once when the server
// stops.
func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ceiling := chat.Duration(20 * time.Second)
		s := newSite(t, func(c *chat.Channel) { c.PollCeiling = &ceiling })
		begun := time.Now()
		if a := s.events("clientId=u"); a.Must(200).Body != `{"hasMore":false,"events":[]}`+"\n" || time.Since(begun) != 20*time.Second {
			t.Errorf("after %v: %s", time.Since(begun), a.Body)
		}
		begun = time.Now()
		time.AfterFunc(5*time.Second, s.stop)
		if a := s.events("clientId=u"); a.Must(200).Body != `{"hasMore":false,"events":[]}`+"\n" || time.Since(begun) != 5*time.Second {
			t.Errorf("the server stops, after %v: %s", time.Since(begun), a.Body)
		}
	})
}

// E6: statuses, one and many, and the count of unread ones.
func TestStatuses(t *testing.T) {
	s := newSite(t)
	count := func(n int) {
		t.Helper()
		if a := s.do("GET", "/client/u-1/message-not-read-count", "").Must(200); a.Body != fmt.Sprintf(`{"count":%d,"notReadCount":%d}`+"\n", n, n) {
			t.Errorf("the count is %s, want %d", a.Body, n)
		}
	}
	count(0)
	for _, id := range []string{"q-1", "q/2", "q 3"} {
		s.later("u-1", fmt.Sprintf(`{"clientId":"u-1","query":"x","questionId":%q}`, id), chat.Answer{Messages: []chat.Content{{Text: "a"}, {Text: "b"}}})
	}
	count(3)
	is := func(method, id, body, want string) {
		t.Helper()
		if a := s.do(method, "/client/u-1/message/"+escaped(id)+"/status", body).Must(200); a.Body != `{"status":"`+want+`"}`+"\n" {
			t.Errorf("%s %s: %s, want %s", method, id, a.Body, want)
		}
	}
	is("GET", "q-1", "", "SENT")
	is("POST", "q-1", `{"status":"READ","extra":1}`, "READ")
	is("POST", "q-1", `{"status":"DELIVERED"}`, "READ")
	is("POST", "q-1", `{"status":"NOT_SENT"}`, "READ")
	is("GET", "q-1", "", "READ")
	is("POST", "q/2", `{"status":"DELIVERED"}`, "DELIVERED")
	count(2)
	many := s.do("POST", "/client/u-1/message-statuses", `{"statuses":[{"questionId":"q/2","status":"READ"},{"questionId":"none","status":"READ"},
		{"questionId":"q 3","status":"READ"},{"status":"READ"},{"questionId":"q-1","status":"SENT"}]}`).Must(200)
	want := `{"statuses":[{"questionId":"q/2","status":"READ"},{"questionId":"q 3","status":"READ"},{"questionId":"q-1","status":"READ"}]}` + "\n"
	if many.Body != want {
		t.Errorf("many are %s", many.Body)
	}
	if a := s.do("POST", "/client/nobody/message-statuses", `{"statuses":[{"questionId":"q-1","status":"READ"}]}`).Must(200); a.Body != `{"statuses":[]}`+"\n" {
		t.Errorf("nobody's are %s", a.Body)
	}
	count(0)
}

// E6: any JSON is kept.
func TestState(t *testing.T) {
	s := newSite(t)
	if a := s.do("GET", "/client/u%2F4/state", "").Must(200); a.Body != "{}\n" {
		t.Errorf("before it is %s", a.Body)
	}
	for _, state := range []string{
		`{"open":true,"x":[1,null]}`, `"text <&>"`, `0.10`, `null`, `[]`, `12345678901234567890123`, `{"z":1,"a":2,"z":3}`, `"\u0000"`,
		`"` + strings.Repeat("x", 256<<10-2) + `"`,
	} {
		if a := s.do("POST", "/client/u%2F4/state", state).Must(200); a.Body != state+"\n" {
			t.Errorf("%.40s was answered %.40s", state, a.Body)
		}
		if a := s.do("GET", "/client/u%2F4/state", "").Must(200); a.Body != state+"\n" {
			t.Errorf("%.40s became %.40s", state, a.Body)
		}
	}
	if a := s.events("clientId=u%2F4&all=true"); strings.Count(a.Body, `"type":"state"`) != 9 {
		t.Errorf("the events are %s", types(t, a))
	}
	if a := s.do("GET", "/client/u/state", ""); a.Body != "{}\n" {
		t.Errorf("another client's is %s", a.Body)
	}
}

// TestTenants: what is one company's does not exist for the other.
func TestTenants(t *testing.T) {
	s := newSite(t)
	id := s.later("u", `{"clientId":"u","query":"secret","questionId":"q"}`, hi)
	s.do("POST", "/client/u/state", `"secret"`).Must(200)
	rival := func(method, path, body string) wiretest.Answer {
		t.Helper()
		return wiretest.Ask{Method: method, Path: "/chatapi/" + rivals + path, Body: body}.Do(t, s)
	}
	for _, path := range []string{"/events?clientId=u&all=true&ts=0", "/events?clientId=u&all=true", "/client/u/history"} {
		if got := types(t, rival("GET", path, "")); got != "" {
			t.Errorf("%s shows %s", path, got)
		}
	}
	if a := rival("GET", "/client/u/state", "").Must(200); a.Body != "{}\n" {
		t.Errorf("the state is %s", a.Body)
	}
	rival("GET", "/client/u/message/"+id+"/status", "").Must(404)
	rival("POST", "/client/u/message/"+id+"/status", `{"status":"READ"}`).Must(404)
	if a := rival("GET", "/client/u/message-not-read-count", ""); a.At("count") != 0.0 {
		t.Errorf("the count is %s", a.Body)
	}
	if a := rival("POST", "/async", `{"clientId":"u","query":"secret","questionId":"q"}`).Must(200); a.At("questionId") != "q" {
		t.Errorf("the same question is %s", a.Body)
	}
	if got := types(t, s.events("clientId=u&all=true&ts=0")); got != "request botResponse state" {
		t.Errorf("then there is %s", got)
	}
}

// TestNothingIsLogged of what is secret or private.
func TestNothingIsLogged(t *testing.T) {
	s := newSite(t)
	s.ask("client-id", `{"clientId":"client-id","query":"private words","event":"private event","data":{"a":"private data"}}`, hi)
	for _, tt := range []refusal{
		post("", `{"clientId":"client-id","query":5}`, 400, "…"), get("/events?clientId=client-id&ts=private", 400, "…"),
		post("/client/client-id/message/q/status", `{"status":"private"}`, 400, "…"), get("/client/client-id/history?limit=private", 400, "…"),
		post("/client/client-id/state", `private`, 400, "…"), get("/nothing/private", 404, "…"), {"PUT", "/events?x=private", "", nil, 405, "…"},
	} {
		s.refuses(t, at, tt)
	}
	s.refuses(t, "/chatapi/private-token", get("?clientId=private&query=x", 404, "…"))
	log := s.Log.String()
	if strings.Count(log, "\n") < 8 {
		t.Fatalf("the log is %s", log)
	}
	for _, secret := range []string{"private", "AbCdEfGh", "0123456789abcdef0123456789abcdef01234567", "Hi!"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}
