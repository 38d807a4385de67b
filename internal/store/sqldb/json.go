package sqldb

import (
	"encoding/json"
	"fmt"
	"strings"
)

// toJSON is what a column of structured data holds. What is empty is the empty
// text, so that rows without it stay short and cheap to read.
func toJSON[T any](v T) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("encoding %T: %w", v, err)
	}
	if text := strings.TrimSuffix(b.String(), "\n"); text != "{}" {
		return text, nil
	}
	return "", nil
}

// mapJSON is toJSON of a map, which mostly is empty.
func mapJSON[M ~map[string]V, V any](m M) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	return toJSON(m)
}

// listJSON is toJSON of a list, which mostly is empty.
func listJSON[L ~[]V, V any](l L) (string, error) {
	if len(l) == 0 {
		return "", nil
	}
	return toJSON(l)
}

// jsonColumn scans such a column into what into points at.
type jsonColumn struct{ into any }

// Scan decodes the text; the empty text leaves the destination as it is.
func (c jsonColumn) Scan(src any) error {
	switch text := src.(type) {
	case nil:
		return nil
	case string:
		if text == "" {
			return nil
		}
		return json.Unmarshal([]byte(text), c.into)
	case []byte:
		if len(text) == 0 {
			return nil
		}
		return json.Unmarshal(text, c.into)
	default:
		return fmt.Errorf("a column of JSON holds a %T", src)
	}
}
