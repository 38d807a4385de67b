package main

import (
	"fmt"
	"syscall"
)

// raiseFileLimit makes room for as many open files, as far as the system lets
// an ordinary user.
func raiseFileLimit(need uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if l.Cur < need {
		return fmt.Errorf("%d open files are needed and the hard limit is %d: raise it or ask for fewer -connections", need, l.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}
