package chatapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// refusal is a call below acme's channel and the answer it must get. A message
// that ends in … need only begin so.
type refusal struct {
	method, path, body string
	header             map[string]string
	status             int
	message            string
}

const (
	noClient = "clientId: is missing"
	neither  = "neither query nor event is given"
	notJSON  = "the body is not JSON…"
	badStep  = "status: is none of SENT, DELIVERED, READ and NOT_SENT"
	badTime  = ": is not a moment; write it as 2024-05-01T10:00:00.000 in UTC, or as Unix time in seconds or milliseconds"
	noTime   = " is no moment that exists"
	noSuch   = "this client has no answer with such a questionId"
	noPath   = "No message available"
)

func post(path, body string, status int, message string) refusal {
	return refusal{method: "POST", path: path, body: body, status: status, message: message}
}

func get(path string, status int, message string) refusal {
	return refusal{method: "GET", path: path, status: status, message: message}
}

func wrongQuestions() map[string]refusal {
	list := map[string]refusal{
		"simply, no client":      get("?query=x", 400, noClient),
		"simply, neither":        get("?clientId=77", 400, neither),
		"simply, empty ones":     get("?clientId=77&query=&event=", 400, neither),
		"simply, bad escapes":    get("?clientId=%zz", 400, "the query can't be read: check its % escapes"),
		"simply, semicolons":     get("?clientId=1;query=2", 400, "the query can't be read: check its % escapes"),
		"simply, not UTF-8":      get("?clientId=%ff&query=x", 400, "clientId: is not a text in UTF-8 without NUL"),
		"simply, NUL":            get("?clientId=a%00&query=x", 400, "clientId: is not a text in UTF-8 without NUL"),
		"simply, a long client":  get("?query=x&clientId="+strings.Repeat("1", 513), 413, "clientId: the client's id is over 512 bytes"),
		"simply, a long event":   get("?clientId=1&event="+strings.Repeat("e", 257), 413, "event: the name of the event is over 256 bytes"),
		"simply, an unknown one": get("/?clientId=1&query=", 400, neither),
	}
	for _, path := range []string{"", "/async"} {
		for name, tt := range map[string]refusal{
			"no body":           post(path, "", 400, "clientId: is missing; the body is empty"),
			"spaces":            post(path, " \n", 400, "clientId: is missing; the body is empty"),
			"no client":         post(path, `{"query":"x"}`, 400, noClient),
			"an empty client":   post(path, `{"clientId":"","query":"x"}`, 400, noClient),
			"null for a client": post(path, `{"clientId":null,"query":"x"}`, 400, noClient),
			"another case":      post(path, `{"clientid":"u","query":"x"}`, 400, noClient),
			"an object, client": post(path, `{"clientId":{},"query":"x"}`, 400, "clientId: is neither a text nor a number"),
			"a boolean, client": post(path, `{"clientId":true,"query":"x"}`, 400, "clientId: is neither a text nor a number"),
			"neither":           post(path, `{"clientId":"u"}`, 400, neither),
			"an empty query":    post(path, `{"clientId":"u","query":""}`, 400, neither),
			"empty ones":        post(path, `{"clientId":"u","query":"","event":""}`, 400, neither),
			"a number, query":   post(path, `{"clientId":"u","query":5}`, 400, "query: is not a text"),
			"a list, event":     post(path, `{"clientId":"u","event":["e"]}`, 400, "event: is not a text"),
			"an object, cid":    post(path, `{"clientId":"u","query":"x","cid":{}}`, 400, "cid: is neither a text nor a number"),
			"a list, info":      post(path, `{"clientId":"u","query":"x","clientInfo":[]}`, 400, "clientInfo: is not an object"),
			"a list":            post(path, `[]`, 400, "the body is not a JSON object"),
			"not JSON":          post(path, `hello`, 400, notJSON),
			"cut off":           post(path, `{"clientId":"u`, 400, "clientId: the JSON ends too early, after…"),
			"two objects":       post(path, `{"clientId":"u"}{}`, 400, "there is more after the end of the JSON object"),
			"a key twice":       post(path, `{"clientId":"u","clientId":"v"}`, 400, "clientId: a key comes twice in one object; send it once"),
			"not UTF-8":         post(path, "{\"clientId\":\"\xff\"}", 400, "the body is not valid UTF-8"),
			"NUL":               post(path, `{"clientId":"u","query":"a\u0000"}`, 400, "query: …"),
			"deep":              post(path, `{"data":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+`}`, 400, "data: …"),
			"a long client":     post(path, `{"clientId":"`+strings.Repeat("1", 513)+`","query":"x"}`, 413, "clientId: the client's id is over 512 bytes"),
			"a long query":      post(path, `{"clientId":"u","query":"`+strings.Repeat("x", 64<<10+1)+`"}`, 413, "query: the text is over 64 KiB; send it in parts"),
			"a long event":      post(path, `{"clientId":"u","event":"`+strings.Repeat("x", 257)+`"}`, 413, "event: the name of the event is over 256 bytes"),
			"much data":         post(path, `{"clientId":"u","query":"x","data":"`+strings.Repeat("x", 64<<10)+`"}`, 413, "data: the data is over 64 KiB"),
			"a long cid":        post(path, `{"clientId":"u","query":"x","cid":"`+strings.Repeat("c", 257)+`"}`, 400, "cid: is over 256 bytes"),
			"a large body":      post(path, `{"clientId":"u","x":"`+strings.Repeat("x", maxBody)+`"}`, 413, "the body is over 262144 bytes"),
			"compressed":        {"POST", path, `{}`, map[string]string{"Content-Encoding": "gzip"}, 400, "the body is compressed; send it without Content-Encoding"},
			"another charset":   {"POST", path, `{}`, map[string]string{"Content-Type": "application/json; charset=koi8-r"}, 400, "the charset of the body is not UTF-8; send it in UTF-8"},
		} {
			list[path+" "+name] = tt
		}
	}
	return list
}

func wrongReads() map[string]refusal {
	list := map[string]refusal{
		"events, no client":      get("/events", 400, noClient),
		"events, an empty one":   get("/events?clientId=", 400, noClient),
		"events, a long client":  get("/events?clientId="+strings.Repeat("1", 513), 413, "clientId: is over 512 bytes"),
		"events, a long cid":     get("/events?clientId=u&cid="+strings.Repeat("1", 257), 400, "cid: is over 256 bytes"),
		"events, all":            get("/events?clientId=u&all=yes", 400, "all: is neither true nor false"),
		"events, bad escapes":    get("/events?clientId=u&ts=%z", 400, "the query can't be read: check its % escapes"),
		"history, limit 0":       get("/client/u/history?limit=0", 400, "limit: is not between 1 and 1000"),
		"history, limit 1001":    get("/client/u/history?limit=1001", 400, "limit: is not between 1 and 1000"),
		"history, limit -1":      get("/client/u/history?limit=-1", 400, "limit: is not between 1 and 1000"),
		"history, limit word":    get("/client/u/history?limit=all", 400, "limit: is not a whole number"),
		"history, a long client": get("/client/"+strings.Repeat("1", 513)+"/history", 413, "clientId: is over 512 bytes"),
		"an unknown message":     get("/client/u/message/none/status", 404, noSuch),
		"an unknown client":      get("/client/nobody/message/none/status", 404, noSuch),
	}
	for _, ts := range []string{
		"garbage", "2024-05-01T10:00:00", "2024-05-01T10:00:00.00", "2024-05-01T10:00:00.000Z", "2024-05-01T10:00:00.0000", "2024-05-01 10:00:00.000",
		"-1", "1e5", "0x10", ".", "1.2.3", "+1", "NaN", "Inf", "１７", "12345678901234567890123456789.0", "9999999999999999", " 1", "2024-05-01T10:00:00é000",
	} {
		list["events, ts "+ts] = get("/events?clientId=u&ts="+escaped(ts), 400, "ts"+badTime)
		list["history, from "+ts] = get("/client/u/history?from="+escaped(ts), 400, "from"+badTime)
		list["history, to "+ts] = get("/client/u/history?to="+escaped(ts), 400, "to"+badTime)
	}
	for _, ts := range []string{"2024-02-30T10:00:00.000", "2024-13-01T10:00:00.000", "2024-05-01T24:00:00.000", "2024-05-01T10:60:00.000", "1969-12-31T23:59:59.999", "0000-00-00T00:00:00.000"} {
		list["events, ts "+ts] = get("/events?clientId=u&ts="+escaped(ts), 400, `ts: "`+ts+`"`+noTime)
	}
	return list
}

func wrongWrites() map[string]refusal {
	list := map[string]refusal{
		"status, unknown":        post("/client/u/message/none/status", `{"status":"READ"}`, 404, noSuch),
		"status, empty":          post("/client/u/message/q/status", ``, 400, "the body is empty; send JSON"),
		"status, none":           post("/client/u/message/q/status", `{}`, 400, "status: is missing"),
		"status, null":           post("/client/u/message/q/status", `{"status":null}`, 400, "status: is missing"),
		"status, a number":       post("/client/u/message/q/status", `{"status":5}`, 400, "status: is of the type number; it must be a text"),
		"status, a list":         post("/client/u/message/q/status", `[]`, 400, "the body is not a JSON object"),
		"statuses, none":         post("/client/u/message-statuses", `{}`, 400, "statuses: is missing"),
		"statuses, null":         post("/client/u/message-statuses", `{"statuses":null}`, 400, "statuses: is missing"),
		"statuses, a text":       post("/client/u/message-statuses", `{"statuses":"READ"}`, 400, "statuses: is of the type string; it must be a list of objects"),
		"statuses, of texts":     post("/client/u/message-statuses", `{"statuses":["READ"]}`, 400, "…"),
		"statuses, one is wrong": post("/client/u/message-statuses", `{"statuses":[{"questionId":"q","status":"READ"},{"questionId":"q","status":"SEEN"}]}`, 400, badStep),
		"statuses, null in it":   post("/client/u/message-statuses", `{"statuses":[null]}`, 400, badStep),
		"statuses, too many": post("/client/u/message-statuses", `{"statuses":[`+strings.Repeat(`{"questionId":"q","status":"READ"},`, 1000)+`{"questionId":"q","status":"READ"}]}`,
			413, "there are 1001 statuses; send at most 1000 at once"),
		"state, empty":         post("/client/u/state", ``, 400, "state: the body is not JSON in UTF-8"),
		"state, not JSON":      post("/client/u/state", `{`, 400, "state: the body is not JSON in UTF-8"),
		"state, two":           post("/client/u/state", `{}{}`, 400, "state: the body is not JSON in UTF-8"),
		"state, not UTF-8":     post("/client/u/state", "\"\xff\"", 400, "state: the body is not JSON in UTF-8"),
		"state, too large":     post("/client/u/state", `"`+strings.Repeat("x", 256<<10-1)+`"`, 413, "state: the state is over 256 KiB"),
		"state, a long cid":    post("/client/u/state?cid="+strings.Repeat("c", 257), `{}`, 400, "cid: is over 256 bytes"),
		"state, a long client": post("/client/"+strings.Repeat("c", 513)+"/state", `{}`, 413, "clientId: the client's id is over 512 bytes"),
	}
	for _, status := range []string{"SEEN", "read", "READ ", "ЧИТАНО", "sent\\n"} {
		list["status "+status] = post("/client/u/message/q/status", `{"status":"`+status+`"}`, 400, badStep)
	}
	return list
}

// TestRefusals: every wrong call gets its code and message in the shape of
// specs/chatapi.md §10, and makes nothing.
func TestRefusals(t *testing.T) {
	s := newSite(t)
	id := s.later("u", `{"clientId":"u","query":"x","questionId":"q"}`, hi)
	before := len(s.seen(mine, "u", 0, 0))
	for _, list := range []map[string]refusal{wrongQuestions(), wrongReads(), wrongWrites()} {
		for name, tt := range list {
			t.Run(name, func(t *testing.T) { s.refuses(t, at, tt) })
		}
	}
	if a := s.do("GET", "/client/u/message/"+id+"/status", ""); a.At("status") != "SENT" {
		t.Errorf("the answer's status is %s", a.Body)
	}
	if after := len(s.seen(mine, "u", 0, 0)); after != before {
		t.Errorf("%d events were made", after-before)
	}
}

var exceptions = map[int]string{
	400: "BadRequestException", 403: "AccessDeniedException", 404: "NotFoundException", 405: "HttpRequestMethodNotSupportedException",
	408: "RequestTimeoutException", 413: "PayloadTooLargeException", 500: "InternalServerErrorException", 503: "ServiceUnavailableException",
}

func (s *site) refuses(t *testing.T, under string, tt refusal) wiretest.Answer {
	t.Helper()
	path, query, _ := strings.Cut(under+tt.path, "?")
	a := wiretest.Ask{Method: tt.method, Path: path, Query: query, Body: tt.body, Header: tt.header}.Do(t, s).Must(tt.status)
	message, _ := a.At("message").(string)
	if begin, open := strings.CutSuffix(tt.message, "…"); message != tt.message && (!open || !strings.HasPrefix(message, begin)) {
		t.Errorf("the message is %q, want %q", message, tt.message)
	}
	ts, _ := a.At("timestamp").(string)
	if a.At("status") != float64(tt.status) || a.At("error") != http.StatusText(tt.status) || a.At("exception") != exceptions[tt.status] ||
		a.At("path") != path || !timestamps.MatchString(ts) {
		t.Errorf("the answer is %s", a.Body)
	}
	return a
}

func unknown(token string) string {
	return "ChannelChat config not found for token " + token + " and channel CHATAPI"
}

// TestUnknownTokens are answered before anything else is looked at.
func TestUnknownTokens(t *testing.T) {
	s := newSite(t)
	for under, token := range map[string]string{
		"/chatapi/nope": "nope", "/chatadapter/chatapi/nope": "nope", "/chatapi/bot/nope": "nope", "/chatapi/a%2Fb%20c": "a/b c",
		"/chatapi/messenger": "messenger", "/chatapi/lonely": "lonely", "/chatapi/" + strings.ToLower(mine): strings.ToLower(mine),
		"/chatapi/%D1%8F": "я",
	} {
		for _, tt := range []refusal{
			get("?clientId=77&query=x", 404, unknown(token)), get("", 404, unknown(token)), post("", `{`, 404, unknown(token)), post("/async", ``, 404, unknown(token)),
			get("/events?ts=x", 404, unknown(token)), {"DELETE", "", "", nil, 404, unknown(token)}, post("/client/u/state", `{`, 404, unknown(token)),
			get("/client/u/message/q/status", 404, unknown(token)),
		} {
			if token == "lonely" && tt.method == "DELETE" {
				tt.status, tt.message = 405, "Request method is not supported here"
			}
			s.refuses(t, under, tt)
		}
	}
	s.refuses(t, "/chatapi/off", post("", `{"clientId":"u","query":"x"}`, 400, "this channel takes nothing now: the task is stopped…"))
}

// TestUnknownPaths: what is not served, and what belongs to other channels.
func TestUnknownPaths(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{
		"/chatapi/", "/chatadapter/chatapi/", "/chatapi/bot", "/chatapi/bot/", "/chatapi/webhook", "/chatapi/webhook/zenbox/x", "/chatapi/webhook/" + mine,
		"/chatapi/bot/webhook", "/chatapi/bot/bot", "/chatadapter/chatapi/bot/" + mine, "/chatadapter/chatapi/webhook",
		at + "/nothing", at + "/events/more", at + "/client", at + "/client/u", at + "/client/u/nothing", at + "/client/u/message", at + "/client/u/message/q",
		at + "/client/u/message/q/nothing", at + "/client/u/message/q/status/more", at + "/client/u/history/more", at + "/clients/u/history",
		at + "/async/%ff", at + "/client/%00/history", at + "/client/u%2Fhistory", at + "%2Fasync/x",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "DELETE"} {
			a := s.refuses(t, "", refusal{method: method, path: path, status: 404, message: noPath})
			if a.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: a page can't read the refusal", path)
			}
		}
	}
}

// TestWrongMethods: 405 with the right ones in Allow.
func TestWrongMethods(t *testing.T) {
	s := newSite(t)
	for path, allow := range map[string]string{
		"": "POST, GET, OPTIONS", "/async": "POST, OPTIONS", "/events": "GET, OPTIONS", "/client/u/history": "GET, HEAD, OPTIONS",
		"/client/u/state": "POST, GET, HEAD, OPTIONS", "/client/u/message-statuses": "POST, OPTIONS", "/client/u/message-not-read-count": "GET, HEAD, OPTIONS",
		"/client/u/message/q/status": "POST, GET, HEAD, OPTIONS",
	} {
		for _, method := range []string{"DELETE", "PUT", "PATCH", "TRACE", "get", "GET", "POST", "HEAD"} {
			if method == "TRACE" || strings.Contains(", "+allow+",", " "+method+",") {
				continue
			}
			a := wiretest.Ask{Method: method, Path: at + path}.Do(t, s).Must(405)
			if a.Header.Get("Allow") != allow || method != "HEAD" && a.At("message") != "Request method is not supported here" {
				t.Errorf("%s %s: %q, %s", method, path, a.Header.Get("Allow"), a.Body)
			}
		}
	}
	for _, path := range []string{"/client/u/history", "/client/u/state", "/client/u/message-not-read-count"} {
		s.do("HEAD", path, "").Must(200)
	}
	s.do("HEAD", "/client/u/message/q/status", "").Must(404)
}

// TestNoAnswerInTime is 408 in the vendor's words.
func TestNoAnswerInTime(t *testing.T) {
	soon := chat.Duration(time.Millisecond)
	s := newSite(t, func(c *chat.Channel) { c.SyncTimeout = &soon })
	s.refuses(t, at, post("", `{"clientId":"u","query":"x"}`, 408, "Request timeout"))
	s.refuses(t, at, get("?clientId=u&query=x", 408, "Request timeout"))
	if n := len(s.seen(mine, "u", 0, 0)); n != 2 {
		t.Errorf("%d events, want the two questions", n)
	}
}
