package chat_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestExport: what was applied comes back as documents that change nothing, in
// the order of making, with ids and without what is only a hash.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	barred := true
	if err := w.EditOperator(w.ctx, owner, "bob", chat.OperatorEdit{Disabled: &barred}); err != nil {
		t.Fatal(err)
	}
	setups, err := w.Export(w.ctx, owner, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(setups) != 2 || setups[0].Tenant != "acme" || setups[1].Tenant != "rival" {
		t.Fatalf("exported are %d documents", len(setups))
	}
	text, err := json.Marshal(setups)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"hash", "password", "k-bridge", "disabled", `"previous`} {
		if strings.Contains(string(text), kept) {
			t.Errorf("the export has %q: %s", kept, text)
		}
	}
	if integration := setups[0].Integrations[0]; integration.ID == 0 || integration.Name != "all" {
		t.Errorf("the first integration is %+v", integration)
	}
	for _, a := range w.apply(t, setups...) {
		if a.Change != chat.ChangeUnchanged {
			t.Errorf("applying it again: %s %q is %s", a.Kind, a.Name, a.Change)
		}
	}
	one, err := w.Export(w.ctx, owner, "rival")
	if err != nil || len(one) != 1 || !reflect.DeepEqual(one[0], setups[1]) {
		t.Errorf("the export of one tenant is %+v, error %v", one, err)
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for who, actor := range map[string]chat.Actor{"an API key": w.bridge(), "an admin of a tenant": w.operator("root"), "nobody": {}} {
		if _, err := w.Export(w.ctx, actor, ""); chat.ErrorCode(err) != chat.CodeForbidden {
			t.Errorf("%s: %v, want CodeForbidden", who, err)
		}
	}
	if _, err := w.Export(w.ctx, owner, "nobody"); chat.ErrorCode(err) != chat.CodeNotFound {
		t.Errorf("an unknown tenant: %v, want CodeNotFound", err)
	}
}
