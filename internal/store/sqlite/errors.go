package sqlite

import (
	"errors"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/tolmach/tolmach/internal/chat"
)

// translate turns the engine's "not now" into CodeUnavailable: a full disk, a
// failed read or write, a lock held by another process, no memory. Every other
// error passes as it is.
func translate(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	var message string
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		message = "the server's disk is full; free some space, then try again"
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		message = "the server can't reach its database file now; try again"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		message = "the server's database is locked by another process; try again"
	default:
		return err
	}
	return &chat.Error{Code: chat.CodeUnavailable, Message: message, Err: err}
}

// isDuplicate says whether a unique or primary key was violated.
func isDuplicate(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// isConstraint says whether the engine refused a statement for what it said,
// which leaves the transaction as it was.
func isConstraint(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_CONSTRAINT
}

func unavailable(message string, cause error) error {
	return &chat.Error{Code: chat.CodeUnavailable, Message: message, Err: cause}
}
