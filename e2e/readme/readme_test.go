// Package readme_test walks through the first page of the README, word for
// word but for the ports and the directory.
package readme_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tolmach/tolmach/examples"
)

const patience = 2 * time.Minute

var block = regexp.MustCompile("(?s)```sh\n(.*?)```")

func TestEnglish(t *testing.T) { walk(t, "README.md") }

func TestRussian(t *testing.T) { walk(t, "README.ru.md") }

// walk runs the page's blocks: the first two stay running, as in terminals of
// their own.
func walk(t *testing.T, page string) {
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(repo, page))
	if err != nil {
		t.Fatal(err)
	}
	blocks := block.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 6 {
		t.Fatalf("%s has %d shell blocks; this walk knows 6", page, len(blocks))
	}
	w := newWalker(t, repo)
	server := w.background(blocks[0][1])
	server.wait(t, "server.ready")
	hooks := w.background(blocks[1][1])
	hooks.wait(t, "waiting for webhooks")

	sent := w.foreground(blocks[2][1])
	if !strings.Contains(sent, `"status":"success"`) {
		t.Errorf("sending printed %s", sent)
	}
	hooks.wait(t, `"message_type": "bot"`)
	seen := hooks.text()
	user, bot := strings.Index(seen, `"message_type": "user"`), strings.Index(seen, `"message_type": "bot"`)
	if user < 0 || bot < user || strings.Count(seen, "signature ok") != 2 {
		t.Errorf("the receiver printed\n%s", seen)
	}

	talk := w.foreground(strings.TrimRight(blocks[3][1], "\n") + " <<'END'\nhello bot\n/quit\nEND\n")
	if !strings.Contains(talk, "Здравствуйте") {
		t.Errorf("the bot in the terminal printed %s", talk)
	}
	w.foreground(blocks[4][1])
	hooks.wait(t, `"message_type": "operator"`)

	asked := w.foreground(blocks[5][1])
	answer, later, _ := strings.Cut(asked, `{"questionId":`)
	if !strings.Contains(answer, "Здравствуйте") || !strings.Contains(later, `"answer":"done"`) || strings.Contains(later, "Здравствуйте") {
		t.Errorf("the three calls of the Chat API printed %s", asked)
	}
}

// walker runs shell blocks in a directory that looks like the repository after
// its build, on free ports.
type walker struct {
	t     *testing.T
	dir   string
	ports *strings.Replacer
	env   []string
}

func newWalker(t *testing.T, repo string) *walker {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	public, hooks := freePort(t), freePort(t)
	w := &walker{t: t, dir: dir, ports: strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+public, "127.0.0.1:9701", "127.0.0.1:"+hooks)}
	w.env = append(os.Environ(), "TOLMACH_LISTEN=127.0.0.1:"+public)
	if err := os.Symlink(filepath.Join(repo, "bin"), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	// The demo keeps a set-up file that was changed: here, its ports.
	if err := os.Mkdir(filepath.Join(dir, "demo"), 0o700); err != nil {
		t.Fatal(err)
	}
	setup, err := examples.Files.ReadFile("setup.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "demo", "setup.yaml"), []byte(w.ports.Replace(string(setup))), 0o600); err != nil {
		t.Fatal(err)
	}
	makefile := fmt.Sprintf("run:\n\t$(MAKE) -C %s run DEMO=%s\n", repo, filepath.Join(dir, "demo"))
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (w *walker) command(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", w.ports.Replace(script))
	cmd.Dir, cmd.Env = w.dir, w.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (w *walker) foreground(script string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	out, err := w.command(ctx, script).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return string(out)
}

// running is a terminal in which something stays running; its output is a file.
type running struct{ path string }

func (w *walker) background(script string) *running {
	w.t.Helper()
	out, err := os.CreateTemp(w.dir, "terminal")
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := w.command(context.Background(), script)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the whole terminal
		_ = cmd.Wait()
		_ = out.Close()
	})
	return &running{out.Name()}
}

func (r *running) text() string {
	text, err := os.ReadFile(r.path)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// wait looks at the terminal until it shows the words.
func (r *running) wait(t *testing.T, words string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if strings.Contains(r.text(), words) {
			return
		}
	}
	t.Fatalf("never printed %q:\n%s", words, r.text())
}
