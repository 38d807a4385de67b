package engineio

import (
	"encoding/json"
	"net/http"
)

// refusal is an answer that ends a request, as Engine.IO servers write it (specs/twin.md §8.2).
type refusal struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Message }

func badRequest(code int, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, Code: code, Message: message}
}

func refuseTransport() *refusal { return badRequest(0, "Transport unknown") }
func refuseSession() *refusal   { return badRequest(1, "Session ID unknown") }
func refuseMethod() *refusal    { return badRequest(2, "Bad handshake method") }
func refuseRequest() *refusal   { return badRequest(3, "Bad request") }
func refuseProtocol() *refusal  { return badRequest(5, "Unsupported protocol version") }
func refuseForbidden() *refusal {
	return &refusal{status: http.StatusForbidden, Code: 4, Message: "Forbidden"}
}
func refuseBody() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, Code: 3, Message: "Payload too large"}
}
func refuseBusy() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, Code: 3, Message: "Service unavailable"}
}

// write answers the request. A client that is gone misses it: nothing is left to do about that.
func (r *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r) // the client is gone if this fails
}
