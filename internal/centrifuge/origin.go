package centrifuge

import "net/http"

// originAllowed answers requests from other sites that may not be here with 403.
func (s *Server) originAllowed(w http.ResponseWriter, r *http.Request) bool {
	if s.cfg.CheckOrigin(r) {
		return true
	}
	http.Error(w, "requests from this origin are not allowed", http.StatusForbidden)
	return false
}

// crossOrigin lets browsers of allowed sites read the answer and send what they
// must ask for first. It returns false if the request is answered.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request, method string) bool {
	if !s.originAllowed(w, r) {
		return false
	}
	h := w.Header()
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
	}
	switch r.Method {
	case method:
		return true
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", method)
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", method)
		http.Error(w, "use "+method, http.StatusMethodNotAllowed)
	}
	return false
}
