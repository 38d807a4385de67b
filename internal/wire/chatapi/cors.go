package chatapi

import (
	"net/http"

	"github.com/tolmach/tolmach/internal/chat"
)

// cors lets pages of other sites call: of any, unless the channel names the
// origins it allows. It is false for an origin that the channel does not allow.
// Callers that are no page have no origin and always may (specs/chatapi.md §1).
func cors(w http.ResponseWriter, r *http.Request, channel *chat.Channel) bool {
	origin, allowed := r.Header.Get("Origin"), "*"
	if channel != nil && len(channel.AllowedOrigins) > 0 {
		w.Header().Add("Vary", "Origin")
		if origin == "" {
			return true
		}
		if !channel.AllowsOrigin(origin) {
			return false
		}
		allowed = origin
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", allowed)
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "content-type, idempotency-key, x-requested-with")
		h.Set("Access-Control-Max-Age", "86400")
	}
	return true
}
