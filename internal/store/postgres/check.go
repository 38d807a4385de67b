package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// unsafe finds what of the server's settings would lose what was acknowledged.
const unsafe = `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'
	UNION ALL SELECT 'synchronous_commit' WHERE current_setting('synchronous_commit') <> 'on'`

// broken finds indexes that the server itself holds for unusable.
const broken = `SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text NOT LIKE 'pg\_%'`

// Check asks the server whether what it acknowledges is durable and its indexes
// are whole, and returns what is wrong. The pages themselves are checked by
// PostgreSQL's own means (data checksums, pg_amcheck).
func (s *Store) Check(ctx context.Context) error {
	return s.direct(ctx, func(ctx context.Context, c *pgx.Conn) error {
		for _, look := range []struct{ query, says string }{
			{unsafe, "PostgreSQL runs with %s off: what it acknowledges may be lost; set it to on"},
			{broken, "the index %s of the database is not valid; run REINDEX INDEX on it"},
		} {
			rows, err := c.Query(ctx, look.query)
			if err != nil {
				return err
			}
			found, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			if len(found) > 0 {
				return fmt.Errorf(look.says, found[0])
			}
		}
		return nil
	})
}
