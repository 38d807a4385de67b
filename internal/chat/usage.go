package chat

import "context"

// TaskUsage is what went through one task, of all times: its conversations and
// the messages of all authors in them (specs/selarti.md §2: every message
// counts).
type TaskUsage struct {
	TaskID        ID
	Conversations int64
	Messages      int64
}

// Usage counts the messages of the actor's tenant per task, by rising task id.
func (s *Service) Usage(ctx context.Context, actor Actor) ([]TaskUsage, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var usage []TaskUsage
	err := s.store.View(ctx, func(r Reader) (err error) {
		usage, err = r.Usage(actor.TenantID)
		return err
	})
	return usage, err
}
