// Package delivery brings events to the endpoints that want them: webhooks and
// built-in bots. It keeps one policy for every call (specs/delivery.md).
//
// What is to be sent, in which order, and what a settled try means are rules of
// the core; they live in chat. Here is when, how often, how many at once, and
// whose fault a failure is. Three goroutines share the work: the dispatcher
// claims due lanes and starts runners, the keeper exchanges the health of
// endpoints with the store and looks for lanes that somebody else woke, the
// pruner forgets what has outlived the retention. A runner carries one claimed
// lane on for some events and ends.
package delivery
