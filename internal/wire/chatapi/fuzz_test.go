package chatapi

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzPath: a path that is ours has a token, and each id in it comes back from
// its escaped form.
func FuzzPath(f *testing.F) {
	for _, p := range []string{
		"/chatapi/T", "/chatapi/bot/T/async", "/chatadapter/chatapi/a%3Ab/events", "/chatapi/webhook/x", "/chatapi/T/client/u%2F4/state",
		"/chatapi/T/client/%25/message/%00/status", "/chatapi//", "/chatapi/T/client//history", "/x", "", "/chatapi/%zz",
	} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		p, ok := parsePath(escaped)
		if !ok {
			return
		}
		if p.token == "" || p.token == "bot" || p.token == "webhook" || len(p.methods) == 0 {
			t.Fatalf("%q is %+v", escaped, p)
		}
		for _, id := range []string{p.token, p.client, p.message} {
			if !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
				t.Fatalf("%q has the id %q", escaped, id)
			}
		}
		again := "/chatapi/" + url.PathEscape(p.token)
		if p.client == "" {
			return
		}
		again += "/client/" + url.PathEscape(p.client) + "/history"
		if q, ok := parsePath(again); !ok || q.token != p.token || q.client != p.client {
			t.Fatalf("%q is %+v, then %q is %+v", escaped, p, again, q)
		}
	})
}

// FuzzMoment: what is understood lies after 1970, and is written as it was read.
func FuzzMoment(f *testing.F) {
	for _, text := range []string{"2024-05-01T10:00:00.000", "1714557600000", "1714557600.5", "0", "99999999999", "100000000000", "-1", "1e9", "", "２０２４"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseMoment("ts", text)
		if err != nil {
			return
		}
		if at < 0 || at%1000 != 0 {
			t.Fatalf("%q is %d µs", text, at)
		}
		if timestampForm.MatchString(text) && timestamp(at) != text[:19]+"."+text[20:] {
			t.Fatalf("%q is %s", text, timestamp(at))
		}
	})
}

// FuzzQuestion: a body that is understood has the fields it says.
func FuzzQuestion(f *testing.F) {
	for _, body := range []string{
		`{"clientId":"u","query":"x"}`, `{"clientId":12345678901234567890,"event":"e","data":[1]}`, `{"clientId":true}`, `{"cid":-1.5e3}`, `[]`, `null`, ``,
		`{"clientId":"\ud800","query":null}`, `{"questionId":1,"clientInfo":{"firstName":"A","lastName":7}}`, `{"data":{"subject":"Re: x"}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := decodeQuestion(body)
		if err != nil {
			return
		}
		for _, text := range []string{q.ClientID, q.Query, q.Event, q.CID, q.id("key")} {
			if !utf8.ValidString(text) {
				t.Fatalf("%q has the text %q", body, text)
			}
		}
		if data := q.data(); data != nil && !json.Valid(data) {
			t.Fatalf("%q has the data %q", body, data)
		}
		if _, _, err := profile(q.ClientInfo); err != nil {
			return
		}
	})
}
