package console

import (
	"sync"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	encodedKept = 512      // messages
	encodedSize = 16 << 10 // bytes; a longer one is encoded for each reader
)

// encoded keeps the latest events as they are sent, so that each is encoded
// once and not once a reader. The zero value is ready.
type encoded struct {
	mu   sync.Mutex
	byID map[chat.ID][]byte
	ids  [encodedKept]chat.ID // a ring: next is the oldest
	next int
}

// of returns the message of an item; it is not to be changed.
func (c *encoded) of(item *chat.FeedItem, s shaper) []byte {
	c.mu.Lock()
	body, known := c.byID[item.ID]
	c.mu.Unlock()
	if known {
		return body
	}
	body = encode(eventMessage{"event", item.ID, item.ConversationID, s.event(item.Entry)})
	if len(body) > encodedSize {
		return body
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[chat.ID][]byte{}
	}
	if _, known := c.byID[item.ID]; !known {
		delete(c.byID, c.ids[c.next])
		c.byID[item.ID], c.ids[c.next] = body, item.ID
		c.next = (c.next + 1) % encodedKept
	}
	return body
}
