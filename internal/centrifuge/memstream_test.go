package centrifuge

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestMemoryStream(t *testing.T) {
	s := NewMemoryStream("e", 3)
	for i := range 5 {
		if got := s.Append("c", Publication{Data: fmt.Append(nil, i)}, nil); got != (Position{uint64(i + 1), "e"}) {
			t.Errorf("append %d: %v", i, got)
		}
	}
	since := func(offset uint64) *Position { return &Position{Offset: offset, Epoch: "e"} }
	for _, tt := range []struct {
		channel string
		q       Query
		want    string
		lost    bool
	}{
		{channel: "c", q: Query{}, want: ""},
		{channel: "c", q: Query{Limit: 10}, want: "3 4 5"},
		{channel: "c", q: Query{Limit: 2}, want: "3 4"},
		{channel: "c", q: Query{Limit: 2, Reverse: true}, want: "5 4"},
		{channel: "c", q: Query{Limit: 10, Since: since(3)}, want: "4 5"},
		{channel: "c", q: Query{Limit: 10, Since: since(2)}, want: "3 4 5"},
		{channel: "c", q: Query{Limit: 10, Since: since(1)}, lost: true},
		{channel: "c", q: Query{Limit: 10, Since: since(5)}, want: ""},
		{channel: "c", q: Query{Limit: 10, Since: since(math.MaxUint64)}, want: ""},
		{channel: "c", q: Query{Limit: 10, Since: since(5), Reverse: true}, want: "4 3"},
		{channel: "d", q: Query{Limit: 10}, want: ""},
	} {
		page, err := s.Read(t.Context(), tt.channel, tt.q)
		if tt.lost != errors.Is(err, ErrUnrecoverablePosition) || err != nil && !tt.lost {
			t.Errorf("%+v: error %v", tt.q, err)
		}
		var got []string
		for _, p := range page.Publications {
			got = append(got, fmt.Sprint(p.Offset))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v: got %v, want %s", tt.q, got, tt.want)
		}
		if want := map[string]uint64{"c": 5, "d": 0}[tt.channel]; page.Top != (Position{want, "e"}) {
			t.Errorf("%+v: the top is %v", tt.q, page.Top)
		}
	}
}
