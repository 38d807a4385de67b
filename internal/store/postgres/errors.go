package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tolmach/tolmach/internal/chat"
)

// The codes of PostgreSQL that mean something here (its manual, appendix A).
const (
	uniqueViolation      = "23505"
	notInRepertoire      = "22021" // a NUL, or bytes that are no UTF-8
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	notSupported         = "0A000" // a cached plan that a migration has overtaken
)

// later are the classes of codes, and codes, that mean "not now", with what to
// tell the caller.
var later = map[string]string{
	"08":    "the server has lost its database; try again",
	"25006": "the server's database takes no writes now; try again",
	"25P03": "the server's database has cut a transaction that took too long; try again",
	"40":    "the server's database is too busy with the same rows; try again",
	"53":    "the server's database has run out of space, memory or connections; try again later",
	"55P03": "the server's database is too busy with the same rows; try again",
	"57":    "the server's database is stopping or starting; try again",
	"58":    "the server's database can't reach its files now; try again",
}

// translate turns the engine's "not now" into CodeUnavailable, and a text that
// it can't store into CodeInvalid. dead says that the connection failed with
// the error. Every other error passes as it is.
func translate(err error, dead bool) error {
	var told *chat.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if dead {
			return unavailable(later["08"], err)
		}
		return err
	}
	if e.Code == notInRepertoire {
		return &chat.Error{Code: chat.CodeInvalid, Message: "a text has a character that can't be stored (NUL, or broken UTF-8); remove it", Err: err}
	}
	for _, code := range []string{e.Code, e.Code[:min(2, len(e.Code))]} {
		if message, known := later[code]; known {
			return unavailable(message, err)
		}
	}
	return err
}

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isDuplicate says whether a unique or primary key was violated.
func isDuplicate(err error) bool { return codeOf(err) == uniqueViolation }

// isConstraint says whether the server refused a statement for what it said.
func isConstraint(err error) bool {
	return strings.HasPrefix(codeOf(err), "23") || codeOf(err) == notInRepertoire
}

// isRaced says whether the transaction lost to others and may win when it is
// run again.
func isRaced(err error) bool {
	switch codeOf(err) {
	case serializationFailure, deadlockDetected, notSupported:
		return true
	}
	return false
}

func unavailable(message string, cause error) error {
	return &chat.Error{Code: chat.CodeUnavailable, Message: message, Err: cause}
}
