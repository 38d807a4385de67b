package postgres

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tolmach/tolmach/internal/chat"
)

// rows tells the transaction of what fails while rows are read.
type rows struct {
	pgx.Rows
	watch func(error) error
}

// Scan implements sqldb.Rows. The few types of our columns are read here; the
// driver finds out anew for every result how to fill every destination, which
// costs more than the rest of the row. What is none of them is the driver's.
func (r *rows) Scan(dest ...any) error {
	fields, values := r.FieldDescriptions(), r.RawValues()
	if len(dest) != len(values) {
		return r.Rows.Scan(dest...) // and it says so
	}
	for i := range dest {
		if known, err := assign(&fields[i], values[i], dest[i]); err != nil {
			return err
		} else if !known {
			return r.Rows.Scan(dest...)
		}
	}
	return nil
}

func (r *rows) Err() error { return r.watch(r.Rows.Err()) }

func (r *rows) Close() {
	r.Rows.Close()
	_ = r.watch(r.Rows.Err()) // it is remembered for the commit
}

// assign puts a value as the server sent it where dest points. It says false,
// and has done nothing, for what it does not know.
func assign(field *pgconn.FieldDescription, value []byte, dest any) (known bool, err error) {
	d, is := dest.(*[]byte)
	switch {
	case is && field.DataTypeOID == pgtype.ByteaOID && field.Format == pgx.BinaryFormatCode:
		*d = bytes.Clone(value)
		return true, nil
	case value == nil:
		return false, nil
	case field.DataTypeOID == pgtype.TextOID:
		return assignText(string(value), dest)
	case field.DataTypeOID == pgtype.Int8OID && field.Format == pgx.BinaryFormatCode && len(value) == 8:
		return assignInt(int64(binary.BigEndian.Uint64(value)), dest), nil
	case field.DataTypeOID == pgtype.BoolOID && field.Format == pgx.BinaryFormatCode && len(value) == 1:
		b, is := dest.(*bool)
		if is {
			*b = value[0] != 0
		}
		return is, nil
	}
	return false, nil
}

func assignText(text string, dest any) (known bool, err error) {
	switch d := dest.(type) {
	case *string:
		*d = text
		return true, nil
	case sql.Scanner:
		return true, d.Scan(text)
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.String {
		return false, nil
	}
	v.Elem().SetString(text)
	return true, nil
}

func assignInt(n int64, dest any) (known bool) {
	switch d := dest.(type) {
	case *int64:
		*d = n
		return true
	case *chat.ID:
		*d = chat.ID(n)
		return true
	case *chat.Micros:
		*d = chat.Micros(n)
		return true
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer {
		return false
	}
	switch v = v.Elem(); {
	case v.CanInt() && !v.OverflowInt(n):
		v.SetInt(n)
	case v.CanUint() && n >= 0 && !v.OverflowUint(uint64(n)):
		v.SetUint(uint64(n))
	default:
		return false
	}
	return true
}
