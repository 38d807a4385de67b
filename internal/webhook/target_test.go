package webhook

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckURLAccepts(t *testing.T) {
	for _, raw := range []string{
		"http://example.com", "https://example.com/hook?token=1#x", "HTTPS://EXAMPLE.COM/", "https://user:pass@example.com/",
		"http://example.com:8080/", "http://[2606::1]:443/", "https://пример.рф/", "http://127.0.0.1:9701/", // addresses are checked when dialled
	} {
		if err := CheckURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	f.Add("https", "user", "pass", "example.com", "a=b")
	f.Add("http", "us/er", "pa%ss", "[::1", "%zz")
	f.Add("ftp", "", "", "h:99999", "")
	f.Add("", "@", "#", "\x7f", "\n")
	f.Fuzz(func(t *testing.T, scheme, user, pass, host, query string) {
		const secret = "s3cr3tT0k3n"
		raw := scheme + "://" + user + ":" + secret + pass + "@" + host + "/?t=" + secret + query
		err := CheckURL(raw)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the error for %q tells the secret: %v", raw, err)
			}
			return
		}
		target, err := url.Parse(raw)
		if err != nil || target.Hostname() == "" || target.Scheme != "http" && target.Scheme != "https" {
			t.Fatalf("%q was accepted (%v)", raw, err)
		}
	})
}
