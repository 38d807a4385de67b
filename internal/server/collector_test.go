package server

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is what an OTLP collector was sent.
type collected struct {
	url string

	mu       sync.Mutex
	spans    []*otlp.Span
	resource []string // key=value
	raw      []byte   // every body
}

// startCollector takes OTLP over HTTP as protobuf.
func startCollector(t *testing.T) *collected {
	t.Helper()
	c := &collected{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading traces: %v", err)
		}
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Errorf("decoding traces: %v", err)
		}
		c.take(body, &request)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

func (c *collected) take(body []byte, request *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, body...)
	for _, r := range request.ResourceSpans {
		c.resource = texts(r.Resource.Attributes)
		for _, s := range r.ScopeSpans {
			c.spans = append(c.spans, s.Spans...)
		}
	}
}

// texts are attributes as key=value.
func texts(attributes []*common.KeyValue) []string {
	var all []string
	for _, a := range attributes {
		all = append(all, a.Key+"="+a.Value.GetStringValue())
	}
	return all
}

// of are the spans of one trace, by the time they began.
func (c *collected) of(trace string) []*otlp.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var spans []*otlp.Span
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == trace {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b *otlp.Span) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	return spans
}

// paths are the names from the root to each span of a trace.
func (c *collected) paths(trace string) []string {
	spans := c.of(trace)
	byID := map[string]*otlp.Span{}
	for _, s := range spans {
		byID[string(s.SpanId)] = s
	}
	var paths []string
	for _, s := range spans {
		names := []string{s.Name}
		for up := byID[string(s.ParentSpanId)]; up != nil; up = byID[string(up.ParentSpanId)] {
			names = append([]string{up.Name}, names...)
		}
		paths = append(paths, strings.Join(names, " > "))
	}
	return paths
}

// number is the value of an attribute, 0 when the span has none.
func number(s *otlp.Span, key string) int64 {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetIntValue()
		}
	}
	return 0
}

// text is the same of a text.
func text(s *otlp.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}
