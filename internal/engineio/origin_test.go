package engineio

import (
	"net/http"
	"testing"
)

// specs/live.md §2.6, §2.7: no origin, the same host, the list; always the concrete origin with credentials.
func TestOrigins(t *testing.T) {
	h := open(t, Config{Origins: []string{"https://shop.example"}})
	cases := map[string]int{
		"":                             200,
		h.url:                          200,
		"https://shop.example":         200,
		"https://evil.example":         403,
		"http://shop.example":          403,
		"https://shop.example.evil.ru": 403,
		"null":                         403,
		"://":                          403,
	}
	for origin, want := range cases {
		r, err := http.NewRequest("GET", h.url+"/engine.io/?EIO=3&transport=polling", nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		a := h.do(r)
		allowed, credentials := a.header.Get("Access-Control-Allow-Origin"), a.header.Get("Access-Control-Allow-Credentials")
		if a.status != want || want == 200 && (allowed != origin || (credentials == "true") != (origin != "")) || want == 403 && allowed != "" {
			t.Errorf("origin %q: %d, allowed %q, credentials %q", origin, a.status, allowed, credentials)
		}
	}
}

func TestPreflight(t *testing.T) {
	h := open(t, Config{Origins: []string{"*"}})
	r, err := http.NewRequest("OPTIONS", h.url+"/engine.io/?EIO=4&transport=polling&sid=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://any.example")
	r.Header.Set("Access-Control-Request-Headers", "content-type")
	a := h.do(r)
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://any.example" ||
		a.header.Get("Access-Control-Allow-Headers") != "content-type" || a.header.Get("Vary") != "Origin" {
		t.Errorf("%d %v", a.status, a.header)
	}
}
