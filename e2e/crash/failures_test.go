package crash_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// small mounts a file system of so many bytes. Whoever is not root can't; where
// the tests count, and for root, that is a failure.
func small(t *testing.T, options string) (dir string, remount func(flags uintptr)) {
	t.Helper()
	dir = harness.ShortDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
			t.Skipf("mounting a small disk needs root: %v", err)
		}
		t.Fatalf("this test fills up a small disk and can't mount one (tmpfs): %v; run it as root, and a container with --cap-add SYS_ADMIN", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
			t.Fatal(err)
		}
	}
}

// wantReady waits until /readyz answers the status, and with the words.
func (w *world) wantReady(p *process, status int, words string) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		r, err := harness.TryCall("GET", p.url+"/readyz", nil)
		if err == nil && r.Status == status && strings.Contains(string(r.Body), words) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("/readyz answers %d %s, error %v; want %d with %q\n%s", r.Status, r.Body, err, status, words, p.text())
		}
	}
}

// serveMore lets the load have so many more acknowledgements.
func (w *world) serveMore(p *process, acks int64) {
	w.t.Helper()
	w.load.start(p.url, acks)
	w.await(p)
	w.load.end()
}

// account demands that what was acknowledged is stored, and the rest.
func (w *world) account() audit {
	w.t.Helper()
	a := w.audit()
	w.receiver.settle(w.t, a.ids)
	_, problems := w.receiver.report()
	for _, p := range append(a.problems, problems...) {
		w.t.Error(p)
	}
	return a
}

// TestDiskFull fills the disk under load and makes room again.
func TestDiskFull(t *testing.T) {
	dir, _ := small(t, "size=40m") // the write-ahead log alone may take 17
	w := newWorld(t, filepath.Join(dir, "data"))
	p := w.serve("")
	p.mustBeUp(t)
	w.serveMore(p, 50)
	w.load.start(p.url, 1<<40)
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	w.wantReady(p, 503, "disk is full")
	if r := harness.Call(t, "GET", p.url+"/healthz", nil); r.Status != 200 {
		t.Errorf("a full disk is no reason to restart, but /healthz answers %d", r.Status)
	}
	for deadline := time.After(patience); w.load.refused.Load() == 0; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("nobody is refused")
		}
	}
	w.load.end()
	refused := w.load.refused.Load()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	w.wantReady(p, 200, "ready")
	w.serveMore(p, 100)
	p.stop(t)
	a := w.account()
	t.Logf("%d acknowledged and %d stored around a full disk; %d calls were refused", w.ackedOfAll(), a.stored, refused)
}

// fill writes until there is no room.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return
		}
	}
}

// TestReadOnlyDisk: a server does not start on a disk that it can't write, says
// so, and starts when it can. (The system refuses to make a disk read-only
// under files that are open for writing; what happens when it does so by itself
// after an error is tested in store/sqlite.)
func TestReadOnlyDisk(t *testing.T) {
	dir, remount := small(t, "size=32m")
	w := newWorld(t, filepath.Join(dir, "data"))
	p := w.serve("")
	p.mustBeUp(t)
	w.serveMore(p, 50)
	p.stop(t)
	remount(syscall.MS_RDONLY)
	p = w.serve("")
	if p.up(t) {
		t.Fatal("it serves from a disk that can't be written")
	}
	if !strings.Contains(p.text(), "read-only file system") {
		t.Errorf("it does not say why it ended:\n%s", p.text())
	}
	remount(0)
	p = w.serve("")
	p.mustBeUp(t)
	w.serveMore(p, 50)
	p.stop(t)
	w.account()
}

// TestSecondProcess: the second server of a directory refuses to run, and the
// first does not notice. So does a restore.
func TestSecondProcess(t *testing.T) {
	w := newWorld(t, "")
	p := w.serve("")
	p.mustBeUp(t)
	w.load.start(p.url, 100)
	second := w.serve("")
	if second.up(t) {
		t.Fatal("two servers run on one directory")
	}
	if !strings.Contains(second.text(), "another tolmach works in this data directory") {
		t.Errorf("it does not say why it ended:\n%s", second.text())
	}
	backup := filepath.Join(filepath.Dir(w.data), "b.db")
	if _, err := tolmach("backup", "--data", w.data, backup); err != nil {
		t.Error(err)
	}
	if _, err := tolmach("restore", "--force", "--data", w.data, backup); err == nil || !strings.Contains(err.Error(), "another tolmach") {
		t.Errorf("a restore under a running server: %v", err)
	}
	w.await(p)
	w.load.end()
	w.wantReady(p, 200, "ready")
	p.kill()
	w.account()
}

// TestFilesTakenAway deletes the write-ahead log, and its shared memory, under
// a server with load: it saves what it acknowledged, says what happened and
// ends, so that whoever watches over it starts it again.
func TestFilesTakenAway(t *testing.T) {
	for _, suffixes := range [][]string{{"-wal"}, {"-shm"}, {"-wal", "-shm"}} {
		t.Run(strings.Join(suffixes, ""), func(t *testing.T) {
			w := newWorld(t, "")
			p := w.serve("")
			p.mustBeUp(t)
			w.load.start(p.url, 100)
			w.await(p)
			for _, suffix := range suffixes {
				if err := os.Remove(filepath.Join(w.data, "tolmach.db"+suffix)); err != nil {
					t.Fatal(err)
				}
			}
			p.died(t)
			w.load.end()
			if !strings.Contains(p.text(), "was deleted or replaced while the server used it") {
				t.Errorf("it does not say why it ended:\n%s", p.text())
			}
			if p.cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("it ended with %v, want exit code 1, which asks to be started again", p.cmd.ProcessState)
			}
			w.account()
			p = w.serve("")
			p.mustBeUp(t)
			w.serveMore(p, 50)
			p.stop(t)
			w.account()
		})
	}
}
