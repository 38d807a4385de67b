package main

import (
	"context"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresFloor sends a whole transaction in one exchange, prepared statements
// and all: PostgreSQL can be asked no quicker.
type postgresFloor struct{ conn *pgx.Conn }

func openPostgresFloor(ctx context.Context, _ string) (floorWriter, error) {
	conn, err := pgx.Connect(ctx, os.Getenv("TOLMACH_DATABASE"))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE messages (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at BIGINT NOT NULL, body TEXT NOT NULL)`)
	return postgresFloor{conn}, err
}

func (f postgresFloor) close() { _ = f.conn.Close(context.Background()) } // with the whole process

func (f postgresFloor) commit(ctx context.Context, batch []*floorJob) error {
	b := &pgx.Batch{}
	b.Queue(`BEGIN`)
	for _, j := range batch {
		b.Queue(`INSERT INTO messages (at, body) VALUES ($1, $2) RETURNING id`, time.Now().UnixMicro(), string(j.content)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&j.id) })
	}
	b.Queue(`COMMIT`)
	return f.conn.SendBatch(ctx, b).Close()
}
