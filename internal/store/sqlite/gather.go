package sqlite

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// gatherer stands between the writer's connection and its write-ahead log. A
// commit appends page after page, each with a header, in two small writes a
// page; the gatherer keeps what follows one another and writes it in one piece
// before the sync that makes it durable. Nobody else reads what the connection
// has not synced yet: with synchronous=FULL pages are made known to readers
// after their sync.
//
// It is a VFS of SQLite made from another one: the same methods, but those of
// the log are ours and call the originals. One connection at a time uses it.
type gatherer struct {
	*native
	name string
	base uintptr // the VFS that does the work
	own  *lib.Tsqlite3_vfs

	file    uintptr                  // the log, 0 while none is open
	methods *lib.Tsqlite3_io_methods // of the VFS below, for files like it
	table   uintptr                  // ours
	pending []byte                   // not written yet
	offset  int64                    // where it belongs
}

// gatherRoom is how much is kept at most: as much as the system's VFS writes
// at once.
const gatherRoom = 1<<17 - 1

// newGatherer registers one over the named VFS, "" for the system's. The
// caller closes it after every connection that uses it.
func newGatherer(base string) (*gatherer, error) {
	g := &gatherer{native: newNative()}
	g.name = fmt.Sprintf("gather%p", g)
	var below uintptr
	if base != "" {
		below = g.text(base)
	}
	g.base = lib.Xsqlite3_vfs_find(g.tls, below)
	own, name := uintptr(0), g.text(g.name)
	if g.base != 0 {
		own = g.replica(g.base, unsafe.Sizeof(lib.Tsqlite3_vfs{}))
	}
	if own == 0 || name == 0 {
		g.free()
		return nil, errors.New("the engine can't be given a way to its files")
	}
	g.own = pointer[lib.Tsqlite3_vfs](own)
	g.own.FpNext, g.own.FzName, g.own.FxOpen = 0, name, g.method(g.open)
	if rc := lib.Xsqlite3_vfs_register(g.tls, own, 0); rc != lib.SQLITE_OK {
		g.free()
		return nil, fmt.Errorf("registering a way to the files of the database: error %d", rc)
	}
	return g, nil
}

func (g *gatherer) close() {
	lib.Xsqlite3_vfs_unregister(g.tls, address(g.own))
	g.free()
}

func (g *gatherer) open(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	rc := original[openFn](pointer[lib.Tsqlite3_vfs](g.base).FxOpen)(tls, g.base, name, file, flags, out)
	methods := &pointer[lib.Tsqlite3_file](file).FpMethods
	if rc != lib.SQLITE_OK || *methods == 0 || flags&lib.SQLITE_OPEN_WAL == 0 || g.file != 0 {
		return rc
	}
	if g.over(pointer[lib.Tsqlite3_io_methods](*methods)) {
		*methods, g.file, g.pending = g.table, file, g.pending[:0]
	}
	return rc
}

// over makes the table of our methods over others, unless it is there. Without
// it the engine writes as it would.
func (g *gatherer) over(methods *lib.Tsqlite3_io_methods) bool {
	if g.methods == methods {
		return true
	}
	table := g.replica(address(methods), unsafe.Sizeof(*methods))
	if table == 0 {
		return false
	}
	own := pointer[lib.Tsqlite3_io_methods](table)
	own.FxClose, own.FxRead, own.FxWrite = g.method(g.closeFile), g.method(g.read), g.method(g.write)
	own.FxTruncate, own.FxSync, own.FxFileSize = g.method(g.truncate), g.method(g.sync), g.method(g.size)
	g.methods, g.table = methods, table
	return true
}

// closeFile drops what was not synced: nobody was told that it is there.
func (g *gatherer) closeFile(tls *libc.TLS, file uintptr) int32 {
	g.file, g.pending = 0, g.pending[:0]
	return original[closeFn](g.methods.FxClose)(tls, file)
}

func (g *gatherer) write(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	if end := g.offset + int64(len(g.pending)); offset != end || len(g.pending)+int(n) > gatherRoom {
		if rc := g.flush(tls, file); rc != lib.SQLITE_OK {
			return rc
		}
		g.offset = offset
	}
	g.pending = append(g.pending, bytesAt(data, n)...)
	return lib.SQLITE_OK
}

// flush writes what is pending. What can't be written is dropped: the engine
// takes the transaction back that it belongs to.
func (g *gatherer) flush(tls *libc.TLS, file uintptr) int32 {
	if len(g.pending) == 0 {
		return lib.SQLITE_OK
	}
	content := g.pending
	g.pending = g.pending[:0]
	rc := original[writeFn](g.methods.FxWrite)(tls, file, address(&content[0]), int32(len(content)), g.offset)
	runtime.KeepAlive(content)
	return rc
}

func (g *gatherer) read(tls *libc.TLS, file, into uintptr, n int32, offset int64) int32 {
	if rc := g.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return original[readFn](g.methods.FxRead)(tls, file, into, n, offset)
}

func (g *gatherer) truncate(tls *libc.TLS, file uintptr, size int64) int32 {
	if rc := g.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return original[truncateFn](g.methods.FxTruncate)(tls, file, size)
}

func (g *gatherer) sync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := g.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return original[syncFn](g.methods.FxSync)(tls, file, flags)
}

func (g *gatherer) size(tls *libc.TLS, file, size uintptr) int32 {
	if rc := g.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return original[sizeFn](g.methods.FxFileSize)(tls, file, size)
}
