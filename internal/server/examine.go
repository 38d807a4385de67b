package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
)

// Finding is one result of Examine. Problem is "" when all is well.
type Finding struct {
	Name    string
	Good    string
	Problem string
}

// Text is what to show.
func (f Finding) Text() string {
	if f.Problem != "" {
		return f.Problem
	}
	return f.Good
}

// lowSpace is the free disk space under which Examine warns.
const lowSpace = 1 << 30

// Examine checks an installation: the directory, the disk, the database, the
// settings and what waits to be delivered. With a running server it asks that
// one and leaves the database alone.
func Examine(ctx context.Context, where config.Storage) []Finding {
	data := where.Data
	list := []Finding{examineDir(data), examineDisk(data)}
	if list[0].Problem != "" {
		return list
	}
	if dialAdmin(ctx, data) != nil {
		return append(list, Finding{Name: "server", Good: "a server runs here; its /readyz tells how it is"})
	}
	err := offline(ctx, where, "", quiet(os.Stderr), func(c *core) error {
		list = append(list, Finding{Name: "server", Good: "none runs here"}, examineDatabase(ctx, c))
		list = append(list, examineSettings(c)...)
		list = append(list, examineEndpoints(ctx, c)...)
		return nil
	})
	if err != nil {
		list = append(list, Finding{Name: "database", Problem: err.Error()})
	}
	return list
}

func examineDir(data string) Finding {
	f := Finding{Name: "directory", Good: filepath.Clean(data) + " is private"}
	info, err := os.Stat(data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Problem = fmt.Sprintf("%s does not exist; `tolmach serve --data %s` makes it", data, data)
	case err != nil:
		f.Problem = err.Error()
	case !info.IsDir():
		f.Problem = data + " is not a directory"
	case info.Mode().Perm()&0o077 != 0:
		f.Problem = fmt.Sprintf("others may look into %s; run chmod 700 %s", data, data)
	}
	return f
}

func examineDisk(data string) Finding {
	f := Finding{Name: "disk"}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(data, &fs); err != nil {
		f.Problem = "the free space can't be read: " + err.Error()
		return f
	}
	free := fs.Bavail * uint64(fs.Bsize) // a block size is positive
	f.Good = fmt.Sprintf("%.1f GiB free", float64(free)/(1<<30))
	if free < lowSpace {
		f.Problem = f.Good + "; make room before the database can't grow"
	}
	return f
}

func examineDatabase(ctx context.Context, c *core) Finding {
	f := Finding{Name: "database", Good: "sound"}
	if err := c.store.Check(ctx); err != nil {
		f.Problem = err.Error()
	}
	return f
}

// examineSettings looks for settings that do nothing.
func examineSettings(c *core) []Finding {
	catalog := c.service.Catalog()
	if len(catalog.Endpoints()) == 0 {
		return []Finding{{Name: "settings", Problem: "there are none; bring some in with `tolmach apply FILE`"}}
	}
	list := []Finding{{Name: "settings", Good: fmt.Sprintf("version %d", catalog.Version)}}
	for _, e := range catalog.Endpoints() {
		if e.Kind == chat.EndpointIntegration && !c.formats[e.Integration.Format] {
			list = append(list, Finding{Name: "integration " + e.Name, Problem: "the format " + e.Integration.Format + " is not served by this version; nothing is sent"})
		}
	}
	return list
}

// examineEndpoints looks for endpoints that are paused or far behind.
func examineEndpoints(ctx context.Context, c *core) []Finding {
	var list []Finding
	health, err := c.service.Health(ctx)
	if err != nil {
		return []Finding{{Name: "endpoints", Problem: err.Error()}}
	}
	for _, h := range health {
		e, ok := c.service.Catalog().Endpoint(h.TenantID, h.EndpointID)
		if !ok {
			continue
		}
		name := string(e.Kind) + " " + e.Name
		switch {
		case h.Paused:
			list = append(list, Finding{Name: name, Problem: "is paused: " + h.Reason + "; resume it in the console when it is mended"})
		case h.FailingSince != 0:
			list = append(list, Finding{Name: name, Problem: "has been failing since " + h.FailingSince.Time().Format(time.RFC3339)})
		}
	}
	return list
}
