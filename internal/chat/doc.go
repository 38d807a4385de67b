// Package chat is the core of Tolmach: the words of the glossary, the rules,
// and Service, the one door through which everything changes.
//
// It imports the standard library only and does no I/O of its own: storage,
// live fan-out and password hashing are ports (Store, Bus, Waker, Passwords)
// that other packages fill. One use case is one file; it owns its transaction
// (rules, append, lanes, commit), and nobody is told anything before the
// commit.
package chat
