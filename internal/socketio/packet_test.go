package socketio

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestDecodePacket(t *testing.T) {
	limits := Config{}.withDefaults()
	cases := []struct {
		text string
		want packet
		err  error
	}{
		{"0", packet{kind: '0', namespace: "/"}, nil},
		{`0{"token":"123"}`, packet{kind: '0', namespace: "/", body: []byte(`{"token":"123"}`)}, nil},
		{"0/admin", packet{kind: '0', namespace: "/admin"}, nil},
		{"0/admin?token=1&uid=a,", packet{kind: '0', namespace: "/admin", query: "token=1&uid=a"}, nil},
		{`0/admin,{"sid":"x"}`, packet{kind: '0', namespace: "/admin", body: []byte(`{"sid":"x"}`)}, nil},
		{"1", packet{kind: '1', namespace: "/"}, nil},
		{"1/admin,", packet{kind: '1', namespace: "/admin"}, nil},
		{`2["foo"]`, packet{kind: '2', namespace: "/", body: []byte(`["foo"]`)}, nil},
		{`2/admin,456["foo"]`, packet{kind: '2', namespace: "/admin", id: 456, hasID: true, body: []byte(`["foo"]`)}, nil},
		{`212["foo"]`, packet{kind: '2', namespace: "/", id: 12, hasID: true, body: []byte(`["foo"]`)}, nil},
		{`3/admin,13["bar"]`, packet{kind: '3', namespace: "/admin", id: 13, hasID: true, body: []byte(`["bar"]`)}, nil},
		{`52-/admin,["baz"]`, packet{kind: '5', attachments: 2, namespace: "/admin", body: []byte(`["baz"]`)}, nil},
		{`61-15["bar"]`, packet{kind: '6', attachments: 1, namespace: "/", id: 15, hasID: true, body: []byte(`["bar"]`)}, nil},
		{"", packet{}, errType},
		{"7", packet{}, errType},
		{"abc", packet{}, errType},
		{"5", packet{}, errAttachments},
		{"5-[]", packet{}, errAttachments},
		{"5x-[]", packet{}, errAttachments},
		{"533-[]", packet{}, errAttachments},
		{"599999999999999999999-[]", packet{}, errAttachments},
		{"0/" + strings.Repeat("n", 600), packet{}, errNamespace},
		{`21234567890123456["foo"]`, packet{}, errID},
		{`3["no id"]`, packet{}, errID},
		{`0["array"]`, packet{}, errBody},
		{`0{broken`, packet{}, errBody},
		{"1{}", packet{}, errBody},
		{`4{"message":"from a client"}`, packet{}, errBody},
	}
	for _, c := range cases {
		got, err := decodePacket([]byte(c.text), limits)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%.40q: %v, want %v", c.text, err, c.err)
			continue
		}
		if len(got.body) == 0 {
			got.body = nil
		}
		if err == nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestSplitEvent(t *testing.T) {
	for body, want := range map[string]string{
		`["foo",1,{"a":[]}]`: "foo 2", `["foo"]`: "foo 0", `[1,2]`: "1 1", `["ё👋"]`: "ё👋 0",
		`[]`: "error", `{}`: "error", `[null]`: "error", `[["x"]]`: "error", `["a"`: "error", ``: "error", `["a"]x`: "error",
		strings.Repeat("[", 20_000): "error",
	} {
		name, args, err := splitEvent([]byte(body))
		got := fmt.Sprintf("%s %d", name, len(args))
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%.40s: %s, want %s", body, got, want)
		}
	}
}

func TestEncodeEvent(t *testing.T) {
	received := Args{values: raws(`{"_placeholder":true,"num":0}`), attachments: [][]byte{{9}}}
	cases := []struct {
		args []any
		want string
		data [][]byte
	}{
		{nil, `2["e"]`, nil},
		{[]any{1, "два <b>", map[string]any{"k": []int{}}}, `2["e",1,"два <b>",{"k":[]}]`, nil},
		{[]any{[]byte{1, 2}, []any{map[string]any{"deep": []byte{3}}}},
			`52-["e",{"_placeholder":true,"num":0},[{"deep":{"_placeholder":true,"num":1}}]]`, [][]byte{{1, 2}, {3}}},
		{[]any{received, []byte{8}}, `52-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, [][]byte{{9}, {8}}},
	}
	for _, c := range cases {
		p, err := newEvent("e", c.args)
		if err != nil {
			t.Fatal(err)
		}
		got := string(encodePacket(packet{kind: p.kind, attachments: p.attachments, namespace: "/", body: p.body}))
		_, data, _ := encodeArgs("e", c.args)
		if got != c.want || !reflect.DeepEqual(data, c.data) {
			t.Errorf("%v: %s %v, want %s", c.args, got, data, c.want)
		}
	}
	if _, err := newEvent("e", []any{[]byte{1}, received}); !errors.Is(err, errMixedArgs) {
		t.Errorf("attachments in the wrong order: %v", err)
	}
	forged := Args{values: raws(`{"\u005fplaceholder":true,"num":7}`)}
	if _, err := newEvent("e", []any{[]byte{1}, forged}); !errors.Is(err, errPlaceholder) {
		t.Errorf("a forged placeholder went out: %v", err)
	}
}

func TestArgsDecode(t *testing.T) {
	args := Args{values: raws(`{"_placeholder":true,"num":1}`, `{"f":{"_placeholder":true,"num":0},"n":7}`), attachments: [][]byte{{1}, {2, 3}}}
	var first []byte
	var second struct {
		F []byte
		N int
	}
	if err := args.Decode(&first, &second); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(first, second) != "[2 3] {[1] 7}" {
		t.Error(first, second)
	}
	if err := args.Decode(&first, &second, &first); err == nil {
		t.Error("three arguments out of two")
	}
}

func FuzzDecodePacket(f *testing.F) {
	for _, seed := range []string{`0/a?b=c,{}`, `52-/admin,12["baz",{"_placeholder":true,"num":0}]`, `31[]`, `2["a",1e999]`, "1/x,", `61-0[null]`} {
		f.Add(seed)
	}
	limits := Config{}.withDefaults()
	f.Fuzz(func(t *testing.T, text string) {
		p, err := decodePacket([]byte(text), limits)
		if err != nil {
			return
		}
		p.query = ""
		again, err := decodePacket(encodePacket(p), limits)
		if err != nil {
			t.Fatalf("%q was encoded as %q: %v", text, encodePacket(p), err)
		}
		if again.kind != p.kind || again.namespace != p.namespace || again.id != p.id || string(again.body) != string(p.body) {
			t.Fatalf("%+v came back as %+v", p, again)
		}
		if name, values, err := splitEvent(p.body); err == nil {
			args := Args{values: values, attachments: [][]byte{{1}, {2}}}
			if args.check() == nil {
				if _, _, err := encodeArgs(name+"x", []any{args}); err != nil {
					t.Fatalf("%q cannot be passed on: %v", text, err)
				}
			}
		}
	})
}
