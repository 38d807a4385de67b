// Package auth turns what a request shows for itself into a chat.Actor, and
// guards the ways to get there: passwords are hashed slowly, logins are
// throttled, cookies are honoured for requests of our own pages only.
package auth
