package webhook

import (
	"net/http"
	"testing"
	"time"
)

func TestClassOfStatus(t *testing.T) {
	want := map[int]Class{
		200: Delivered, 201: Delivered, 202: Delivered, 204: Delivered, 206: Delivered, 299: Delivered,
		300: Retry, 301: Retry, 302: Retry, 303: Retry, 304: Retry, 307: Retry, 308: Retry, 399: Retry,
		400: Refused, 401: Refused, 402: Refused, 403: Refused, 404: Refused, 405: Refused, 409: Refused,
		411: Refused, 413: Refused, 415: Refused, 422: Refused, 424: Refused, 426: Refused, 428: Refused, 499: Refused,
		408: Retry, 425: Retry, 429: Retry, 410: Gone,
		500: Retry, 501: Retry, 502: Retry, 503: Retry, 504: Retry, 599: Retry,
		0: Retry, 100: Retry, 199: Retry, 600: Retry, 999: Retry,
	}
	for status, class := range want {
		if got := classOf(status); got != class {
			t.Errorf("%d is %v, want %v", status, got, class)
		}
	}
}

func TestClassNames(t *testing.T) {
	for class, want := range map[Class]string{Retry: "retry", Delivered: "delivered", Refused: "refused", Gone: "gone"} {
		if class.String() != want {
			t.Errorf("%d is called %q, want %q", class, class, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"1", time.Second},
		{"120", 2 * time.Minute},
		{" 5 ", 5 * time.Second},
		{"007", 7 * time.Second},
		{"3600", time.Hour},
		{"3601", time.Hour},
		{"86400", time.Hour},
		{"9223372036854775807", time.Hour},
		{"99999999999999999999999999", time.Hour},
		{"-1", 0},
		{"+1", 0},
		{"1.5", 0},
		{"1e3", 0},
		{"0x10", 0},
		{"1 2", 0},
		{"soon", 0},
		{"٣", 0},
		{at.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{"Sunday, 01-Mar-26 12:01:30 GMT", 90 * time.Second},
		{at.Add(90 * time.Second).Format(time.ANSIC), 90 * time.Second},
		{at.Format(http.TimeFormat), 0},
		{at.Add(-time.Hour).Format(http.TimeFormat), 0},
		{at.Add(2 * time.Hour).Format(http.TimeFormat), time.Hour},
		{"Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
		{"Mon, 01 Jan 0001 00:00:00 GMT", 0},
		{at.Add(time.Minute).Format(time.RFC3339), 0},
	} {
		if got := retryAfter(tt.value, at); got != tt.want {
			t.Errorf("Retry-After: %q is %v, want %v", tt.value, got, tt.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"120", "-1", "99999999999999999999", "Sun, 01 Mar 2026 12:01:30 GMT", "Sunday, 01-Mar-26 12:01:30 GMT", "x"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := retryAfter(value, at); got < 0 || got > time.Hour {
			t.Fatalf("Retry-After: %q is %v", value, got)
		}
	})
}

func TestProblemSpeaksToTheOwner(t *testing.T) {
	for _, tt := range []struct {
		reply Reply
		want  string
	}{
		{Reply{Class: Delivered, Status: 200}, ""},
		{Reply{Class: Retry, Status: 503}, "the endpoint answered 503 Service Unavailable"},
		{Reply{Class: Retry, Status: 599}, "the endpoint answered 599"},
		{Reply{Class: Refused, Status: 404}, "the endpoint answered 404 Not Found"},
		{Reply{Class: Gone, Status: 410}, "the endpoint answered 410 Gone: it wants no more events"},
		{Reply{Class: Retry, Status: 302}, "the endpoint answered 302 Found: redirects are not followed, set the URL to the final address"},
		{Reply{Class: Retry, Err: &failure{text: "no complete answer within 15s"}}, "no complete answer within 15s"},
	} {
		if got := tt.reply.Problem(); got != tt.want {
			t.Errorf("Problem() = %q, want %q", got, tt.want)
		}
	}
}
