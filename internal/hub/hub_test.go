package hub_test

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/hub/hubtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	hubtest.Run(t, func(*testing.T) chat.Bus { return hub.New() })
}

func TestCounters(t *testing.T) {
	h := hub.New()
	sub := h.Subscribe(chat.Topic{TenantID: 1})
	for range 100 {
		h.Publish(chat.Notice{TenantID: 1, ConversationID: 2})
	}
	if got := h.Dropped(); got != 100-64 {
		t.Errorf("dropped %d notices of 100, want the 36 beyond the buffer", got)
	}
	if got := h.Subscribers(); got != 1 {
		t.Errorf("%d subscribers, want 1", got)
	}
	sub.Close()
	sub.Close()
	if got := h.Subscribers(); got != 0 {
		t.Errorf("%d subscribers after Close, want none", got)
	}
}
