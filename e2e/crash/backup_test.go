package crash_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/e2e/harness"
)

// TestBackupAndRestore: a backup made under load is restored into a new
// directory, where its moment goes on as a new history: keys are still known,
// nothing is delivered twice that was settled, new ids mean new things.
func TestBackupAndRestore(t *testing.T) {
	w := newWorld(t, "")
	p := w.serve("")
	p.mustBeUp(t)
	w.load.start(p.url, 150)
	w.await(p)
	promised := w.load.acked.Load()
	file := filepath.Join(filepath.Dir(w.data), "b.db")
	if out, err := tolmach("backup", "--data", w.data, file); err != nil || !strings.Contains(out, "wrote "+file) {
		t.Fatalf("backup: %q, %v", out, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v, error %v", info.Mode(), err)
	}
	if _, err := tolmach("backup", "--data", w.data, file); err == nil || !strings.Contains(err.Error(), "new name") {
		t.Errorf("a second backup of the same name: %v", err)
	}
	w.load.end()
	p.stop(t)
	before := epoch(t, w.data)

	if _, err := tolmach("restore", "--data", w.data, file); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a restore over an installation: %v", err)
	}
	restored := filepath.Join(filepath.Dir(w.data), "restored")
	for range 2 { // the second time over what is there
		if _, err := tolmach("restore", "--force", "--data", restored, file); err != nil {
			t.Fatal(err)
		}
	}
	if epoch(t, restored) == before {
		t.Error("the epoch is the old one")
	}
	a := auditFile(t, filepath.Join(restored, "tolmach.db"), func(string) int { return 0 })
	if int64(a.stored) < promised {
		t.Errorf("%d messages are restored, %d were acknowledged before the backup", a.stored, promised)
	}
	if out, err := tolmach("doctor", "--data", restored); err != nil {
		t.Errorf("doctor: %s %v", out, err)
	}
	// The callers begin anew; those of their messages that are in the backup are
	// known by their keys and not stored again.
	w.data, w.load = restored, newLoad()
	w.receiver.forgetAll()
	p = w.serve("")
	p.mustBeUp(t)
	w.serveMore(p, int64(a.stored)+100)
	p.stop(t)
	w.account()
}

// forgetAll makes the receiver one that has seen nothing: after a restore what
// came since the backup comes again.
func (r *receiver) forgetAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took, r.last, r.fresh = map[string]bool{}, map[string]int64{}, nil
	r.restored = true
}

func epoch(t *testing.T, data string) (value string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "tolmach.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT value FROM installation WHERE name = 'epoch'`).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestExportAndImport: the settings of one installation, exported from the
// running server, make the same installation of an empty one.
func TestExportAndImport(t *testing.T) {
	root := harness.ShortDir(t)
	demo := filepath.Join(root, "demo")
	if _, err := tolmach("demo", demo); err != nil {
		t.Fatal(err)
	}
	p := serve(t, filepath.Join(root, "one"), filepath.Join(demo, "setup.yaml"), "")
	p.mustBeUp(t)
	first := export(t, root, "one", "first")
	p.stop(t)
	for _, secret := range []string{"whsec_", "AbCdEfGh", "correct-horse", "k-demo", "support-token", "bot-secret"} {
		if bytes.Contains(first["setup.yaml"], []byte(secret)) {
			t.Errorf("the export holds the secret %s…", secret)
		}
	}
	for i, name := range regexp.MustCompile(`(?m)^#   ([A-Z0-9_]+)$`).FindAllSubmatch(first["setup.yaml"], -1) {
		t.Setenv(string(name[1]), fmt.Sprint("a value of its own ", i))
	}
	if _, err := tolmach("import", "--data", filepath.Join(root, "two"), filepath.Join(root, "first", "setup.yaml")); err != nil {
		t.Fatal(err)
	}
	second := export(t, root, "two", "second")
	if len(first) != len(second) || len(first) < 2 {
		t.Errorf("there are %d files and then %d", len(first), len(second))
	}
	for name, content := range first {
		if !bytes.Equal(second[name], content) {
			t.Errorf("%s was\n%s\nand is\n%s", name, content, second[name])
		}
	}
	again, err := tolmach("import", "--data", filepath.Join(root, "two"), filepath.Join(root, "second", "setup.yaml"))
	if err != nil || strings.Contains(again, "updated") || strings.Contains(again, "created") {
		t.Errorf("importing what was exported changes something: %v\n%s", err, again)
	}
}

// export returns what is exported, by file.
func export(t *testing.T, root, data, to string) map[string][]byte {
	t.Helper()
	if _, err := tolmach("export", "--data", filepath.Join(root, data), "--dir", filepath.Join(root, to)); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Join(root, to))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(root, to, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = content
	}
	return files
}
