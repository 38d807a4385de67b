package sqldb

import "github.com/tolmach/tolmach/internal/chat"

// Known tells the transaction of a conversation as it is stored, by an engine
// that had no need to read it: saving it then writes no more than it must.
func (t *Tx) Known(c *chat.Conversation) { t.knowOwner(c) }
