package webhook

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable escapes what could steer a terminal or hide in it: control and formatting characters
// other than line feed and tab, and bytes that are not UTF-8. JSON in UTF-8 stays the same JSON.
func printable(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case c == '\n' || c == '\t' || unicode.IsPrint(c):
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
		text = text[size:]
	}
	return b.String()
}
