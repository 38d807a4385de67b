// Package wiretest is what the tests of every dialect share: the core at work
// over a real database, with two companies that must not see each other, and
// a way to ask its handlers.
package wiretest
