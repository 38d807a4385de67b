package chatapi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// path is a request's path, taken apart. What is escaped stays one segment.
type path struct {
	token   string
	client  string
	message string
	methods []method // what is served there
}

// parsePath reads an escaped path. It is false for a path that is none of the
// dialect's: /chatapi/webhook/… belongs to other channels (specs/chatapi.md §1).
func parsePath(escaped string) (path, bool) {
	rest := ""
	for _, prefix := range prefixes {
		if after, ok := strings.CutPrefix(escaped, prefix); ok {
			rest = after
			break
		}
	}
	segments := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	for i, s := range segments {
		text, err := url.PathUnescape(s)
		if err != nil || text == "" || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return path{}, false
		}
		segments[i] = text
	}
	p := path{token: segments[0]}
	if p.token == "webhook" || p.token == "bot" {
		return path{}, false
	}
	p.methods = p.find(segments[1:])
	return p, p.methods != nil
}

// find looks up what follows the token.
func (p *path) find(segments []string) []method {
	switch {
	case len(segments) == 0:
		return []method{{verb: http.MethodPost, run: (*Dialect).ask}, {verb: http.MethodGet, run: (*Dialect).askSimply}}
	case len(segments) == 1:
		return map[string][]method{
			"async":  {{verb: http.MethodPost, run: (*Dialect).askAsync}},
			"events": {{verb: http.MethodGet, run: (*Dialect).events}},
		}[segments[0]]
	case segments[0] != "client":
		return nil
	}
	p.client = segments[1]
	if len(segments) == 3 {
		return map[string][]method{
			"history":                {{http.MethodGet, (*Dialect).history, true}},
			"state":                  {{http.MethodPost, (*Dialect).saveState, false}, {http.MethodGet, (*Dialect).state, true}},
			"message-statuses":       {{http.MethodPost, (*Dialect).setStatuses, false}},
			"message-not-read-count": {{http.MethodGet, (*Dialect).unread, true}},
		}[segments[2]]
	}
	if len(segments) == 5 && segments[2] == "message" && segments[4] == "status" {
		p.message = segments[3]
		return []method{{http.MethodPost, (*Dialect).setStatus, false}, {http.MethodGet, (*Dialect).status, true}}
	}
	return nil
}

// method picks the method of the verb, or says which ones there are. HEAD is a
// GET whose body is not sent, where that loses nothing.
func (p *path) method(w http.ResponseWriter, verb string) (method, error) {
	allowed := make([]string, 0, 4)
	for _, m := range p.methods {
		if m.verb == verb || m.reads && verb == http.MethodHead {
			return m, nil
		}
		allowed = append(allowed, m.verb)
		if m.reads {
			allowed = append(allowed, http.MethodHead)
		}
	}
	w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
	return method{}, errMethod
}
