package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"

	"github.com/tolmach/tolmach/internal/chat"
)

// driverValue turns an argument of any integer, string, bool or []byte kind
// into what the driver binds. The commonest types are named; the others take
// the slower way by their kind.
func driverValue(a any) (driver.Value, error) {
	switch v := a.(type) {
	case int64, string, bool, []byte, nil:
		return v, nil
	case int:
		return int64(v), nil
	case chat.ID:
		return int64(v), nil
	case chat.Micros:
		return int64(v), nil
	}
	k := reflect.ValueOf(a)
	switch {
	case k.CanInt():
		return k.Int(), nil
	case k.CanUint() && k.Uint() <= math.MaxInt64:
		return int64(k.Uint()), nil
	case k.Kind() == reflect.String:
		return k.String(), nil
	default:
		return nil, fmt.Errorf("a %T can't be stored", a)
	}
}

// assign puts a column's value where dest points. A value that does not fit
// is an error, never a silent zero.
func assign(dest any, value driver.Value) error {
	switch d := dest.(type) {
	case *string:
		return assignAs(d, value)
	case *int64:
		return assignAs(d, value)
	case *chat.ID:
		return assignAs((*int64)(d), value)
	case *chat.Micros:
		return assignAs((*int64)(d), value)
	case *[]byte:
		if value == nil {
			*d = nil
			return nil
		}
		return assignAs(d, value)
	case sql.Scanner:
		return d.Scan(value)
	default:
		return assignByKind(reflect.ValueOf(dest).Elem(), value)
	}
}

func assignAs[T any](dest *T, value driver.Value) error {
	v, ok := value.(T)
	if !ok {
		return fmt.Errorf("a %T is no %T", value, *dest)
	}
	*dest = v
	return nil
}

func assignByKind(dest reflect.Value, value driver.Value) error {
	switch v := value.(type) {
	case string:
		if dest.Kind() == reflect.String {
			dest.SetString(v)
			return nil
		}
	case int64:
		switch {
		case dest.CanInt() && !dest.OverflowInt(v):
			dest.SetInt(v)
			return nil
		case dest.CanUint() && v >= 0 && !dest.OverflowUint(uint64(v)):
			dest.SetUint(uint64(v))
			return nil
		case dest.Kind() == reflect.Bool:
			dest.SetBool(v != 0)
			return nil
		}
	}
	return fmt.Errorf("a %T (%v) is no %s", value, value, dest.Type())
}
