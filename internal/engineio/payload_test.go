package engineio

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func decodeAll(protocol int, body string) ([]string, error) {
	var seen []string
	err := walkPayload(protocol, []byte(body), func(p packet) error {
		seen = append(seen, show(p))
		return nil
	})
	return seen, err
}

func show(p packet) string {
	if p.binary {
		return fmt.Sprintf("%c bytes %x", p.kind, p.data)
	}
	return fmt.Sprintf("%c %s", p.kind, p.data)
}

func TestPayloads(t *testing.T) {
	cases := []struct {
		name     string
		protocol int
		body     string
		want     []string
		err      error
	}{
		{"4: one", 4, "4hello", []string{"4 hello"}, nil},
		{"4: several", 4, "4hello\x1e2\x1e4world", []string{"4 hello", "2 ", "4 world"}, nil},
		{"4: binary", 4, "4hello\x1ebAQIDBA==", []string{"4 hello", "4 bytes 01020304"}, nil},
		{"4: empty", 4, "", nil, errEmptyPacket},
		{"4: empty packet", 4, "4a\x1e", []string{"4 a"}, errEmptyPacket},
		{"4: unknown type", 4, "abc", nil, errPacketType},
		{"4: type beyond", 4, "7", nil, errPacketType},
		{"4: bad base64", 4, "b???", nil, errBase64},
		{"4: not UTF-8", 4, "4\xff\xfe", nil, errUTF8},
		{"3: one", 3, "6:4hello", []string{"4 hello"}, nil},
		{"3: BMP", 3, "6:4hello2:4€", []string{"4 hello", "4 €"}, nil},
		{"3: UTF-16 units", 3, "3:4👋1:2", []string{"4 👋", "2 "}, nil},
		{"3: code points", 3, "2:4👋1:2", []string{"4 👋", "2 "}, nil},
		{"3: base64", 3, "2:4€10:b4AQIDBA==", []string{"4 €", "4 bytes 01020304"}, nil},
		{"3: framed text", 3, "\x00\x01\xff2", []string{"2 "}, nil},
		{"3: framed both", 3, "\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04", []string{"4 €", "4 bytes 01020304"}, nil},
		{"3: framed two digits", 3, "\x00\x01\x02\xff4hello world", []string{"4 hello world"}, nil},
		{"3: framed too long", 3, "\x00\x09\xff4hello", nil, errPayload},
		{"3: framed endless digits", 3, "\x00\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff4", nil, errPayload},
		{"3: framed without end", 3, "\x00\x05", nil, errPayload},
		{"3: framed not UTF-8", 3, "\x00\x02\xff4\xff", nil, errUTF8},
		{"3: framed bad type", 3, "\x01\x01\xff\x09", nil, errPacketType},
		{"3: framed then rubbish", 3, "\x00\x01\xff2x", []string{"2 "}, errPayload},
		{"3: too long", 3, "9:4hello", nil, errPayload},
		{"3: no colon", 3, "64hello", nil, errPayload},
		{"3: negative", 3, "-1:4", nil, errPayload},
		{"3: endless digits", 3, strings.Repeat("9", 40) + ":4", nil, errPayload},
		{"3: zero", 3, "0:", nil, errEmptyPacket},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeAll(c.protocol, c.body)
			if !reflect.DeepEqual(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestMessageOnEveryWire(t *testing.T) {
	cases := []struct {
		name    string
		message *Message
		wire    wire
		want    string
	}{
		{"polling 3 text counts UTF-16", Text([]byte("👋")), wirePolling3, "3:4👋"},
		{"polling 3 JSON is escaped", JSON([]byte(`2["ё👋a"]`)), wirePolling3, `25:42["\u0451\ud83d\udc4ba"]`},
		{"polling 3 binary", Binary([]byte{1, 2, 3, 4}), wirePolling3, "10:b4AQIDBA=="},
		{"polling 4 text", JSON([]byte(`2["ё"]`)), wirePolling4, `42["ё"]`},
		{"polling 4 binary", Binary([]byte{1, 2, 3, 4}), wirePolling4, "bAQIDBA=="},
		{"socket text", Text([]byte("hey")), wireSocket3, "\x81\x044hey"},
		{"socket 3 binary", Binary([]byte{1, 2}), wireSocket3, "\x82\x03\x04\x01\x02"},
		{"socket 4 binary", Binary([]byte{1, 2}), wireSocket4, "\x82\x02\x01\x02"},
		{"socket 3 base64", Binary([]byte{1, 2, 3, 4}), wireSocket3Base64, "\x81\x0ab4AQIDBA=="},
		{"socket 4 base64", Binary([]byte{1, 2, 3, 4}), wireSocket4Base64, "\x81\x09bAQIDBA=="},
		{"socket long", Text([]byte(strings.Repeat("x", 199))), wireSocket4, "\x81\x7e\x00\xc84" + strings.Repeat("x", 199)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := string(c.message.encoded(c.wire)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if &c.message.encoded(c.wire)[0] != &c.message.encoded(c.wire)[0] {
				t.Error("encoded twice")
			}
		})
	}
}

func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"4a\x1e2", "2:4€10:b4AQIDBA==", "\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04", "bAQ==", "3:4👋"} {
		f.Add(3, []byte(seed))
		f.Add(4, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, protocol int, body []byte) {
		if protocol != 3 {
			protocol = 4
		}
		// Whatever is decoded and needs no framing of its own can be encoded and decoded to the same again.
		_ = walkPayload(protocol, body, func(p packet) error {
			if p.kind != packetMessage {
				return nil
			}
			m := &Message{kind: p.kind, binary: p.binary, data: p.data}
			w := wirePolling4
			if protocol == 3 {
				w = wirePolling3
			}
			if !m.fits(w) {
				return nil
			}
			again, err := decodeAll(protocol, string(m.encoded(w)))
			if err != nil || len(again) != 1 || again[0] != show(p) {
				t.Fatalf("%s came back as %q, %v", show(p), again, err)
			}
			return nil
		})
	})
}
