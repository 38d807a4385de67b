// Package failpoint lets a process die at a chosen place, for the tests that
// kill it (e2e/crash). Built without the tag "failpoints", as every release is,
// the only function is empty and leaves no trace in the code around it.
//
// The places: store.mid_batch, store.committed (before anybody is answered),
// store.script (each statement of opening and migrating), backup.written
// (before the file has its name), delivery.woken (a lane was made, and nobody
// was sent anything yet), webhook.answered (2xx, before it is settled).
package failpoint
