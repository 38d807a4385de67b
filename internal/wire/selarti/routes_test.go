package selarti_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

func TestWorkflowNamesAreFolded(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{
		"send_external_message", "send-external-message", "Send-External_Message", "send_external_message/", "send-message-v2", "SEND_MESSAGE_V2",
	} {
		wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/" + name, Token: s.token, Body: s.fields("")}.Do(t, s.mux).Must(http.StatusOK)
	}
}

func TestAliasOfNothing(t *testing.T) {
	if _, err := selarti.New(selarti.Options{Aliases: map[string]string{"a": "b"}}); chat.ErrorCode(err) != chat.CodeInvalid {
		t.Error(err)
	}
}

func TestAddTarget(t *testing.T) {
	s := newSite(t)
	task := selarti.TaskID(s.Acme.Task.Task)
	add := func(body string) wiretest.Answer {
		return wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/add-target", Token: s.token, Body: body}.Do(t, s.mux)
	}
	for range 2 { // a known target is left as it is
		a := add(fmt.Sprintf(`{"task":%q,"target":"@anna"}`, task)).Must(http.StatusOK)
		if a.Body != `{"status":"success","response":{}}`+"\n" {
			t.Errorf("answered %s", a.Body)
		}
	}
	add(fmt.Sprintf(`{"task_id":%q,"target":998901234567}`, task)).Must(http.StatusOK)
	for body, message := range map[string]string{
		`{"target":"@a"}`:                            "Missing parameter for workflow add_target: parameter task",
		fmt.Sprintf(`{"task":%q}`, task):             "Missing parameter for workflow add_target: parameter target",
		fmt.Sprintf(`{"task":%q,"target":{}}`, task): "Invalid parameter for workflow add_target: parameter target: ",
		`{"task":"nonsense","target":"@a"}`:          "Invalid parameter for workflow add_target: parameter task: ",
	} {
		a := add(body).Must(http.StatusBadRequest)
		if got, _ := a.At("body", "message").(string); !strings.HasPrefix(got, message) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	if len(s.conversations(t)) != 0 || len(queue(t, s.World)) != 0 {
		t.Error("a target must start no dialog")
	}
}

func TestPages(t *testing.T) {
	s := newSite(t)
	s.send(t, s.fields("")).Must(http.StatusOK)
	share := "/share/" + s.conversations(t)[0].ShareToken
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/panel?menu=chats&thread=1732700000000x300000000000000001", 200}, {"HEAD", "/panel", 200}, {"POST", "/panel", 405},
		{"GET", "/frame?channel=1732603656932x383344135484473340", 200}, {"POST", "/frame", 405},
		{"GET", share, 200}, {"POST", share, 403}, {"DELETE", share, 403}, {"POST", share + "/messages", 403}, {"GET", share + "/messages", 404},
		{"GET", "/share/nonsense", 404}, {"GET", "/share/" + strings.Repeat("0", 32), 404}, {"POST", "/share/nonsense", 403},
		{"GET", share + "%00", 404}, {"GET", strings.ToUpper(share[:8]) + share[8:], 404},
	} {
		a := wiretest.Ask{Method: tt.method, Path: tt.path}.Do(t, s.mux)
		if a.Status != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, a.Status, tt.status)
		}
		if strings.Contains(a.Body, "Sunday") || strings.Contains(a.Body, "123456789") || strings.Contains(a.Body, "<form") {
			t.Errorf("%s shows data: %s", tt.path, a.Body)
		}
		if tt.status != 200 || tt.method != "GET" {
			continue
		}
		csp, embeddable := a.Header.Get("Content-Security-Policy"), strings.HasPrefix(tt.path, "/frame")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "frame-ancestors *") != embeddable ||
			a.Header.Get("X-Robots-Tag") != "noindex, nofollow" || !strings.Contains(a.Body, `name="robots" content="noindex`) {
			t.Errorf("%s: %v", tt.path, a.Header)
		}
		if !strings.Contains(a.Body, "not part of this build") || !strings.Contains(a.Body, "В эту сборку") {
			t.Errorf("%s does not say what is missing, in both languages: %s", tt.path, a.Body)
		}
	}
}

// The patterns must live beside the console's catch-all.
func TestRoutesBesideACatchAll(t *testing.T) {
	s := newSite(t)
	s.mux.HandleFunc("/", http.NotFound)
	s.send(t, s.fields("")).Must(http.StatusOK)
}
