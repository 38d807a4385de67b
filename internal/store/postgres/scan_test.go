package postgres

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

type upper struct{ text string }

func (u *upper) Scan(src any) error {
	text, is := src.(string)
	if !is {
		return errors.New("no text")
	}
	if text == "bad" {
		return errRefusal
	}
	u.text = text + "!"
	return nil
}

type (
	word   string
	number uint8
)

// TestScan: what is read here is what the driver would read.
func TestScan(t *testing.T) {
	pg := spy(t, pgtest.Shared(t).Database(t))
	cases := map[string]struct {
		column string
		dest   any
		want   any // nil: an error
	}{
		"text":             {`'a'::text`, new(string), "a"},
		"a kind of text":   {`'a'::text`, new(word), word("a")},
		"a scanner":        {`'a'::text`, &upper{}, upper{"a!"}},
		"a scanner fails":  {`'bad'::text`, &upper{}, nil},
		"a number":         {`-5::bigint`, new(int64), int64(-5)},
		"an int":           {`7::bigint`, new(int), 7},
		"a kind of number": {`200::bigint`, new(number), number(200)},
		"too large":        {`300::bigint`, new(number), nil},
		"below nothing":    {`-1::bigint`, new(number), nil},
		"a small number":   {`5::int`, new(int64), int64(5)},
		"yes":              {`true`, new(bool), true},
		"bytes":            {`'\x0001'::bytea`, new([]byte), []byte{0, 1}},
		"no bytes":         {`''::bytea`, new([]byte), []byte{}},
		"null bytes":       {`NULL::bytea`, new([]byte), []byte(nil)},
		"null text":        {`NULL::text`, new(string), nil},
		"null number":      {`NULL::bigint`, new(int64), nil},
		"text as number":   {`'x'::text`, new(int64), nil},
		"number as bool":   {`1::bigint`, new(bool), nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := pg.Query(context.Background(), `SELECT `+c.column)
			if err != nil {
				t.Fatal(err)
			}
			r := &rows{Rows: found, watch: func(err error) error { return err }}
			defer r.Close()
			if !r.Next() {
				t.Fatal(r.Err())
			}
			err = r.Scan(c.dest)
			got := reflect.ValueOf(c.dest).Elem().Interface()
			if c.want == nil && err == nil {
				t.Errorf("got %v, want an error", got)
			}
			if c.want != nil && (err != nil || !reflect.DeepEqual(got, c.want)) {
				t.Errorf("got %#v, %v; want %#v", got, err, c.want)
			}
		})
	}
}
