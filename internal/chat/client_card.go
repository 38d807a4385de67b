package chat

import (
	"context"
	"maps"
	"slices"
)

// Limits of a client's profile.
const (
	MaxProfileFields = 100
	MaxProfileName   = 64 // bytes of a field's name
)

// maxCardConversations is how many conversations a card shows.
const maxCardConversations = 50

// ClientCard is all that colleagues know of a client.
type ClientCard struct {
	Client        *Client
	ExternalIDs   []ExternalID
	Conversations []Listed // the newest first, up to 50
}

// ClientCard returns a client's card. Errors: CodeNotFound, CodeForbidden.
func (s *Service) ClientCard(ctx context.Context, actor Actor, id ID) (*ClientCard, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var card *ClientCard
	err := s.store.View(ctx, func(r Reader) (err error) {
		c := &ClientCard{}
		if c.Client, err = r.Client(actor.TenantID, id); err != nil {
			return err
		}
		if c.ExternalIDs, err = r.ExternalIDs(actor.TenantID, id); err != nil {
			return err
		}
		c.Conversations, err = r.ConversationsOf(actor.TenantID, id, maxCardConversations)
		card = c
		return err
	})
	return card, err
}

// EditClient sets fields of a client's profile; an empty value removes one. The
// log of the conversation, which must be the client's, tells of the change, if
// there is any. It returns the client as he is afterwards. Errors: CodeInvalid
// and CodeTooLarge name the field; CodeNotFound; CodeForbidden.
func (s *Service) EditClient(ctx context.Context, actor Actor, client, conversation ID, profile map[string]string) (*Client, error) {
	if err := actor.Require(ScopeConversations); err != nil {
		return nil, err
	}
	if err := checkProfileNames(profile); err != nil {
		return nil, err
	}
	if err := checkProfile(profile); err != nil {
		return nil, err
	}
	var edited *Client
	err := s.update(ctx, actor, func(u *unit) error {
		if _, err := u.Client(actor.TenantID, client); err != nil {
			return err
		}
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		if u.client.ID != client {
			return Invalid("conversation", "is another client's; name one of this client")
		}
		edited = u.client
		return u.editClient(profile)
	})
	return edited, err
}

func (u *unit) editClient(profile map[string]string) error {
	before := maps.Clone(u.client.Profile)
	for name, value := range profile {
		if value == "" {
			delete(u.client.Profile, name)
		} else {
			u.client.Profile[name] = value
		}
	}
	if maps.Equal(before, u.client.Profile) {
		return nil
	}
	if len(u.client.Profile) > MaxProfileFields {
		return &Error{Code: CodeTooLarge, Field: "profile", Message: "a profile has at most 100 fields"}
	}
	_, err := u.append(Event{
		Kind: EventClientChanged, Author: u.author(), AuthorID: u.actor.ID,
		Data: EventData{Title: u.client.Title(), Contacts: u.client.Contacts()},
	}, nil)
	return err
}

func checkProfileNames(profile map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(profile)) {
		switch {
		case name == "":
			return Invalid("profile", "a field has no name")
		case len(name) > MaxProfileName:
			return &Error{Code: CodeTooLarge, Field: "profile", Message: "the name of a field is over 64 bytes"}
		}
	}
	return nil
}
