package delivery

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestNobodyObservesAtNoCost: the hook of a try allocates nothing when it is
// not set.
func TestNobodyObservesAtNoCost(t *testing.T) {
	r, w := &runner{engine: New(Options{}), endpoint: &endpoint{}, calls: t.Context()}, &chat.Work{}
	if n := testing.AllocsPerRun(1000, func() {
		ctx, ended := r.begin(w)
		if ctx != r.calls {
			t.Error("the call runs under another context")
		}
		ended("delivered", 200)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
