//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// armed is read once: the environment of a process does not change. It is the
// one global of the house, in a build that nobody is served by.
var armed = sync.OnceValue(func() *point { return parse(os.Getenv("TOLMACH_FAILPOINT")) })

// point is where the process dies, after so many passages more.
type point struct {
	name string
	mu   sync.Mutex
	left int
}

// Here ends the process with SIGKILL, which nothing can clean up after, at the
// n-th passage of the point that TOLMACH_FAILPOINT=name:n names.
func Here(name string) {
	p := armed()
	if p == nil || p.name != name {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left--; p.left > 0 {
		return
	}
	// What follows must not happen, whatever a kill costs in time.
	err := syscall.Kill(os.Getpid(), syscall.SIGKILL)
	fmt.Fprintln(os.Stderr, "failpoint: the process can't be killed:", err)
	select {}
}

func parse(text string) *point {
	if text == "" {
		return nil
	}
	name, count, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(count)
	if name == "" || err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "failpoint: %q is not of the form name:n\n", text)
		os.Exit(2)
	}
	return &point{name: name, left: n}
}
