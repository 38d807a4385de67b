package centrifuge

import (
	"context"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// Publication is one entry of a channel. Offset places it in the channel's
// stream; zero marks one that is not kept, such as a typing signal. Time is in
// Unix milliseconds.
type Publication = protocol.Publication

// ClientInfo says who a connection is.
type ClientInfo = protocol.ClientInfo

// Position is a place in a channel's stream. Offsets rise, with or without
// gaps, as long as the epoch stays; a new epoch makes all older positions void.
type Position struct {
	Offset uint64
	Epoch  string
}

// Stream is the history behind channels. It is read only: whoever appends to it
// calls Server.Publish afterwards. Its methods are called concurrently.
type Stream interface {
	// Read returns a part of a channel's stream and its top. A channel nobody
	// wrote to has a top too, with offset 0. It fails with
	// ErrUnrecoverablePosition if something after q.Since is no longer kept; the
	// page's top must be right even then. The server itself compares epochs and
	// refuses positions above the top.
	Read(ctx context.Context, channel string, q Query) (Page, error)
}

// Query chooses a part of a stream.
type Query struct {
	// Since excludes everything up to and including its offset (with Reverse:
	// everything from it on). Nil means from the beginning.
	Since *Position
	// Limit bounds the number of publications; zero asks for the top alone.
	Limit int
	// Reverse starts with the newest.
	Reverse bool
}

// Page is a part of a stream, in the order the query asked for.
type Page struct {
	Publications []*Publication
	Top          Position
}

// honours reports whether a position belongs to the stream that top is the top
// of. A client that knows no epoch is believed.
func (top Position) honours(since Position) bool {
	return (since.Epoch == "" || since.Epoch == top.Epoch) && since.Offset <= top.Offset
}
