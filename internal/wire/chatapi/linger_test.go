package chatapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// What a call may wait is beside the deadlines that the server has for calls
// that are answered at once.
func TestWaitsOutliveTheServersDeadlines(t *testing.T) {
	short, wait := 100*time.Millisecond, chat.Duration(500*time.Millisecond)
	s := newSite(t, func(c *chat.Channel) { c.SyncTimeout, c.PollCeiling = &wait, &wait })
	server := httptest.NewUnstartedServer(s)
	server.Config.ReadTimeout, server.Config.WriteTimeout = short, short
	server.Start()
	defer server.Close()
	client := server.Client()
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"a poll":                 {"GET", "/events?clientId=u", "", 200, `{"hasMore":false,"events":[]}`},
		"a poll from a moment":   {"GET", "/events?clientId=u&ts=1714557600000", "", 200, `{"hasMore":false,"events":[]}`},
		"a synchronous question": {"POST", "", `{"clientId":"v","query":"hello"}`, 408, `"Request timeout"`},
		"a simple question":      {"GET", "?clientId=w&query=hello", "", 408, `"Request timeout"`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+at+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != c.status || !strings.Contains(string(body), c.says) {
				t.Errorf("%d %s (%v), want %d with %s", answer.StatusCode, body, err, c.status, c.says)
			}
		})
	}
}
