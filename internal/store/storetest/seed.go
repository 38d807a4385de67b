package storetest

import (
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
)

// Ids of settings that the tests speak of; the store only stores them.
const (
	ours    = chat.ID(5001)
	theirs  = chat.ID(5002)
	channel = chat.ID(6001)
	task    = chat.ID(6002)
	bot     = chat.ID(6003)
	hook    = chat.ID(6004)
)

// talk is a client with one conversation and an open session.
type talk struct {
	client, conversation, session chat.ID
}

// newTalk makes a talk of the tenant; key keeps several of one client apart.
func newTalk(tx chat.Tx, tenant chat.ID, client chat.ID, key string) (talk, error) {
	var tk talk
	var err error
	if tk.client = client; client == 0 {
		if tk.client, err = newClient(tx, tenant); err != nil {
			return tk, err
		}
	}
	if tk.conversation, err = tx.NextID(); err != nil {
		return tk, err
	}
	if tk.session, err = tx.NextID(); err != nil {
		return tk, err
	}
	owner := chat.Owner{Kind: chat.OwnerBot, ID: bot}
	err = tx.CreateSession(&chat.Session{
		ID: tk.session, TenantID: tenant, ConversationID: tk.conversation, OpenedAt: tx.Now(), Owner: owner, Version: 1,
	})
	if err != nil {
		return tk, err
	}
	return tk, tx.CreateConversation(&chat.Conversation{
		ID: tk.conversation, TenantID: tenant, ClientID: tk.client, TaskID: task, ChannelID: channel, Key: key,
		ShareToken: fmt.Sprintf("share-%d", tk.conversation), CreatedAt: tx.Now(), SessionID: tk.session, Owner: owner,
		Vars: map[string]any{},
	})
}

func newClient(tx chat.Tx, tenant chat.ID) (chat.ID, error) {
	id, err := tx.NextID()
	if err != nil {
		return 0, err
	}
	return id, tx.CreateClient(&chat.Client{ID: id, TenantID: tenant, CreatedAt: tx.Now()})
}

// say appends a message of the client as a use case does: the next seq, a
// moment after every other of the client's.
func say(tx chat.Tx, tenant, conversation chat.ID, text string) (*chat.Entry, error) {
	conv, err := tx.Conversation(tenant, conversation)
	if err != nil {
		return nil, err
	}
	client, err := tx.Client(tenant, conv.ClientID)
	if err != nil {
		return nil, err
	}
	var ids [2]chat.ID
	for i := range ids {
		if ids[i], err = tx.NextID(); err != nil {
			return nil, err
		}
	}
	conv.Seq++
	client.LastAt = max(tx.Now(), client.LastAt+1)
	conv.LastAt, conv.LastMessageID, conv.Messages = client.LastAt, ids[0], conv.Messages+1
	e := &chat.Entry{
		Event: chat.Event{
			ID: ids[1], TenantID: tenant, ConversationID: conv.ID, ClientID: client.ID, SessionID: conv.SessionID,
			Seq: conv.Seq, At: client.LastAt, Kind: chat.EventMessageCreated, MessageID: ids[0], Author: chat.AuthorClient,
		},
		Message: &chat.Message{
			ID: ids[0], TenantID: tenant, ConversationID: conv.ID, SessionID: conv.SessionID, Seq: conv.Seq, At: client.LastAt,
			Author: chat.AuthorClient, Status: chat.StatusSent, Content: chat.Content{Text: text},
		},
	}
	if err := tx.AddMessage(e.Message); err != nil {
		return nil, err
	}
	if err := tx.AppendEvent(&e.Event); err != nil {
		return nil, err
	}
	if err := tx.SaveConversation(conv); err != nil {
		return nil, err
	}
	return e, tx.SaveClient(client)
}

// talkOf makes a talk in a transaction of its own.
func (f *fixture) talkOf(tenant chat.ID) talk {
	f.t.Helper()
	return write(f, func(tx chat.Tx) (talk, error) { return newTalk(tx, tenant, 0, "") })
}

// say says something in a transaction of its own.
func (f *fixture) say(tenant, conversation chat.ID, text string) *chat.Entry {
	f.t.Helper()
	return write(f, func(tx chat.Tx) (*chat.Entry, error) { return say(tx, tenant, conversation, text) })
}
