package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// readyPatience is how long a check may take before the server counts as not
// ready.
const readyPatience = 2 * time.Second

// health answers /healthz and /readyz.
type health struct {
	store    chat.Store
	stopping atomic.Bool
}

// live says that the process answers; a restart is the cure when it doesn't.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, map[string]string{"status": "ok", "version": Version()})
}

// ready says whether calls should come here: the store must commit and read
// now, and the server must not be stopping.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	checks := map[string]string{"status": "ready", "write": "ok", "read": "ok"}
	status := http.StatusOK
	fail := func(check, why string) {
		checks[check], checks["status"], status = why, "not ready", http.StatusServiceUnavailable
	}
	if h.stopping.Load() {
		fail("stopping", "the server is stopping")
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	if err := h.store.Update(ctx, chat.PriorityNormal, h.touch); err != nil {
		fail("write", chat.ErrorMessage(err))
	}
	err := h.store.View(ctx, func(rd chat.Reader) error {
		_, err := rd.SettingsVersion()
		return err
	})
	if err != nil {
		fail("read", chat.ErrorMessage(err))
	}
	writeHealth(w, status, checks)
}

// touch writes something: a full disk or a read-only one shows only then.
func (h *health) touch(tx chat.Tx) error {
	return tx.SaveSecret("readiness", strconv.AppendInt(nil, int64(tx.Now()), 10))
}

func writeHealth(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a probe that hung up needs no answer
}
