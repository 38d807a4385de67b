package chat

// Bus fans out what was committed to whoever is connected. It may drop: a
// reader that missed something reads the log. Its contract is hub/hubtest.
type Bus interface {
	// Publish hands the notice to every subscription of its topics and returns
	// at once, whatever the subscribers do.
	Publish(n Notice)
	// Subscribe opens a subscription to one topic. The caller closes it.
	Subscribe(t Topic) Subscription
}

// Subscription is one reader's end of the bus.
type Subscription interface {
	// C delivers notices in the order of publication, through a buffer. What
	// comes while the buffer is full is dropped; Follow finds the gap by seq, or
	// by the full buffer when nothing came after it.
	C() <-chan Notice
	// Close ends the subscription; C is not closed by it.
	Close()
}

// Topic is what can be followed: one conversation, or, with Conversation 0,
// everything of a tenant.
type Topic struct {
	TenantID       ID
	ConversationID ID
}

// Notice is a hint about one conversation: entries that were committed, or a
// passing fact that is in no log.
type Notice struct {
	TenantID       ID
	ConversationID ID
	Entries        []Entry
	Typing         Author // "" unless somebody is typing
}

// Topics lists the topics a notice belongs to.
func (n *Notice) Topics() []Topic {
	return []Topic{{n.TenantID, n.ConversationID}, {n.TenantID, 0}}
}
