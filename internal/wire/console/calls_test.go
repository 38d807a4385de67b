package console_test

import (
	"net/http"
	"strings"
	"testing"
)

// An integrator sees why a call of his company failed, and nothing of others.
func TestFailedCalls(t *testing.T) {
	d := newDesk(t)
	ours, theirs := d.Acme.Key("all"), d.Rival.Key("all")
	d.get(t, ours, "conversations?limit=pigeon").Must(http.StatusBadRequest)
	d.get(t, theirs, "conversations/1").Must(http.StatusNotFound)
	d.get(t, "nobody", "conversations").Must(http.StatusUnauthorized)
	a := d.get(t, ours, "calls").Must(http.StatusOK)
	items, _ := a.At("items").([]any)
	if len(items) != 1 {
		t.Fatalf("%d failures, want the company's own one: %s", len(items), a.Body)
	}
	f := items[0].(map[string]any)
	if f["route"] != "/console/api/conversations" || f["status"] != 400.0 || f["field"] != "limit" || f["remote"] != "192.0.2.1" ||
		!strings.HasPrefix(f["actor"].(string), "api_key ") || f["reason"] == "" || f["request_id"] == "" {
		t.Errorf("the failure: %s", a.Body)
	}
}
