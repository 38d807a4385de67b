package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func collect(c Codec, frame string) (cmds []*Command, err error) {
	for cmd, err := range c.Commands([]byte(frame)) {
		if err != nil {
			return cmds, err
		}
		cmds = append(cmds, cmd)
	}
	return cmds, nil
}

func TestJSONFrames(t *testing.T) {
	ping := &Command{ID: 7, Ping: &Empty{}}
	tests := []struct {
		name, frame string
		want        []*Command
		fails       bool
	}{
		{name: "pong", frame: `{}`, want: []*Command{{}}},
		{name: "one", frame: `{"id":7,"ping":{}}`, want: []*Command{ping}},
		{name: "two lines", frame: "{\"id\":7,\"ping\":{}}\n{}", want: []*Command{ping, {}}},
		{name: "last line break", frame: "{\"id\":7,\"ping\":{}}\n", want: []*Command{ping}},
		{name: "blank lines and carriage returns", frame: "\n{\"id\":7,\"ping\":{}}\r\n\r\n{}\n", want: []*Command{ping, {}}},
		{name: "bare payload", frame: `{"id":1,"rpc":{"method":"m","data":{"a":[1, 2]}}}`,
			want: []*Command{{ID: 1, RPC: &RPCRequest{Method: "m", Data: Raw(`{"a":[1, 2]}`)}}}},
		{name: "Cyrillic and emoji", frame: `{"send":{"data":"Ёлка 🎄"}}`,
			want: []*Command{{Send: &SendRequest{Data: Raw(`"Ёлка 🎄"`)}}}},
		{name: "unknown fields are skipped", frame: `{"id":7,"ping":{"x":1},"y":[]}`, want: []*Command{ping}},
		{name: "empty", frame: ``, fails: true},
		{name: "blank", frame: " \n ", fails: true},
		{name: "array", frame: `[]`, fails: true},
		{name: "null", frame: `null`, fails: true},
		{name: "two in a line", frame: `{}{}`, fails: true},
		{name: "cut", frame: `{"id":7,"ping":`, fails: true},
		{name: "negative id", frame: `{"id":-1}`, fails: true},
		{name: "id beyond 32 bits", frame: `{"id":4294967296}`, fails: true},
		{name: "fractional offset", frame: `{"id":1,"subscribe":{"offset":1.5}}`, fails: true},
		{name: "wrong type", frame: `{"id":1,"subscribe":{"channel":5}}`, fails: true},
		{name: "not UTF-8", frame: "{\"send\":{\"data\":\"\xff\"}}", fails: true},
		{name: "deep", frame: `{"send":{"data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := collect(JSON{}, tt.frame)
			if tt.fails {
				if err == nil {
					t.Fatalf("decoded %+v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestCommandsBeforeABrokenOneAreYielded(t *testing.T) {
	got, err := collect(JSON{}, "{\"id\":1,\"ping\":{}}\n{broken")
	if err == nil || len(got) != 1 {
		t.Errorf("decoded %d commands, error %v; want one command and an error", len(got), err)
	}
}

func TestJSONReplies(t *testing.T) {
	tests := []struct {
		name  string
		reply Reply
		want  string
	}{
		{"ping", Reply{}, `{}`},
		{"empty result", Reply{ID: 3, Unsubscribe: &Empty{}}, `{"id":3,"unsubscribe":{}}`},
		{"error", Reply{ID: 3, Error: &Error{Code: 100, Message: "internal server error", Temporary: true}},
			`{"id":3,"error":{"code":100,"message":"internal server error","temporary":true}}`},
		{"offset 0 is left out", Reply{ID: 1, Subscribe: &SubscribeResult{Recoverable: true, Positioned: true, Epoch: "e"}},
			`{"id":1,"subscribe":{"recoverable":true,"epoch":"e","positioned":true}}`},
		{"payload loses line breaks", Reply{Push: &Push{Channel: "c", Pub: &Publication{Data: Raw("{\n \"a\": \"<b>&\u2028\"\n}"), Offset: 5}}},
			"{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":{\"a\":\"<b>&\u2028\"},\"offset\":5}}}"},
		{"nobody is present", Reply{ID: 1, Presence: &PresenceResult{Presence: map[string]*ClientInfo{}}}, `{"id":1,"presence":{"presence":{}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := JSON{}.AppendReply([]byte("kept"), &tt.reply)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "kept"+tt.want {
				t.Errorf("got  %s\nwant kept%s", got, tt.want)
			}
		})
	}
}

func TestJSONRefusesForeignPayloads(t *testing.T) {
	for _, data := range []string{"\x00\x01", `{"a":`, "\"\xff\"", `{} {}`} {
		got, err := JSON{}.AppendReply([]byte("kept"), &Reply{Push: &Push{Message: &Message{Data: Raw(data)}}})
		if !errors.Is(err, ErrNotJSON) {
			t.Errorf("payload %q: error %v, want ErrNotJSON", data, err)
		}
		if string(got) != "kept" {
			t.Errorf("payload %q: left %q behind", data, got)
		}
	}
}

func TestJSONEmulation(t *testing.T) {
	got, err := JSON{}.Emulation([]byte(`{"session":"s","node":"n","data":"{\"id\":1}\n{}"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := EmulationRequest{Node: "n", Session: "s", Data: []byte("{\"id\":1}\n{}")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := (JSON{}).Emulation([]byte(`{"data":{}}`)); err == nil {
		t.Error("data that is not a string was accepted")
	}
}

// FuzzJSONCommands checks that whatever is accepted survives a round trip.
func FuzzJSONCommands(f *testing.F) {
	single(func(_ string, cmd *Command) {
		seed, err := json.Marshal(cmd)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(seed))
	})
	f.Add("{}\n{}")
	f.Add(`{"id":1,"connect":{"data":null,"subs":{"":{}}}}`)
	f.Fuzz(func(t *testing.T, frame string) {
		cmds, err := collect(JSON{}, frame)
		if err != nil {
			return
		}
		for _, cmd := range cmds {
			again, err := json.Marshal(cmd)
			if err != nil {
				t.Fatal(err)
			}
			back, err := collect(JSON{}, string(again))
			if err != nil || len(back) != 1 {
				t.Fatalf("%s decoded to %d commands, error %v", again, len(back), err)
			}
			third, err := json.Marshal(back[0])
			if err != nil || string(third) != string(again) {
				t.Fatalf("round trip changed %s into %s", again, third)
			}
		}
	})
}
