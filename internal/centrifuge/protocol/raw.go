package protocol

import (
	"bytes"
	"errors"
)

// Raw is a payload the protocol does not look into: any bytes in Protobuf, a
// bare JSON value in the JSON form.
type Raw []byte

// MarshalJSON returns the bytes as they are; the encoder checks that they are
// JSON and takes line breaks between tokens out.
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of the value.
func (r *Raw) UnmarshalJSON(data []byte) error {
	if r == nil {
		return errors.New("protocol: Raw: UnmarshalJSON on a nil pointer")
	}
	*r = bytes.Clone(data)
	return nil
}
