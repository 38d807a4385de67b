package chatapi_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// same compares JSON with a pattern of it, key by key, none too many and none
// too few. In the pattern "<text>" is any text but the empty one, "<number>" any
// number, and "<now>" a timestamp, in UTC, of not long ago.
func same(t testing.TB, what string, got []byte, pattern string) {
	t.Helper()
	for _, difference := range compare("", decode[any](t, got), decode[any](t, []byte(pattern))) {
		t.Errorf("%s: %s\nin %s", what, difference, got)
	}
}

func compare(at string, got, want any) []string {
	switch want := want.(type) {
	case map[string]any:
		return compareObject(at, got, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return []string{fmt.Sprintf("%s is %s, want %d items", at, show(got), len(want))}
		}
		var all []string
		for i := range want {
			all = append(all, compare(fmt.Sprintf("%s[%d]", at, i), list[i], want[i])...)
		}
		return all
	case string:
		if fits(got, want) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %s, want %s", at, show(got), show(want))}
}

func compareObject(at string, got any, want map[string]any) []string {
	fields, ok := got.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s is %s, want an object", at, show(got))}
	}
	var all []string
	for name, w := range want {
		g, given := fields[name]
		if !given {
			all = append(all, fmt.Sprintf("%s.%s is missing", at, name))
			continue
		}
		all = append(all, compare(at+"."+name, g, w)...)
	}
	for name := range fields {
		if _, known := want[name]; !known {
			all = append(all, fmt.Sprintf("%s.%s is there, and should not", at, name))
		}
	}
	return all
}

func fits(got any, want string) bool {
	text, isText := got.(string)
	switch want {
	case "<text>":
		return text != ""
	case "<number>":
		_, ok := got.(float64)
		return ok
	case "<now>":
		at, err := time.Parse(timeLayout, text)
		return err == nil && len(text) == len(timeLayout) && time.Since(at).Abs() < 5*time.Minute
	}
	return isText && text == want
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
