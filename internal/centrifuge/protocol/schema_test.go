package protocol

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol/clientpb"
)

// mirror copies a message of this package into the generated one, field by
// field under the same name. It fails on a field the schema does not have.
func mirror(src reflect.Value, dst protoreflect.Message) error {
	for i := range src.NumField() {
		name, _, _ := strings.Cut(src.Type().Field(i).Tag.Get("json"), ",")
		value := src.Field(i)
		if value.IsZero() {
			continue
		}
		fd := dst.Descriptor().Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			return fmt.Errorf("%s has no field %q", dst.Descriptor().Name(), name)
		}
		if err := mirrorField(value, dst, fd); err != nil {
			return err
		}
	}
	return nil
}

func mirrorField(v reflect.Value, dst protoreflect.Message, fd protoreflect.FieldDescriptor) error {
	switch {
	case fd.IsMap():
		entries := dst.Mutable(fd).Map()
		for _, key := range v.MapKeys() {
			mk := protoreflect.ValueOfString(key.String()).MapKey()
			item := v.MapIndex(key)
			if item.Kind() == reflect.String {
				entries.Set(mk, protoreflect.ValueOfString(item.String()))
				continue
			}
			if err := mirror(reflect.Indirect(item), entries.Mutable(mk).Message()); err != nil {
				return err
			}
		}
	case fd.IsList():
		list := dst.Mutable(fd).List()
		for i := range v.Len() {
			if err := mirror(v.Index(i).Elem(), list.AppendMutable().Message()); err != nil {
				return err
			}
		}
	case fd.Kind() == protoreflect.MessageKind:
		return mirror(v.Elem(), dst.Mutable(fd).Message())
	case fd.Kind() == protoreflect.BytesKind:
		dst.Set(fd, protoreflect.ValueOfBytes(v.Bytes()))
	default:
		dst.Set(fd, protoreflect.ValueOf(v.Interface()))
	}
	return nil
}

// fill sets every field below v to something that is not zero; n makes the
// values differ from each other.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 3 {
			item := reflect.New(v.Type().Elem()).Elem()
			fill(item, n)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("ключ %d", *n)), item)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(fmt.Appendf(nil, `{"n":%d,"пад":%q}`, *n, strings.Repeat("🙂", *n)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.String:
		v.SetString(fmt.Sprintf("текст %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(-int64(*n))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n) * 1_000_003 % (1 << 32))
	default:
		panic("no message has a field like " + v.Type().String())
	}
}

// single yields values of T with one field each set, then one with all set.
func single[T any](yield func(string, *T)) {
	t := reflect.TypeFor[T]()
	n := 0
	for i := range t.NumField() {
		m := new(T)
		fill(reflect.ValueOf(m).Elem().Field(i), &n)
		yield(t.Field(i).Name, m)
	}
	m := new(T)
	fill(reflect.ValueOf(m).Elem(), &n)
	yield("all", m)
}

func TestProtobufRepliesFollowTheSchema(t *testing.T) {
	single(func(name string, reply *Reply) {
		t.Run(name, func(t *testing.T) {
			want := new(clientpb.Reply)
			if err := mirror(reflect.ValueOf(reply).Elem(), want.ProtoReflect()); err != nil {
				t.Fatal(err)
			}
			wire, err := Protobuf{}.AppendReply([]byte("kept"), reply)
			if err != nil {
				t.Fatal(err)
			}
			rest, ok := bytes.CutPrefix(wire, []byte("kept"))
			if !ok {
				t.Fatalf("AppendReply lost what stood before: %q", wire)
			}
			got := new(clientpb.Reply)
			if err := protodelim.UnmarshalFrom(bytes.NewReader(rest), got); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, want) {
				t.Errorf("decoded\n%v\nwant\n%v", got, want)
			}
		})
	})
}

func TestProtobufCommandsFollowTheSchema(t *testing.T) {
	single(func(name string, cmd *Command) {
		t.Run(name, func(t *testing.T) {
			pb := new(clientpb.Command)
			if err := mirror(reflect.ValueOf(cmd).Elem(), pb.ProtoReflect()); err != nil {
				t.Fatal(err)
			}
			var frame bytes.Buffer
			for range 2 {
				if _, err := protodelim.MarshalTo(&frame, pb); err != nil {
					t.Fatal(err)
				}
			}
			count := 0
			for got, err := range (Protobuf{}).Commands(frame.Bytes()) {
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, cmd) {
					t.Errorf("decoded %+v, want %+v", got, cmd)
				}
				count++
			}
			if count != 2 {
				t.Errorf("decoded %d commands, want 2", count)
			}
		})
	})
}

func TestEmulationRequestFollowsTheSchema(t *testing.T) {
	body, err := proto.Marshal(&clientpb.EmulationRequest{Node: "узел", Session: "s", Data: []byte{0, 1, 255}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Protobuf{}.Emulation(body)
	if err != nil {
		t.Fatal(err)
	}
	want := EmulationRequest{Node: "узел", Session: "s", Data: []byte{0, 1, 255}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// FuzzProtobufCommands holds the decoder to the generated one: both accept or
// refuse the same frames, and read the same from those they accept.
func FuzzProtobufCommands(f *testing.F) {
	single(func(_ string, cmd *Command) {
		pb := new(clientpb.Command)
		if err := mirror(reflect.ValueOf(cmd).Elem(), pb.ProtoReflect()); err != nil {
			f.Fatal(err)
		}
		var frame bytes.Buffer
		if _, err := protodelim.MarshalTo(&frame, pb); err != nil {
			f.Fatal(err)
		}
		f.Add(frame.Bytes())
	})
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) == 0 {
			return
		}
		rest := bytes.NewReader(frame)
		for got, err := range (Protobuf{}).Commands(frame) {
			want := new(clientpb.Command)
			wantErr := protodelim.UnmarshalFrom(rest, want)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("error %v, the generated decoder says %v", err, wantErr)
			}
			if err != nil {
				return
			}
			dropUnknown(want.ProtoReflect())
			mirrored := new(clientpb.Command)
			if err := mirror(reflect.ValueOf(got).Elem(), mirrored.ProtoReflect()); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(mirrored, want) {
				t.Fatalf("decoded\n%v\nwant\n%v", mirrored, want)
			}
		}
	})
}

func dropUnknown(m protoreflect.Message) {
	m.SetUnknown(nil)
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			if fd.MapValue().Kind() == protoreflect.MessageKind {
				v.Map().Range(func(_ protoreflect.MapKey, item protoreflect.Value) bool {
					dropUnknown(item.Message())
					return true
				})
			}
		case fd.Kind() == protoreflect.MessageKind:
			dropUnknown(v.Message())
		}
		return true
	})
}
