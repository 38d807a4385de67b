package yamlfile

import (
	"encoding"
	"reflect"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// scalar is a value as it counts and as it may be quoted.
type scalar struct {
	text     string // after references were replaced
	quoted   string // for messages: as written in the file, or no value at all
	tag      string // the YAML type of what is written
	expanded bool   // holds a reference: its type is judged by the text alone
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	spanType = reflect.TypeFor[time.Duration]()
	integer  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimal  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// isText says whether a type has a notation of its own.
func isText(v reflect.Value) bool {
	return reflect.PointerTo(v.Type()).Implements(textType)
}

// scalarOf reads a scalar node and replaces references in it.
func (d *Decoder) scalarOf(n *yaml.Node, at Place, want string) (scalar, bool) {
	if n.Kind != yaml.ScalarNode {
		d.Refuse(n, at, "must be %s, not %s", want, kindName(n))
		return scalar{}, false
	}
	s := scalar{text: n.Value, quoted: strconv.Quote(shorten(n.Value)), tag: n.Tag}
	text := n.Value
	if d.schema.Expand != nil {
		var err error
		if text, err = d.schema.Expand(n.Value); err != nil {
			d.Refuse(n, at, "%s", err)
			return scalar{}, false
		}
	}
	if text != n.Value {
		s.text, s.expanded = text, true
		s.quoted = "the value of " + s.quoted
	}
	if at.secret {
		s.quoted = "the value"
	}
	return s, true
}

func shorten(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

func (d *Decoder) decodeScalar(n *yaml.Node, at Place, v reflect.Value) {
	switch {
	case v.Type() == spanType:
		d.decodeDuration(n, at, v)
	case isText(v):
		d.decodeText(n, at, v)
	case v.Kind() == reflect.String:
		d.decodeString(n, at, v)
	case v.Kind() == reflect.Bool:
		d.decodeBool(n, at, v)
	case v.CanInt():
		d.decodeInt(n, at, v)
	case v.CanFloat():
		d.decodeFloat(n, at, v)
	default:
		d.Refuse(n, at, "a value of the type %s can't be written in a file", v.Type())
	}
}

// decodeString takes numbers and dates too, by the letters that were written:
// logins, passwords and names may look like numbers.
func (d *Decoder) decodeString(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "text")
	if !ok {
		return
	}
	if s.tag == "!!bool" {
		d.Refuse(n, at, "must be text, not true or false; put it in quotes")
		return
	}
	v.SetString(s.text)
}

func (d *Decoder) decodeBool(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "true or false")
	if !ok {
		return
	}
	if (s.tag != "!!bool" && !s.expanded) || (s.text != "true" && s.text != "false") {
		d.Refuse(n, at, "%s is not true or false; write true or false without quotes", s.quoted)
		return
	}
	v.SetBool(s.text == "true")
}

func (d *Decoder) decodeInt(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "a whole number")
	if !ok {
		return
	}
	if s.tag == "!!str" && !s.expanded || !integer.MatchString(s.text) {
		d.Refuse(n, at, "%s is not a whole number; write digits only, without quotes", s.quoted)
		return
	}
	i, err := strconv.ParseInt(s.text, 10, v.Type().Bits())
	if err != nil {
		d.Refuse(n, at, "%s is out of range; write a smaller number", s.quoted)
		return
	}
	v.SetInt(i)
}

func (d *Decoder) decodeFloat(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "a number")
	if !ok {
		return
	}
	number := s.expanded || s.tag == "!!int" || s.tag == "!!float"
	f, err := strconv.ParseFloat(s.text, v.Type().Bits())
	if !number || !decimal.MatchString(s.text) || err != nil {
		d.Refuse(n, at, "%s is not a number; write it as 0.7, without quotes", s.quoted)
		return
	}
	v.SetFloat(f)
}

func (d *Decoder) decodeDuration(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "a duration")
	if !ok {
		return
	}
	span, err := time.ParseDuration(s.text)
	switch {
	case err != nil && integer.MatchString(s.text):
		d.Refuse(n, at, "%s has no unit; write it as 90s, 15m or 1h30m", s.quoted)
	case err != nil:
		d.Refuse(n, at, "%s is not a duration; write it as 90s, 15m or 1h30m", s.quoted)
	case span < 0:
		d.Refuse(n, at, "%s is negative; a duration counts forward", s.quoted)
	default:
		v.SetInt(int64(span))
	}
}

// decodeText reads types with a notation of their own. Their error may quote
// the text, so it is not repeated for secrets and replaced references.
func (d *Decoder) decodeText(n *yaml.Node, at Place, v reflect.Value) {
	s, ok := d.scalarOf(n, at, "text")
	if !ok {
		return
	}
	err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s.text))
	switch {
	case err == nil:
	case at.secret || s.expanded:
		d.Refuse(n, at, "%s is malformed", s.quoted)
	default:
		d.Refuse(n, at, "%s", err)
	}
}
