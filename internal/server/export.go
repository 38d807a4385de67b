package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/config/setupfile"
	"github.com/tolmach/tolmach/internal/wire/selarti"
)

// ExportOptions are what `tolmach export` is told.
type ExportOptions struct {
	Storage config.Storage
	Tenant  string    // "": all
	Dir     string    // new or empty, for the setup file and the scenarios; "": only the file, to Out
	Out     io.Writer // of the setup file, or of what was written
	Log     io.Writer
}

// exportAnswer is the answer behind `tolmach export`. It holds secrets, like
// everything that goes over the admin socket.
type exportAnswer struct {
	Setups []chat.Setup `json:"setups"`
	Error  string       `json:"error,omitempty"`
}

func (a *admin) export(w http.ResponseWriter, r *http.Request) {
	var answer exportAnswer
	var err error
	if answer.Setups, err = a.core.export(r.Context(), r.URL.Query().Get("tenant")); err != nil {
		answer.Error = chat.ErrorMessage(err)
	}
	writeAdmin(w, answer)
}

// export reads the settings. A task's computed Selarti id is written down: its
// callers know it, and a new installation would compute another one.
func (c *core) export(ctx context.Context, tenant string) ([]chat.Setup, error) {
	setups, err := c.service.Export(ctx, owner, tenant)
	for i := range setups {
		for j := range setups[i].Tasks {
			task := &setups[i].Tasks[j]
			task.SelartiID = selarti.TaskID(task)
		}
	}
	return setups, err
}

// Export writes the settings of an installation as a setup file, whether a
// server runs or not.
func Export(ctx context.Context, o ExportOptions) error {
	setups, err := exported(ctx, o)
	if err != nil {
		return err
	}
	scenarios := setupfile.NameScenarios(setups)
	text, variables, err := setupfile.Format(setups)
	if err != nil {
		return err
	}
	if o.Dir == "" {
		if len(scenarios) > 0 {
			fmt.Fprintf(o.Log, "note: the texts of %d scenario files are not in this; --dir DIR writes them, too\n", len(scenarios))
		}
		_, err = o.Out.Write(text)
		return err
	}
	if err := writeExport(o.Dir, text, scenarios); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "wrote %s with %d scenario files; %d secrets are left out\n",
		filepath.Join(o.Dir, setupfile.Name), len(scenarios), len(variables))
	return err
}

func exported(ctx context.Context, o ExportOptions) (setups []chat.Setup, err error) {
	if client := dialAdmin(ctx, o.Storage.Data); client != nil {
		var answer exportAnswer
		if err := client.call(ctx, "/export?tenant="+url.QueryEscape(o.Tenant), nil, &answer); err != nil {
			return nil, err
		}
		if answer.Error != "" {
			return nil, errors.New(answer.Error)
		}
		return answer.Setups, nil
	}
	if _, err := os.Stat(o.Storage.Data); err != nil && o.Storage.Database == "" {
		return nil, fmt.Errorf("there is nothing to export: %w", err)
	}
	err = offline(ctx, o.Storage, "", quiet(o.Log), func(c *core) error {
		setups, err = c.export(ctx, o.Tenant)
		return err
	})
	return setups, err
}

// writeExport fills a new or empty directory. Names of scenarios can't leave
// it.
func writeExport(dir string, text []byte, scenarios map[string]string) error {
	holds, err := contents(dir)
	if err != nil {
		return err
	}
	if len(holds) > 0 {
		return fmt.Errorf("%s is not empty; export into a new directory", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for name, scenario := range scenarios {
		err = firstOf(err, root.MkdirAll(filepath.Dir(name), 0o700))
		err = firstOf(err, root.WriteFile(name, []byte(scenario), 0o600))
	}
	err = firstOf(err, root.WriteFile(setupfile.Name, text, 0o600))
	return firstOf(err, root.Close())
}
