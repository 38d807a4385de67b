package wsock

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// The tables follow the case groups of the Autobahn test suite: 1 framing,
// 2 pings, 3 reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8, 7 closing,
// 9 and 10 size. Where the suite sends a message before the offence, so do they.

const (
	goodbye   = "close 1000 "
	malformed = "close 1002 malformed frame"
	notUTF8   = "close 1007 text is not UTF-8"
)

type exchange struct {
	name   string
	script [][]byte
	want   []string
}

func run(t *testing.T, tests []exchange) {
	t.Helper()
	for _, tt := range tests {
		for _, chunk := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/chunk=%d", tt.name, chunk), func(t *testing.T) {
				got := play(t, &Upgrader{MaxMessage: 1 << 20}, chunk, tt.script...)
				if !slices.Equal(got, tt.want) {
					t.Errorf("the server said %.300q, want %.300q", got, tt.want)
				}
			})
		}
	}
}

func script(frames ...[]byte) [][]byte { return frames }

func says(lines ...string) []string { return lines }

func TestAutobahnFraming(t *testing.T) {
	var tests []exchange
	for _, size := range []int{0, 1, 125, 126, 127, 128, 511, 512, 513, 65535, 65536} {
		body := strings.Repeat("*", size)
		tests = append(tests,
			exchange{fmt.Sprintf("1.1 text of %d", size), script(words(body)), says("text:"+body, goodbye)},
			exchange{fmt.Sprintf("1.2 binary of %d", size), script(blob(body)), says("binary:"+body, goodbye)})
	}
	run(t, tests)
}

func TestAutobahnPings(t *testing.T) {
	full := strings.Repeat("\xfe", 125)
	run(t, []exchange{
		{"2.1 empty ping", script(ping("")), says("pong:", goodbye)},
		{"2.2 ping with text", script(ping("Hello")), says("pong:Hello", goodbye)},
		{"2.3 ping with bytes", script(ping("\x00\xff\xfe")), says("pong:\x00\xff\xfe", goodbye)},
		{"2.4 ping of 125", script(ping(full)), says("pong:"+full, goodbye)},
		{"2.5 ping of 126", script(ping(full + "x")), says(malformed)},
		{"2.7 pong nobody asked for", script(frame(ws.OpPong, true, "")), says(goodbye)},
		{"2.9 pong, then ping", script(frame(ws.OpPong, true, "x"), ping("y")), says("pong:y", goodbye)},
		{"2.10 ten pings", slices.Repeat(script(ping("p")), 10), append(slices.Repeat([]string{"pong:p"}, 10), goodbye)},
	})
}

func TestAutobahnReservedBits(t *testing.T) {
	var tests []exchange
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, op := range []ws.OpCode{ws.OpText, ws.OpBinary, ws.OpPing, ws.OpClose} {
			offence := rawFrame(ws.Header{Fin: true, Rsv: rsv, OpCode: op, Masked: true, Length: 1}, "x")
			tests = append(tests, exchange{fmt.Sprintf("3.%d opcode %d", rsv, op),
				script(words("a"), offence, ping("")), says("text:a", malformed)})
		}
	}
	run(t, tests)
}

func TestAutobahnOpcodes(t *testing.T) {
	var tests []exchange
	for _, op := range []ws.OpCode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		tests = append(tests,
			exchange{fmt.Sprintf("4 opcode %d", op), script(frame(op, true, "")), says(malformed)},
			exchange{fmt.Sprintf("4 opcode %d after text", op), script(words("a"), frame(op, true, "x"), ping("")), says("text:a", malformed)})
	}
	tests = append(tests, exchange{"5.1 §5.1 frame without mask",
		script(rawFrame(ws.Header{Fin: true, OpCode: ws.OpText, Length: 1}, "x")), says(malformed)})
	run(t, tests)
}

func TestAutobahnFragmentation(t *testing.T) {
	begin, more, end := func(s string) []byte { return frame(ws.OpText, false, s) },
		func(s string) []byte { return frame(ws.OpContinuation, false, s) },
		func(s string) []byte { return frame(ws.OpContinuation, true, s) }
	run(t, []exchange{
		{"5.1 ping in fragments", script(frame(ws.OpPing, false, "a"), end("b")), says(malformed)},
		{"5.2 pong in fragments", script(frame(ws.OpPong, false, "a"), end("b")), says(malformed)},
		{"5.3 text in two", script(begin("a"), end("b")), says("text:ab", goodbye)},
		{"5.6 ping between", script(begin("a"), ping("p"), end("b")), says("pong:p", "text:ab", goodbye)},
		{"5.9 continuation of nothing", script(more("a"), words("b")), says(malformed)},
		{"5.10 last continuation of nothing", script(end("a"), words("b")), says(malformed)},
		{"5.12 continuation after a whole text", script(words("a"), more("b")), says("text:a", malformed)},
		{"5.15 continuation after the end", script(begin("a"), end("b"), more("c")), says("text:ab", malformed)},
		{"5.18 text inside text", script(begin("a"), words("b")), says(malformed)},
		{"5.19 pings between many", script(begin("1"), more("2"), ping("p"), more("3"), more("4"), ping("q"), end("5")),
			says("pong:p", "pong:q", "text:12345", goodbye)},
		{"empty fragments", script(begin(""), more(""), end("")), says("text:", goodbye)},
		{"binary in two", script(frame(ws.OpBinary, false, "\xff"), end("\x00")), says("binary:\xff\x00", goodbye)},
	})
}

func TestAutobahnUTF8(t *testing.T) {
	valid := []string{"", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "Ёлка", "🙂🎄", "\x00", "\u07ff", "\uffff", "\U00010000",
		"\U0010ffff", "\ud7ff", "\ue000", "\ufffd", "\ufffe"}
	invalid := []string{"κόσμε\xed\xa0\x80edited", "\x80", "\xbf", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xc3", "\xe4\xb8", "\xf0\x9f\x99", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf4\x90\x80\x80", "\xfc\x80\x80\x80\x80\x80", "a\xffb"}
	var tests []exchange
	for i, s := range valid {
		tests = append(tests, exchange{fmt.Sprintf("6 valid %d", i), script(words(s)), says("text:"+s, goodbye)})
		for cut := 1; cut < len(s); cut++ {
			tests = append(tests, exchange{fmt.Sprintf("6 valid %d cut at %d", i, cut),
				script(frame(ws.OpText, false, s[:cut]), frame(ws.OpContinuation, true, s[cut:])), says("text:"+s, goodbye)})
		}
	}
	for i, s := range invalid {
		tests = append(tests,
			exchange{fmt.Sprintf("6 invalid %d", i), script(words(s)), says(notUTF8)},
			exchange{fmt.Sprintf("6 invalid %d in binary", i), script(blob(s)), says("binary:"+s, goodbye)},
			exchange{fmt.Sprintf("6 invalid %d ends a fragment", i),
				script(frame(ws.OpText, false, s), frame(ws.OpContinuation, true, "x")), says(notUTF8)})
	}
	run(t, append(tests, exchange{"6.4 the offence ends it before the message does",
		script(frame(ws.OpText, false, "\xf4\x90\x80\x80"), ping("never")), says(notUTF8)}))
}

func TestAutobahnClosing(t *testing.T) {
	tests := []exchange{
		{"7.1.1 message, close", script(words("a"), closing(1000, "")), says("text:a", goodbye)},
		{"7.1.2 two closes", script(closing(1000, ""), closing(1000, "")), says(goodbye)},
		{"7.1.3 ping after close", script(closing(1000, ""), ping("p")), says(goodbye)},
		{"7.1.4 text after close", script(closing(1000, ""), words("a")), says(goodbye)},
		{"7.1.5 close inside a message", script(frame(ws.OpText, false, "a"), closing(1000, ""), frame(ws.OpContinuation, true, "b")), says(goodbye)},
		{"7.3.1 no payload", script(frame(ws.OpClose, true, "")), says("close")},
		{"7.3.2 one byte", script(frame(ws.OpClose, true, "x")), says("close 1002 malformed close")},
		{"7.3.5 longest reason", script(closing(1000, strings.Repeat("r", 123))), says(goodbye)},
		{"7.3.6 reason too long", script(closing(1000, strings.Repeat("r", 124))), says(malformed)},
		{"7.5.1 reason is not UTF-8", script(closing(1000, "\xce\xba\xed\xa0\x80")), says("close 1007 close reason is not UTF-8")},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		tests = append(tests, exchange{fmt.Sprintf("7.7 code %d", code), script(closing(code, "")), says(fmt.Sprintf("close %d ", code))})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		tests = append(tests, exchange{fmt.Sprintf("7.9 code %d", code), script(closing(code, "")), says("close 1002 malformed close code")})
	}
	run(t, tests)
}

func TestAutobahnSizes(t *testing.T) {
	big := strings.Repeat("Большое. ", 1<<15)
	pieces := func(size int) [][]byte {
		frames := [][]byte{frame(ws.OpBinary, false, "")}
		for piece := range slices.Chunk([]byte(big), size) {
			frames = append(frames, frame(ws.OpContinuation, false, string(piece)))
		}
		return append(frames, frame(ws.OpContinuation, true, ""))
	}
	for name, frames := range map[string][][]byte{
		"9.1 one frame": {blob(big)}, "9.3 by 64": pieces(64), "9.3 by 4096": pieces(4096), "10.1 by 1300": pieces(1300),
	} {
		t.Run(name, func(t *testing.T) {
			got := play(t, &Upgrader{MaxMessage: len(big)}, 0, frames...)
			if !slices.Equal(got, says("binary:"+big, goodbye)) {
				t.Errorf("the server said %.100q", got)
			}
		})
		t.Run(name+" over the limit", func(t *testing.T) {
			got := play(t, &Upgrader{MaxMessage: len(big) - 1}, 0, frames...)
			if !slices.Equal(got, says("close 1009 message too big")) {
				t.Errorf("the server said %.100q", got)
			}
		})
	}
}
