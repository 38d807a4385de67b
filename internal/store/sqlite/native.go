package sqlite

import (
	"unsafe"

	"modernc.org/libc"
)

// The engine is C in Go's clothes: its structures lie in memory of its own and
// call one another by address. This is what standing between the engine and
// its files takes, and all of the unsafe code there is.

// The types of the methods of files, as the engine calls them.
type (
	openFn     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	closeFn    = func(tls *libc.TLS, file uintptr) int32
	readFn     = func(tls *libc.TLS, file, into uintptr, n int32, offset int64) int32
	writeFn    = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	truncateFn = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFn     = func(tls *libc.TLS, file uintptr, flags int32) int32
	sizeFn     = func(tls *libc.TLS, file, size uintptr) int32
)

// native is memory that the engine may look at, until free.
type native struct {
	tls  *libc.TLS
	keep []any // functions that nothing but that memory points to
	heap []uintptr
}

func newNative() *native { return &native{tls: libc.NewTLS()} }

func (n *native) free() {
	for _, p := range n.heap {
		libc.Xfree(n.tls, p)
	}
	n.heap, n.keep = nil, nil
	n.tls.Close()
}

// text copies a text, with the zero at its end; 0 when there is no memory.
func (n *native) text(s string) uintptr {
	p, err := libc.CString(s)
	if err != nil {
		return 0
	}
	n.heap = append(n.heap, p)
	return p
}

// replica copies a structure; 0 when there is no memory.
func (n *native) replica(from, size uintptr) uintptr {
	p := libc.Xmalloc(n.tls, libc.Tsize_t(size))
	if p != 0 {
		copy(bytesAt(p, size), bytesAt(from, size))
		n.heap = append(n.heap, p)
	}
	return p
}

// method makes a function callable by the engine.
func (n *native) method(fn any) uintptr {
	box := &struct{ fn any }{fn}
	n.keep = append(n.keep, box)
	// An interface that holds a function holds the function's own pointer.
	return (*[2]uintptr)(unsafe.Pointer(&box.fn))[1] //nolint:gosec // the engine knows its memory by address
}

// original makes a method of the engine's callable by us.
func original[F any](method uintptr) F {
	box := struct{ uintptr }{method}
	return *(*F)(unsafe.Pointer(&box)) //nolint:gosec // the engine knows its memory by address
}

// pointer makes a pointer of an address in the engine's memory.
func pointer[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) } //nolint:gosec // the engine knows its memory by address

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) } //nolint:gosec // the engine knows its memory by address

// bytesAt is a piece of the engine's memory, good for as long as the engine
// says.
func bytesAt[N uintptr | int32](address uintptr, n N) []byte {
	return unsafe.Slice(pointer[byte](address), n) //nolint:gosec // the engine knows its memory by address
}
