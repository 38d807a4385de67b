package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// Reply is an answer of the server.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body.
func (r Reply) JSON(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.Body, &v); err != nil {
		t.Fatalf("answer %d is no JSON object: %v: %s", r.Status, err, r.Body)
	}
	return v
}

// Call makes one request. body is sent as JSON unless it is a string or nil.
func Call(t testing.TB, method, url string, body any, headers ...string) Reply {
	t.Helper()
	r, err := TryCall(method, url, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return r
}

// TryCall is Call for a server that may be gone.
func TryCall(method, url string, body any, headers ...string) (Reply, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = bytes.NewReader([]byte(b))
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			return Reply{}, err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequest(method, url, reader)
	if err != nil {
		return Reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	return Reply{resp.StatusCode, resp.Header, content}, err
}
