package sqlite

import (
	"errors"
	"fmt"
	"os"
)

// present knows which files the database was opened with. The system lets
// anybody delete or replace a file that is open: commits then go on into a file
// that has no name, where the next process won't find them.
type present struct {
	names []string
	infos []os.FileInfo
}

// note takes down the files of a database that is open.
func (p *present) note(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("looking for the files of the database: %w", err)
		}
		p.names, p.infos = append(p.names, name), append(p.infos, info)
	}
	return nil
}

// check says which file is not there any more.
func (p *present) check() error {
	for i, name := range p.names {
		if info, err := os.Stat(name); err != nil || !os.SameFile(info, p.infos[i]) {
			return errors.Join(fmt.Errorf("%s was deleted or replaced while the server used it; the server stops, and goes on with what is there "+
				"when it is started again", name), err)
		}
	}
	return nil
}

// rescue saves what was committed into a log that has lost its name: it puts
// the log into the database's own file. It fails when that is gone, too.
func (w *writer) rescue() error {
	if info, err := os.Stat(w.present.names[0]); err != nil || !os.SameFile(info, w.present.infos[0]) {
		return errors.Join(errors.New("the database itself is gone"), err)
	}
	rows, err := w.conn.Query(`PRAGMA wal_checkpoint(FULL)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var busy, logged, saved int64
	if !rows.Next() {
		return errors.Join(errors.New("no answer"), rows.Err())
	}
	if err := rows.Scan(&busy, &logged, &saved); err != nil {
		return err
	}
	if busy != 0 || logged != saved {
		return fmt.Errorf("%d of %d pages were saved", saved, logged)
	}
	return nil
}
