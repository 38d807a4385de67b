package delivery_test

import (
	"encoding/json"
	"strings"
	"sync"
)

// lines collects log lines.
type lines struct {
	mu  sync.Mutex
	all []map[string]any
	raw strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := map[string]any{}
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	l.all = append(l.all, line)
	return l.raw.Write(p)
}

// of returns the lines with a message.
func (l *lines) of(message string) []map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []map[string]any
	for _, line := range l.all {
		if line["msg"] == message {
			list = append(list, line)
		}
	}
	return list
}
