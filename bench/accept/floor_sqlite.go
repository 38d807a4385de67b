package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

// sqliteFloor has the server's pragmas.
type sqliteFloor struct{ db *sql.DB }

func openSQLiteFloor(ctx context.Context, dir string) (floorWriter, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `CREATE TABLE messages (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, body TEXT NOT NULL)`)
	return sqliteFloor{db}, err
}

func (f sqliteFloor) close() { _ = f.db.Close() } // with the whole process

func (f sqliteFloor) commit(ctx context.Context, batch []*floorJob) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO messages (at, body) VALUES ($1, $2) RETURNING id`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for _, j := range batch {
		if err := insert.QueryRowContext(ctx, time.Now().UnixMicro(), string(j.content)).Scan(&j.id); err != nil {
			return err
		}
	}
	return tx.Commit()
}
