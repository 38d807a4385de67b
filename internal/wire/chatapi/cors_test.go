package chatapi_test

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// TestPreflight: a page of any site may send JSON.
func TestPreflight(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"", "/async", "/events", "/client/u/history", "/client/u/state", "/client/u/message-statuses", "/client/u/message-not-read-count", "/client/u/message/q/status"} {
		a := wiretest.Ask{Method: "OPTIONS", Path: at + path, Header: map[string]string{
			"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type",
		}}.Do(t, s).Must(200)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Access-Control-Max-Age": "86400",
			"Access-Control-Allow-Headers": "content-type, idempotency-key, x-requested-with", "Access-Control-Allow-Credentials": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	s.refuses(t, "/chatapi/nope", refusal{method: "OPTIONS", status: 404, message: unknown("nope")})
}

// TestSimpleRequests need no preflight: their type is none of JSON.
func TestSimpleRequests(t *testing.T) {
	s := newSite(t)
	for _, kind := range []string{"text/plain;charset=UTF-8", "text/plain", "-", "application/json", "application/x-www-form-urlencoded"} {
		a := wiretest.Ask{Method: "POST", Path: at + "/async", Body: `{"clientId":"u","query":"x"}`, Type: kind, Header: map[string]string{"Origin": "null"}}.Do(t, s).Must(200)
		if a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: a page can't read the answer", kind)
		}
	}
	if a := s.refuses(t, at, post("", `{`, 400, "…")); a.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a page can't read a refusal")
	}
}

// TestAllowedOrigins: a channel may name the sites whose pages may call; callers
// that are no page always may.
func TestAllowedOrigins(t *testing.T) {
	s := newSite(t, func(c *chat.Channel) { c.AllowedOrigins = []string{"https://shop.example", "https://*.pages.example"} })
	for origin, allowed := range map[string]bool{
		"": true, "https://shop.example": true, "https://SHOP.example": true, "https://a.pages.example": true, "https://a.b.pages.example": true,
		"https://shop.example.evil": false, "http://shop.example": false, "https://evil/.pages.example": false, "null": false, "https://shop.example:444": false,
	} {
		for _, method := range []string{"OPTIONS", "POST"} {
			status := map[bool]int{true: 200, false: 403}[allowed]
			a := wiretest.Ask{Method: method, Path: at + "/async", Body: `{"clientId":"u","query":"x"}`, Header: map[string]string{"Origin": origin}}.Do(t, s).Must(status)
			want := ""
			if allowed {
				want = origin
			}
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != want || a.Header.Get("Vary") != "Origin" {
				t.Errorf("%s %q: allowed is %q, varies by %q", method, origin, got, a.Header.Get("Vary"))
			}
		}
	}
	a := wiretest.Ask{Method: "GET", Path: at + "/events", Header: map[string]string{"Origin": "https://evil.example"}}.Do(t, s).Must(403)
	if a.At("exception") != "AccessDeniedException" || a.At("message") != "This origin is not among the channel's allowed_origins" {
		t.Errorf("the refusal is %s", a.Body)
	}
}
