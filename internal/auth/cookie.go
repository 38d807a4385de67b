package auth

import (
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// CookieName is the cookie that holds an operator's session.
const CookieName = "tolmach_session"

// Session returns the actor of a call to our own API: by bearer token, or by
// the cookie of an operator's session. A browser sends cookies on behalf of any
// page, so a request that changes something and shows only a cookie must come
// from our own pages, as JSON, which no foreign form can send. Errors:
// CodeUnauthorized, CodeForbidden for a foreign page.
func (g *Gate) Session(r *http.Request) (chat.Actor, error) {
	token := cookieToken(r)
	if token == "" || bearerToken(r) != "" { // without either, Bearer says what to send
		return g.Bearer(r)
	}
	if err := g.checkOrigin(r); err != nil {
		return chat.Actor{}, err
	}
	return g.operator(r.Context(), token)
}

// SessionToken returns the token that Session looked at, "" when there is none.
func (g *Gate) SessionToken(r *http.Request) string {
	if token := bearerToken(r); token != "" {
		return token
	}
	return cookieToken(r)
}

// SetCookie gives the browser an operator's session for the given life.
func (g *Gate) SetCookie(w http.ResponseWriter, r *http.Request, token string, life time.Duration) {
	http.SetCookie(w, g.cookie(r, token, int(life.Seconds())))
}

// DropCookie takes the session from the browser.
func (g *Gate) DropCookie(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, g.cookie(r, "", -1))
}

func (g *Gate) cookie(r *http.Request, token string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure follows the request: over plain http a browser would not keep the cookie
		Name: CookieName, Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: IsHTTPS(r, g.Trusted),
	}
}

func cookieToken(r *http.Request) string {
	c, err := r.Cookie(CookieName)
	if err != nil || len(c.Value) > maxToken {
		return ""
	}
	return c.Value
}

// checkOrigin refuses what a foreign page could have sent.
func (g *Gate) checkOrigin(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return chat.Errorf(chat.CodeForbidden, "with a cookie, send Content-Type: application/json; or use a bearer token")
	}
	if !g.sameOrigin(r) {
		return chat.Errorf(chat.CodeForbidden, "with a cookie, only pages of this server may send this; or use a bearer token")
	}
	return nil
}

// sameOrigin says whether the request names its page, and it is ours.
func (g *Gate) sameOrigin(r *http.Request) bool {
	ours, known := g.origin(r)
	return known && ours
}

// Foreign says whether the request names its page, and it is not ours.
// Programs name none.
func (g *Gate) Foreign(r *http.Request) bool {
	ours, known := g.origin(r)
	return known && !ours
}

// origin trusts Sec-Fetch-Site, which no page can set, and compares Origin in
// browsers that don't send it.
func (g *Gate) origin(r *http.Request) (ours, known bool) {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin":
		return true, true
	case "none": // the user himself: typed in, or a bookmark
		return false, false
	default:
		return false, true
	}
	header := r.Header.Get("Origin")
	if header == "" {
		return false, false
	}
	u, err := url.Parse(header)
	return err == nil && u.Host != "" && (u.Host == r.Host || u.Host == g.publicHost), true
}
