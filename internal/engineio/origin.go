package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAllowed lets pass: no origin, the server's own host, the list (specs/live.md §2.6). Python's WebSocket clients
// always name the host they call; refusing that would keep them on polling without a word.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.config.Origins, "*") || slices.Contains(s.config.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(bareHost(u.Host, u.Scheme), bareHost(r.Host, u.Scheme))
}

// bareHost leaves the default port of the scheme out.
func bareHost(host, scheme string) string {
	switch scheme {
	case "http", "ws":
		return strings.TrimSuffix(host, ":80")
	case "https", "wss":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// allowOrigin writes the CORS headers: always the concrete origin, since Socket.IO 2 clients send credentials, with which
// browsers refuse "*" (specs/live.md §2.7).
func allowOrigin(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// preflight answers an OPTIONS request.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
