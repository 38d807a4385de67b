package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxValueDepth bounds how deep lists and objects go into each other in a value.
const maxValueDepth = 64

// plain turns any value into nil, bool, int, float64, string, time.Time, []any or map[string]any, copying what it
// holds. Whole numbers become int, so that 3 is written 3 and large ids stay exact. What can't be turned is nil.
func plain(v any) any { return plainAt(v, 0) }

func plainAt(v any, depth int) any {
	if depth > maxValueDepth {
		return nil
	}
	switch v := v.(type) {
	case nil, bool, int, time.Time:
		return v
	case string:
		return clean(v)
	case time.Duration:
		return v.String()
	case json.Number:
		return plainNumber(string(v))
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = plainAt(r.Index(i).Interface(), depth+1)
		}
		return list
	case reflect.Map:
		object := make(map[string]any, r.Len())
		for values := r.MapRange(); values.Next(); {
			object[textOf(values.Key().Interface())] = plainAt(values.Value().Interface(), depth+1)
		}
		return object
	}
	return plainKind(r)
}

// plainKind turns a single value by its kind, whatever its type is called.
func plainKind(r reflect.Value) any {
	switch r.Kind() {
	case reflect.Bool:
		return r.Bool()
	case reflect.String:
		return clean(r.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := r.Uint(); n <= math.MaxInt {
			return int(n)
		}
		return float64(r.Uint())
	case reflect.Float32, reflect.Float64:
		return plainFloat(r.Float())
	}
	return nil
}

func plainNumber(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return plainFloat(f)
}

// plainFloat makes an int of a whole number that a float64 holds exactly; there is no other way to tell that a
// variable was whole before it went through JSON. Infinity and NaN have no JSON and are nil.
func plainFloat(f float64) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f)
	}
	return f
}

// object is a copy of a map in plain values, never nil.
func object(m map[string]any) map[string]any {
	copied := make(map[string]any, len(m))
	for key, v := range m {
		copied[key] = plain(v)
	}
	return copied
}

// clean drops what no text of a message may hold: broken UTF-8 and NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// textOf writes a value for people: numbers without an exponent as long as that is readable, times as RFC 3339,
// lists and objects as JSON, nothing as nothing.
func textOf(v any) string {
	switch v := plain(v).(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case time.Time:
		return v.Format(time.RFC3339)
	default:
		s, err := jsonOf(v)
		if err != nil {
			return ""
		}
		return s
	}
}

// jsonOf writes a value as JSON on one line.
func jsonOf(v any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(plain(v)); err != nil {
		return "", fmt.Errorf("the value has no JSON form: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// decodeJSON reads one JSON value into plain values.
func decodeJSON(src []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(src))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, errors.New("this isn't JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON value")
	}
	return plain(v), nil
}
