package sqldb

import (
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/migrations"
)

// Migrator is a connection outside of any transaction.
type Migrator interface {
	Conn
	// Script runs statements separated by semicolons, without arguments.
	Script(text string) error
}

// Migrate brings the schema up to date, each step in its own transaction, and
// writes down what it applied. A schema that is newer than this binary, or
// that was made of other steps, is refused untouched.
func Migrate(c Migrator, w migrations.Words, now chat.Micros) error {
	steps, err := migrations.List(w)
	if err != nil {
		return err
	}
	err = c.Script(`CREATE TABLE IF NOT EXISTS schema_migrations (
		version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return fmt.Errorf("preparing the list of migrations: %w", err)
	}
	applied, err := many(c, "applied migrations", func(row scanner, m *migrations.Migration) error {
		return row.Scan(&m.Version, &m.Name)
	}, `SELECT version, name FROM schema_migrations ORDER BY version`)
	if err != nil {
		return err
	}
	if err := checkApplied(applied, steps); err != nil {
		return err
	}
	for _, step := range steps[len(applied):] {
		if err := apply(c, step, now); err != nil {
			return fmt.Errorf("migration %04d %s: %w", step.Version, step.Name, err)
		}
	}
	return nil
}

// checkApplied makes sure that what was applied is the beginning of what this
// binary knows.
func checkApplied(applied, known []migrations.Migration) error {
	if len(applied) > 0 {
		if last := applied[len(applied)-1]; last.Version > len(known) {
			return fmt.Errorf("the database has schema %d and this tolmach knows up to %d: it was opened by a newer version; "+
				"run that version, or restore the backup made before the upgrade", last.Version, len(known))
		}
	}
	for i, a := range applied {
		if a.Version != i+1 || a.Name != known[i].Name {
			return fmt.Errorf("the database has migration %04d %s where this tolmach has %04d %s: it was made by another branch; "+
				"run the version that made it", a.Version, a.Name, known[i].Version, known[i].Name)
		}
	}
	return nil
}

func apply(c Migrator, step migrations.Migration, now chat.Micros) error {
	if err := c.Script(`BEGIN`); err != nil {
		return err
	}
	err := c.Script(step.SQL)
	if err == nil {
		_, err = c.Exec(`INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)`,
			step.Version, step.Name, now)
	}
	if err == nil {
		err = c.Script(`COMMIT`)
	}
	if err != nil {
		if undo := c.Script(`ROLLBACK`); undo != nil {
			return fmt.Errorf("%w (and rolling it back: %w)", err, undo)
		}
	}
	return err
}
