package chat

// A bot is told this much of what operators said, the latest of it.
const (
	maxSaid       = 50       // texts
	maxSaidBytes  = 16 << 10 // of all of them
	maxSaidEvents = 500      // of the log that are looked at
)

// operatorSaid returns the texts of operators in the part of the log after one
// seq and up to another, the oldest first. It is never nil.
func operatorSaid(r LogReader, c *Conversation, after, through int64) ([]string, error) {
	said := []string{}
	after = max(after, through-maxSaidEvents)
	if after >= through {
		return said, nil
	}
	entries, err := r.Events(c.TenantID, c.ID, after, int(through-after))
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if m := entries[i].Message; m != nil && m.Author == AuthorOperator && m.Content.Text != "" && entries[i].Kind == EventMessageCreated {
			said = append(said, m.Content.Text)
		}
	}
	return latest(said), nil
}

// latest keeps as many of the last texts as a bot is told; of the last one at
// least the beginning.
func latest(said []string) []string {
	if len(said) == 0 {
		return said
	}
	last := len(said) - 1
	said[last] = cut(said[last], maxSaidBytes)
	first, size := last, len(said[last])
	for first > 0 && last-first+1 < maxSaid && size+len(said[first-1]) <= maxSaidBytes {
		first--
		size += len(said[first])
	}
	return said[first:]
}
