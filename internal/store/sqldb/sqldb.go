// Package sqldb is chat.Store's reading and writing in one SQL text that every
// engine understands. An engine brings connections (Conn), the few words that
// differ (Dialect), the order of its transactions and the ids; everything
// between a use case and a row is here, one file a role.
//
// Every statement carries the tenant, except where the port has none: the
// server's own work (timers, health, pruning) and lookups by a secret. Where a
// statement joins or sorts, it writes CAST($1 AS BIGINT): SQLite plans such a
// statement anew, at ten times its cost, whenever the value of a plain
// "column = $1" becomes 0 or 1 or ceases to be, and 1 is the first tenant.
package sqldb

import (
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/migrations"
)

// Conn runs statements inside one transaction of one connection. It keeps
// prepared statements by their text, so texts come from a small fixed set.
// Arguments and destinations may be of any integer, string, bool or []byte
// kind; a destination may also be a sql.Scanner. An error of the engine that
// means "not now" (a full disk, a failed write) is a CodeUnavailable.
type Conn interface {
	// Exec returns the number of rows it changed.
	Exec(query string, args ...any) (int64, error)
	// Query returns rows that the caller closes.
	Query(query string, args ...any) (Rows, error)
}

// Writer is a Conn whose writes may wait for one another.
type Writer interface {
	Conn
	// Later runs a statement whose outcome the use case does not wait for: at
	// once, or together with others before the next statement and the commit.
	// check says what of the outcome makes the use case fail.
	Later(query string, args []any, check func(changed int64, err error) error) error
}

// Rows walks the result of a query.
type Rows interface {
	// Next says whether there is a row to scan; after false, Err says why.
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// IDs gives ids that rise, never twice the same.
type IDs interface {
	NextID() (chat.ID, error)
}

// Dialect is what differs between engines.
type Dialect struct {
	// Lock follows a read whose row the transaction is going to change: FOR
	// UPDATE, or nothing where there is one writer.
	Lock string
	// Skip follows a read of work to take that others may be taking: FOR
	// UPDATE SKIP LOCKED, or nothing.
	Skip string
	// Wake is what waking does to a lane that is there already: nothing, or an
	// update that changes nothing and so waits for whoever holds the lane.
	Wake string
	// Lives is a condition on $1, the name of a process: whether it works with
	// the database now. Nothing where there is one process.
	Lives string
	// Duplicate says whether an error is a violated unique key.
	Duplicate func(error) bool
	// Words are the engine's words in the migrations.
	Words migrations.Words
}

// Reader is a chat.Reader over one transaction. Now is fixed for its life.
type Reader struct {
	conn    Conn
	dialect *Dialect
	now     chat.Micros
	lock    string
}

// NewReader reads without locks.
func NewReader(conn Conn, dialect *Dialect, now chat.Micros) *Reader {
	return &Reader{conn: conn, dialect: dialect, now: now}
}

// Now is the moment the transaction began.
func (r *Reader) Now() chat.Micros { return r.now }

// Tx is a chat.Tx over one transaction. It neither begins nor ends it.
type Tx struct {
	Reader
	writer Writer
	ids    IDs
	owners map[chat.ID]owned // of the conversations as they are stored, those it knows
	taken  bool
}

// Taken says whether a unique key was found taken, which the caller was told
// as CodeConflict. Where transactions run side by side, another one may have
// taken it after this one had looked: the use case, run again, would see it.
func (t *Tx) Taken() bool { return t.taken }

// NewTx makes the use case's view of a write transaction.
func NewTx(conn Writer, dialect *Dialect, now chat.Micros, ids IDs) *Tx {
	return &Tx{Reader: Reader{conn: conn, dialect: dialect, now: now, lock: dialect.Lock}, writer: conn, ids: ids}
}

// NextID returns a new id.
func (t *Tx) NextID() (chat.ID, error) { return t.ids.NextID() }

var (
	_ chat.Reader = (*Reader)(nil)
	_ chat.Tx     = (*Tx)(nil)
)
