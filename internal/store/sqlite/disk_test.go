package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// disk stands between the engine and the files it writes: it notes every write,
// truncation, deletion and sync of the real driver on its way to the real file,
// and fails what it is told to fail. From the notes it can tell what a disk
// that lost its power at any moment could have kept (restore).
//
// It is a VFS of SQLite made from the system's own: the same methods, but the
// few that change a file are ours and call the originals.
type disk struct {
	t    testing.TB
	name string
	tls  *libc.TLS
	unix *lib.Tsqlite3_vfs // the system's
	own  *lib.Tsqlite3_vfs
	keep []any     // functions that only C memory points to
	heap []uintptr // C memory to free

	mu     sync.Mutex
	opened map[uintptr]string  // name by the file's address
	fresh  map[string]bool     // logs and journals whose directory the engine syncs with their first sync
	tables map[uintptr]uintptr // our table of methods by the address of the original
	ops    []op
	fail   func(o op) int32 // the error code of an operation; 0: let it pass
}

// op is one change on its way to a file, or a mark that the test made.
type op struct {
	kind   opKind
	file   string
	offset int64 // of a write; the size of a truncation
	data   []byte
	names  bool // of a sync: the directory was synced, too
	mark   any
}

type opKind int

const (
	opWrite opKind = iota
	opTruncate
	opSync
	opLostSync // it failed: what was to be made durable never will be
	opDelete
	opMark
)

// The types of the methods, as the engine calls them.
type (
	openFn     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	deleteFn   = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	closeFn    = func(tls *libc.TLS, file uintptr) int32
	writeFn    = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	truncateFn = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFn     = func(tls *libc.TLS, file uintptr, flags int32) int32
)

// newDisk registers a disk. Nothing is recorded before a database is opened
// with Options.vfs = its name.
func newDisk(t testing.TB) *disk {
	t.Helper()
	d := &disk{
		t: t, tls: libc.NewTLS(),
		opened: map[uintptr]string{}, fresh: map[string]bool{}, tables: map[uintptr]uintptr{},
	}
	d.name = fmt.Sprintf("disk%p", d)
	system := lib.Xsqlite3_vfs_find(d.tls, 0)
	if system == 0 {
		t.Fatal("the engine has no VFS")
	}
	d.unix = pointer[lib.Tsqlite3_vfs](system)
	d.own = pointer[lib.Tsqlite3_vfs](d.copy(t, system, unsafe.Sizeof(*d.own)))
	name, err := libc.CString(d.name)
	if err != nil {
		t.Fatal(err)
	}
	d.heap = append(d.heap, name)
	d.own.FpNext, d.own.FzName = 0, name
	d.own.FxOpen, d.own.FxDelete = d.method(d.open), d.method(d.delete)
	if rc := lib.Xsqlite3_vfs_register(d.tls, address(d.own), 0); rc != lib.SQLITE_OK {
		t.Fatalf("registering the disk: %d", rc)
	}
	t.Cleanup(func() {
		lib.Xsqlite3_vfs_unregister(d.tls, address(d.own))
		for _, p := range d.heap {
			libc.Xfree(d.tls, p)
		}
		d.tls.Close()
	})
	return d
}

// copy copies a structure in C memory, where alone the engine may look for it.
func (d *disk) copy(t testing.TB, from uintptr, size uintptr) uintptr {
	p := libc.Xmalloc(d.tls, libc.Tsize_t(size))
	if p == 0 {
		t.Fatal("no memory")
	}
	copy(unsafe.Slice(pointer[byte](p), size), unsafe.Slice(pointer[byte](from), size))
	d.heap = append(d.heap, p)
	return p
}

// pointer makes a pointer of an address in C memory.
func pointer[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// method makes a function callable by the engine.
func (d *disk) method(fn any) uintptr {
	box := &struct{ fn any }{fn}
	d.keep = append(d.keep, box)
	// An interface that holds a function holds the function's own pointer.
	return (*[2]uintptr)(unsafe.Pointer(&box.fn))[1]
}

// original makes a method of the system's callable by us.
func original[F any](method uintptr) F {
	box := struct{ uintptr }{method}
	return *(*F)(unsafe.Pointer(&box))
}

func (d *disk) open(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	made := false
	if name != 0 && flags&lib.SQLITE_OPEN_CREATE != 0 && flags&(lib.SQLITE_OPEN_WAL|lib.SQLITE_OPEN_MAIN_JOURNAL) != 0 {
		_, err := os.Lstat(libc.GoString(name))
		made = errors.Is(err, fs.ErrNotExist)
	}
	rc := original[openFn](d.unix.FxOpen)(tls, address(d.unix), name, file, flags, out)
	methods := &pointer[lib.Tsqlite3_file](file).FpMethods
	if rc != lib.SQLITE_OK || *methods == 0 || name == 0 {
		return rc
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened[file] = filepath.Base(libc.GoString(name))
	if made {
		d.fresh[d.opened[file]] = true
	}
	table, known := d.tables[*methods]
	if !known {
		system := pointer[lib.Tsqlite3_io_methods](*methods)
		table = d.copy(d.t, *methods, unsafe.Sizeof(*system))
		own := pointer[lib.Tsqlite3_io_methods](table)
		own.FxClose, own.FxWrite = d.method(d.closeOf(system)), d.method(d.writeOf(system))
		own.FxTruncate, own.FxSync = d.method(d.truncateOf(system)), d.method(d.syncOf(system))
		d.tables[*methods] = table
	}
	*methods = table
	return rc
}

func (d *disk) delete(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	return d.pass(op{kind: opDelete, file: filepath.Base(libc.GoString(name))}, func() int32 {
		return original[deleteFn](d.unix.FxDelete)(tls, address(d.unix), name, syncDir)
	})
}

func (d *disk) closeOf(system *lib.Tsqlite3_io_methods) closeFn {
	return func(tls *libc.TLS, file uintptr) int32 {
		d.mu.Lock()
		delete(d.opened, file)
		d.mu.Unlock()
		return original[closeFn](system.FxClose)(tls, file)
	}
}

func (d *disk) writeOf(system *lib.Tsqlite3_io_methods) writeFn {
	return func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
		content := append([]byte(nil), unsafe.Slice(pointer[byte](data), n)...)
		return d.pass(op{kind: opWrite, file: d.path(file), offset: offset, data: content}, func() int32 {
			return original[writeFn](system.FxWrite)(tls, file, data, n, offset)
		})
	}
}

func (d *disk) truncateOf(system *lib.Tsqlite3_io_methods) truncateFn {
	return func(tls *libc.TLS, file uintptr, size int64) int32 {
		return d.pass(op{kind: opTruncate, file: d.path(file), offset: size}, func() int32 {
			return original[truncateFn](system.FxTruncate)(tls, file, size)
		})
	}
}

// syncOf notes a sync without doing it: the kernel's disk is not the one that
// loses its power here, and its fsync is slow.
func (d *disk) syncOf(*lib.Tsqlite3_io_methods) syncFn {
	return func(_ *libc.TLS, file uintptr, _ int32) int32 {
		o := op{kind: opSync, file: d.path(file)}
		d.mu.Lock()
		o.names = d.fresh[o.file]
		d.mu.Unlock()
		return d.pass(o, func() int32 {
			delete(d.fresh, o.file)
			return lib.SQLITE_OK
		})
	}
}

func (d *disk) path(file uintptr) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened[file]
}

// pass notes an operation and does it, in one order for all, or fails it.
func (d *disk) pass(o op, do func() int32) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if rc := d.fail(o); rc != 0 {
			if o.kind == opSync {
				o.kind = opLostSync
				d.ops = append(d.ops, o)
			}
			return rc
		}
	}
	rc := do()
	if rc == lib.SQLITE_OK {
		d.ops = append(d.ops, o)
	}
	return rc
}

// mark notes something of the test's between the operations.
func (d *disk) mark(v any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = append(d.ops, op{kind: opMark, mark: v})
}

// failing sets what fails from now on; nil is nothing.
func (d *disk) failing(fail func(o op) int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

// recorded returns the notes so far.
func (d *disk) recorded() []op {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]op(nil), d.ops...)
}

// remains is what a disk may hold after it lost its power behind the last of
// the operations: all that was synced, and of the rest anything: each write
// whole, torn between sectors or not at all, each truncation and deletion or
// not, whatever came before or after.
func remains(ops []op, random *rand.Rand) map[string][]byte {
	durable := map[string][]byte{}
	pending := map[string][]op{}
	for _, o := range ops {
		switch o.kind {
		case opSync:
			for _, p := range pending[o.file] {
				apply(durable, p, nil)
			}
			delete(pending, o.file)
			if o.names {
				forget(durable, pending)
			}
			if durable[o.file] == nil {
				durable[o.file] = []byte{}
			}
		case opLostSync:
			delete(pending, o.file)
		case opMark:
		default:
			pending[o.file] = append(pending[o.file], o)
		}
	}
	files := durable
	chance := []float64{0, 0, 0.1, 0.5, 0.9, 1}[random.IntN(6)]
	for _, list := range pending {
		for _, o := range list {
			if o.kind == opWrite || random.Float64() < chance {
				apply(files, o, func() bool { return random.Float64() < chance })
			}
		}
	}
	return files
}

// forget makes the deletions that wait durable, as the sync of a directory does.
func forget(durable map[string][]byte, pending map[string][]op) {
	for file, list := range pending {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].kind == opDelete {
				delete(durable, file)
				pending[file] = list[i+1:]
				break
			}
		}
	}
}

// sector is what a disk writes whole or not at all.
const sector = 512

// apply carries an operation out, a write sector by sector as kept says.
func apply(files map[string][]byte, o op, kept func() bool) {
	content := files[o.file]
	switch o.kind {
	case opDelete:
		delete(files, o.file)
		return
	case opTruncate:
		files[o.file] = resized(content, o.offset)
	case opWrite:
		for at := int64(0); at < int64(len(o.data)); at += sector {
			if kept != nil && !kept() {
				continue
			}
			end := min(at+sector, int64(len(o.data)))
			content = resized(content, max(int64(len(content)), o.offset+end))
			copy(content[o.offset+at:], o.data[at:end])
			files[o.file] = content
		}
	}
}

// resized cuts a file or fills it up with zeros.
func resized(content []byte, size int64) []byte {
	if int64(len(content)) >= size {
		clear(content[size:]) // it may grow again
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

// restore writes what remains into a directory. The shared memory of the
// write-ahead log is no durable file: what is found of it may be anything.
func restore(t testing.TB, dir string, files map[string][]byte, random *rand.Rand) {
	t.Helper()
	for name, content := range files {
		if strings.HasSuffix(name, "-shm") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if random.IntN(2) == 0 {
		garbage := make([]byte, 32768)
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		if err := os.WriteFile(filepath.Join(dir, "tolmach.db-shm"), garbage, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
