package protocol

import (
	"bytes"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol/clientpb"
)

var publication = &Reply{Push: &Push{Channel: "widget:0198c0de-0000-7000-8000-000000000000", Pub: &Publication{
	Data: Raw(`{"event":"chatMessageCreated","data":{"body":"Здравствуйте!"}}`), Offset: 12345,
}}}

func BenchmarkEncode(b *testing.B) {
	generated := new(clientpb.Reply)
	if err := mirror(reflect.ValueOf(publication).Elem(), generated.ProtoReflect()); err != nil {
		b.Fatal(err)
	}
	b.Run("protobuf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := (Protobuf{}).AppendReply(nil, publication); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("protobuf generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var buf bytes.Buffer
			if _, err := protodelim.MarshalTo(&buf, generated); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := (JSON{}).AppendReply(nil, publication); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	cmd := &Command{ID: 7, RPC: &RPCRequest{Method: "joinSession", Data: Raw(`{"id":"0198c0de-0000-7000-8000-000000000000"}`)}}
	generated := new(clientpb.Command)
	if err := mirror(reflect.ValueOf(cmd).Elem(), generated.ProtoReflect()); err != nil {
		b.Fatal(err)
	}
	var frame bytes.Buffer
	if _, err := protodelim.MarshalTo(&frame, generated); err != nil {
		b.Fatal(err)
	}
	b.Run("protobuf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range (Protobuf{}).Commands(frame.Bytes()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("protobuf generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := protodelim.UnmarshalFrom(bytes.NewReader(frame.Bytes()), new(clientpb.Command)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
