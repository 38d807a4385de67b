package chat

import (
	"context"
	"maps"
	"slices"
)

// MaxProfileValue is the longest value of a profile field, in bytes.
const MaxProfileValue = 4000

// ChangeProfile sets fields of a conversation's client: name, phone, email and
// so on. Empty values leave a field as it is. It returns the client as it is
// afterwards.
func (s *Service) ChangeProfile(ctx context.Context, actor Actor, conversation ID, profile map[string]string) (*Client, error) {
	if err := actor.Require(ScopeConversations); err != nil {
		return nil, err
	}
	if err := checkProfile(profile); err != nil {
		return nil, err
	}
	var client *Client
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		client = u.client
		return u.changeProfile(maps.Clone(profile))
	})
	return client, err
}

// checkProfile refuses values over the limit, naming the first in order.
func checkProfile(profile map[string]string) error {
	for _, field := range slices.Sorted(maps.Keys(profile)) {
		if len(profile[field]) > MaxProfileValue {
			return &Error{Code: CodeTooLarge, Field: field, Message: "the value is over 4000 bytes"}
		}
	}
	return nil
}
