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

// Topic is what can be followed: one conversation; or, with a ChannelID, all
// conversations of one client there, known or not yet; or, with neither,
// everything of a tenant.
type Topic struct {
	TenantID       ID
	ConversationID ID
	ChannelID      ID
	ExternalID     string
}

// Notice is a hint about one conversation: entries that were committed, or a
// passing fact that is in no log.
type Notice struct {
	TenantID       ID
	ConversationID ID
	ChannelID      ID     // of the conversation, with its client's id there
	ExternalID     string // (a passing fact may leave them out)
	Entries        []Entry
	Typing         Author // "" unless somebody is typing
}

// Topics lists the topics a notice belongs to.
func (n *Notice) Topics() []Topic {
	topics := []Topic{{TenantID: n.TenantID, ConversationID: n.ConversationID}, {TenantID: n.TenantID}}
	if n.ChannelID != 0 {
		topics = append(topics, Topic{TenantID: n.TenantID, ChannelID: n.ChannelID, ExternalID: n.ExternalID})
	}
	return topics
}
