package chat

import (
	"encoding/json"
	"maps"
)

// receive finds or makes the client, the conversation and the session that
// something of a client goes to.
func (u *unit) receive(in *Incoming) error {
	changed, err := u.findAll(in)
	if err != nil {
		return err
	}
	// The session first: what follows counts as activity and would keep one that
	// has idled out.
	if err := u.ensureSession(); err != nil || !changed {
		return err
	}
	_, err = u.append(Event{
		Kind: EventClientChanged, Author: AuthorClient,
		Data: EventData{Title: u.client.Title(), Contacts: u.client.Contacts()},
	}, nil)
	return err
}

// find finds or makes the client and the conversation.
func (u *unit) find(in *Incoming) error {
	_, err := u.findAll(in)
	return err
}

// findAll is find that reports whether a known client's profile changed.
func (u *unit) findAll(in *Incoming) (changed bool, err error) {
	u.task = u.cat.Task(u.actor.TenantID, in.TaskID)
	if u.task == nil || u.actor.Kind == ActorChannel && u.actor.ID != u.task.Channel.ID {
		return false, &Error{Code: CodeNotFound, Field: "task_id", Message: "there is no such task"}
	}
	if u.task.Status == TaskStopped || u.task.Status == TaskCompleted {
		return false, &Error{Code: CodeClosed, Field: "task_id", Message: "the task is " + string(u.task.Status) + " and takes no messages; start it again first"}
	}
	if changed, err = u.findClient(in); err != nil {
		return false, err
	}
	return changed, u.findConversation(in)
}

// findClient finds the client by its id in the channel's scope or makes it,
// and merges what the caller says of it. It reports whether a known client's
// profile changed.
func (u *unit) findClient(in *Incoming) (changed bool, err error) {
	tenant, scope := u.actor.TenantID, u.task.Channel.ExternalScope()
	u.client, err = u.ClientByExternalID(tenant, scope, in.ExternalID)
	switch ErrorCode(err) {
	case "":
		changed = mergeProfile(u.client, in.Profile)
		return changed, mergeMetadata(u.client, in.Metadata)
	case CodeNotFound:
	default:
		return false, err
	}
	id, err := u.NextID()
	if err != nil {
		return false, err
	}
	u.client = &Client{ID: id, TenantID: tenant, CreatedAt: u.now, LastAt: u.now, Profile: map[string]string{}, Metadata: map[string]any{}}
	mergeProfile(u.client, in.Profile)
	if err := mergeMetadata(u.client, in.Metadata); err != nil {
		return false, err
	}
	if err := u.CreateClient(u.client); err != nil {
		return false, err
	}
	return false, u.LinkExternalID(tenant, scope, in.ExternalID, id)
}

// findConversation finds the client's conversation on the task under the key
// or makes it.
func (u *unit) findConversation(in *Incoming) error {
	conv, err := u.ConversationByKey(u.actor.TenantID, u.task.ID, u.client.ID, in.ConversationKey)
	if err == nil {
		return u.enter(u.client, conv)
	}
	if ErrorCode(err) != CodeNotFound {
		return err
	}
	id, err := u.NextID()
	if err != nil {
		return err
	}
	share, err := u.s.randomHex(16)
	if err != nil {
		return err
	}
	u.conv = &Conversation{
		ID: id, TenantID: u.actor.TenantID, ClientID: u.client.ID, TaskID: u.task.ID, ChannelID: u.task.Channel.ID,
		Key: in.ConversationKey, ExternalID: in.ExternalID, ShareToken: share,
		CreatedAt: u.now, LastAt: u.now, Vars: map[string]any{},
	}
	return u.CreateConversation(u.conv)
}

// mergeProfile takes over the known values and says whether any was new.
func mergeProfile(c *Client, profile map[string]string) bool {
	changed := false
	for k, v := range profile {
		if v == "" || c.Profile[k] == v {
			continue
		}
		if c.Profile == nil {
			c.Profile = map[string]string{}
		}
		c.Profile[k], changed = v, true
	}
	return changed
}

// mergeMetadata takes over everything else, up to the limit.
func mergeMetadata(c *Client, metadata map[string]any) error {
	if len(metadata) == 0 {
		return nil
	}
	if c.Metadata == nil {
		c.Metadata = map[string]any{}
	}
	maps.Copy(c.Metadata, metadata)
	size, err := json.Marshal(c.Metadata)
	if err != nil {
		return err
	}
	if len(size) > MaxMetadata {
		return Errorf(CodeTooLarge, "the extra fields of this client are over 64 KiB together")
	}
	return nil
}

// recall answers a repeated request by what its key made. An unknown key is
// nil; a key of another request is CodeConflict.
func (u *unit) recall(key, fingerprint string) (*Accepted, error) {
	if key == "" {
		return nil, nil
	}
	k, err := u.Key(u.actor.TenantID, u.keyScope(), key)
	switch {
	case ErrorCode(err) == CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case k.Fingerprint != fingerprint:
		return nil, &Error{Code: CodeConflict, Field: "Idempotency-Key", Message: "this key was used for another message; make a new key for each message"}
	}
	conv, err := u.Conversation(u.actor.TenantID, k.ConversationID)
	if err != nil {
		return nil, err
	}
	if k.MessageID == 0 { // it was no message
		return &Accepted{ConversationID: conv.ID, CreatedAt: conv.CreatedAt, Duplicate: true}, nil
	}
	m, err := u.Message(u.actor.TenantID, k.MessageID)
	if err != nil {
		return nil, err
	}
	return &Accepted{ConversationID: conv.ID, CreatedAt: conv.CreatedAt, MessageID: m.ID, Seq: m.Seq, At: m.At, Duplicate: true}, nil
}

// remember stores what the key made.
func (u *unit) remember(key, fingerprint string, message ID) error {
	if key == "" {
		return nil
	}
	return u.PutKey(&IdempotencyKey{
		TenantID: u.actor.TenantID, Scope: u.keyScope(), Key: key, Fingerprint: fingerprint,
		ConversationID: u.conv.ID, MessageID: message, CreatedAt: u.now,
	})
}

// keyScope keeps the keys of different callers apart.
func (u *unit) keyScope() string {
	return string(u.actor.Kind) + ":" + u.actor.ID.String()
}
