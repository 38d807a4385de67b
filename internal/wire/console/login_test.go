package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

func credentials(login, password string) string {
	return fmt.Sprintf(`{"login":%q,"password":%q}`, login, password)
}

func TestLogin(t *testing.T) {
	d := newDesk(t)
	for _, login := range []string{"ann", "ann@example.com"} {
		a := d.post(t, "", "login", credentials(login, wiretest.Password)).Must(http.StatusOK)
		token, _ := a.At("token").(string)
		if len(token) != 48 || a.At("operator", "login") != "ann" || a.At("operator", "name") != "Anna" || a.At("operator", "role") != "operator" {
			t.Fatalf("%s: %s", login, a.Body)
		}
		cookie := a.Header.Get("Set-Cookie")
		for _, part := range []string{auth.CookieName + "=" + token, "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q lacks %s", cookie, part)
			}
		}
		me := d.get(t, token, "me").Must(http.StatusOK)
		if me.At("operator", "login") != "ann" || me.At("operator", "id") != a.At("operator", "id") {
			t.Errorf("me is %s", me.Body)
		}
	}
	if strings.Contains(d.Log.String(), wiretest.Password) {
		t.Error("the password is in the log")
	}
}

func TestLoginRefuses(t *testing.T) {
	d := newDesk(t)
	for name, tt := range map[string]struct {
		body        string
		status      int
		code, field string
	}{
		"no login":             {`{"password":"x"}`, 400, "missing", "login"},
		"no password":          {`{"login":"ann"}`, 400, "missing", "password"},
		"nothing":              {``, 400, "missing", "login"},
		"a number":             {`{"login":1,"password":"x"}`, 400, "invalid", "login"},
		"an unknown field":     {`{"login":"ann","password":"x","otp":"1"}`, 400, "invalid", "otp"},
		"a very long password": {credentials("ann", strings.Repeat("x", 1025)), 413, "too_large", "password"},
		"a large body":         {`{"login":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too_large", ""},
		"not JSON":             {`login=ann`, 400, "invalid", ""},
		"a list":               {`[]`, 400, "invalid", ""},
		"a key twice":          {`{"login":"a","login":"b","password":"x"}`, 400, "invalid", "login"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, d.post(t, "", "login", tt.body), tt.status, tt.code, tt.field) })
	}
	wrong := d.post(t, "", "login", credentials("ann", "wrong password"))
	refused(t, wrong, 401, "unauthorized", "")
	if unknown := d.post(t, "", "login", credentials("nobody", "wrong password")); unknown.Body != wrong.Body || unknown.Status != wrong.Status {
		t.Errorf("an unknown login is told from a wrong password: %s, %s", unknown.Body, wrong.Body)
	}
	if wrong.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie without a session")
	}
}

func TestLoginFromAForeignPage(t *testing.T) {
	d := newDesk(t)
	for header, status := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200} {
		a := wiretest.Ask{
			Method: "POST", Path: "/console/api/login", Body: credentials("ann", wiretest.Password), Header: map[string]string{"Sec-Fetch-Site": header},
		}.Do(t, d.handler)
		if a.Status != status {
			t.Errorf("%s: %d %s", header, a.Status, a.Body)
		}
	}
}

func TestLoginIsThrottled(t *testing.T) {
	d := newDesk(t)
	for range 5 { // successes cost nothing
		d.post(t, "", "login", credentials("ann", wiretest.Password)).Must(http.StatusOK)
	}
	for range 3 {
		d.post(t, "", "login", credentials("ann", "wrong password")).Must(http.StatusUnauthorized)
	}
	a := d.post(t, "", "login", credentials("ann", wiretest.Password))
	refused(t, a, 429, "throttled", "")
	if a.Header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	d.post(t, "", "login", credentials("sue", wiretest.Password)).Must(http.StatusOK)
	d.Clock.Advance(time.Minute)
	d.post(t, "", "login", credentials("ann", wiretest.Password)).Must(http.StatusOK)
}

func TestLogout(t *testing.T) {
	d := newDesk(t)
	token := d.operator(t, "ann")
	a := d.post(t, token, "logout", "").Must(http.StatusOK)
	if !strings.Contains(a.Header.Get("Set-Cookie"), auth.CookieName+"=; ") || !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %q", a.Header.Get("Set-Cookie"))
	}
	refused(t, d.get(t, token, "me"), 401, "unauthorized", "")
}

func TestMeByAPIKey(t *testing.T) {
	d := newDesk(t)
	a := d.get(t, "key-reader", "me").Must(http.StatusOK)
	if a.At("api_key", "name") != "reader" || a.At("operator") != nil || !strings.Contains(a.Body, `"scopes":["conversations:read"]`) {
		t.Error(a.Body)
	}
}

// A browser with nothing but its cookie.
func TestCookieSession(t *testing.T) {
	d := newDesk(t)
	token := d.operator(t, "ann")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	ask := func(method, path, site, kind string) wiretest.Answer {
		header := map[string]string{"Cookie": auth.CookieName + "=" + token}
		if site != "" {
			header["Sec-Fetch-Site"] = site
		}
		return wiretest.Ask{Method: method, Path: "/console/api/" + path, Header: header, Type: kind}.Do(t, d.handler)
	}
	ask("GET", "me", "", "-").Must(http.StatusOK)
	refused(t, ask("POST", path(id, "/take"), "cross-site", "application/json"), 403, "forbidden", "")
	refused(t, ask("POST", path(id, "/take"), "", "application/json"), 403, "forbidden", "")
	refused(t, ask("POST", path(id, "/take"), "same-origin", "-"), 403, "forbidden", "")
	refused(t, ask("POST", path(id, "/take"), "same-origin", "text/plain"), 403, "forbidden", "")
	ask("POST", path(id, "/take"), "same-origin", "application/json").Must(http.StatusOK)
	ask("POST", "logout", "same-origin", "application/json").Must(http.StatusOK)
	refused(t, ask("GET", "me", "", "-"), 401, "unauthorized", "")
}
