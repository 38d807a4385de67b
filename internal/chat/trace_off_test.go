package chat

import "testing"

// TestTracingOffCostsNothing: what a use case does for a trace when nobody
// follows it allocates nothing.
func TestTracingOffCostsNothing(t *testing.T) {
	var off Tracing
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		traceparent, ended := off.begin(ctx)
		if traceparent != "" {
			t.Error("there is a trace")
		}
		ended(nil, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
