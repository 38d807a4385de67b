package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestRequire is the matrix of actors and scopes.
func TestRequire(t *testing.T) {
	t.Parallel()
	const write, read, talk, deliver, settings = chat.ScopeMessagesWrite, chat.ScopeConversationsRead,
		chat.ScopeConversations, chat.ScopeDeliveries, chat.ScopeSettings
	tests := []struct {
		actor chat.Actor
		may   []string
	}{
		{chat.SystemActor(1), chat.Scopes()},
		{chat.Actor{Kind: chat.ActorAdmin}, chat.Scopes()},
		{chat.Actor{Kind: chat.ActorOperator, Role: chat.RoleAdmin}, chat.Scopes()},
		{chat.Actor{Kind: chat.ActorOperator, Role: chat.RoleSupervisor}, []string{read, talk}},
		{chat.Actor{Kind: chat.ActorOperator, Role: chat.RoleOperator}, []string{read, talk}},
		{chat.Actor{Kind: chat.ActorOperator}, []string{read, talk}},
		{chat.Actor{Kind: chat.ActorAPIKey}, nil},
		{chat.Actor{Kind: chat.ActorAPIKey, Scopes: []string{write}}, []string{write}},
		{chat.Actor{Kind: chat.ActorAPIKey, Scopes: []string{read, deliver}}, []string{read, deliver}},
		{chat.Actor{Kind: chat.ActorAPIKey, Scopes: []string{talk, settings, "*"}}, []string{talk, settings}},
		{chat.Actor{Kind: chat.ActorAPIKey, Role: chat.RoleAdmin}, nil},
		{chat.Actor{Kind: chat.ActorChannel, Scopes: chat.Scopes()}, nil},
		{chat.Actor{Kind: chat.ActorBot, Scopes: chat.Scopes()}, nil},
		{chat.Actor{}, nil},
	}
	if got := chat.Scopes(); !slices.Equal(got, []string{write, read, talk, deliver, settings}) {
		t.Errorf("the scopes are %v", got)
	}
	for _, tt := range tests {
		for _, scope := range chat.Scopes() {
			t.Run(fmt.Sprint(tt.actor.Kind, " ", tt.actor.Role, tt.actor.Scopes, " ", scope), func(t *testing.T) {
				want := chat.CodeForbidden
				if slices.Contains(tt.may, scope) {
					want = ""
				}
				wantCode(t, tt.actor.Require(scope), want)
			})
		}
	}
}

// TestScopesOfUseCases: each use case asks for the scope it is about.
func TestScopesOfUseCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("hello")
	session := k.session().ID
	with := func(scope string) chat.Actor {
		a := w.bridge()
		a.Scopes = []string{scope}
		return a
	}
	cases := map[string]map[string]func(a chat.Actor) error{
		chat.ScopeMessagesWrite: {
			"ClientMessage": func(a chat.Actor) error { _, err := w.ClientMessage(w.ctx, a, keyed(k, "", "hi")); return err },
			"ClientEvent": func(a chat.Actor) error {
				_, err := w.ClientEvent(w.ctx, a, chat.ClientEvent{Incoming: k.incoming(), Name: "ping"})
				return err
			},
			"SetStatus": func(a chat.Actor) error {
				_, err := w.SetStatus(w.ctx, a, k.conv().LastMessageID, chat.StatusRead)
				return err
			},
			"Rate":      func(a chat.Actor) error { return w.Rate(w.ctx, a, session, 5, "") },
			"AddTarget": func(a chat.Actor) error { return w.AddTarget(w.ctx, a, k.incoming().TaskID, "@eve") },
		},
		chat.ScopeConversationsRead: {
			"Conversations": func(a chat.Actor) error { _, err := w.Conversations(w.ctx, a, chat.ConversationFilter{}); return err },
			"SearchConversations": func(a chat.Actor) error {
				_, _, err := w.SearchConversations(w.ctx, a, chat.ConversationSearch{})
				return err
			},
			"ClientCard":    func(a chat.Actor) error { _, err := w.ClientCard(w.ctx, a, k.conv().ClientID); return err },
			"CannedReplies": func(a chat.Actor) error { _, err := w.CannedReplies(w.ctx, a); return err },
			"Conversation":  func(a chat.Actor) error { _, err := w.Conversation(w.ctx, a, k.id); return err },
			"Events":        func(a chat.Actor) error { _, err := w.Events(w.ctx, a, k.id, 0, 0); return err },
			"Follow": func(a chat.Actor) error {
				for _, err := range w.Follow(w.ctx, a, k.id, 0) {
					return err
				}
				return nil
			},
			"Deliveries": func(a chat.Actor) error { _, err := w.Deliveries(w.ctx, a, chat.DeliveryFilter{}); return err },
			"Endpoints":  func(a chat.Actor) error { _, err := w.Endpoints(w.ctx, a); return err },
		},
		chat.ScopeConversations: {
			"Return": func(a chat.Actor) error { _, err := w.Return(w.ctx, a, k.id); return err },
			"SetFlags": func(a chat.Actor) error {
				_, err := w.SetFlags(w.ctx, a, k.id, map[string]bool{"interest": true})
				return err
			},
			"AddNote":  func(a chat.Actor) error { _, err := w.AddNote(w.ctx, a, k.id, "note"); return err },
			"MarkRead": func(a chat.Actor) error { _, err := w.MarkRead(w.ctx, a, k.id, 1); return err },
			"EditClient": func(a chat.Actor) error {
				_, err := w.EditClient(w.ctx, a, k.conv().ClientID, k.id, nil)
				return err
			},
			"ChangeProfile": func(a chat.Actor) error { _, err := w.ChangeProfile(w.ctx, a, k.id, nil); return err },
			"Close": func(a chat.Actor) error {
				k.says("open again")
				_, err := w.Close(w.ctx, a, k.id, "")
				return err
			},
		},
		chat.ScopeDeliveries: {
			"Replay":        func(a chat.Actor) error { _, err := w.Replay(w.ctx, a, chat.DeliveryFilter{}); return err },
			"PauseEndpoint": func(a chat.Actor) error { return w.PauseEndpoint(w.ctx, a, w.endpoint("all").ID, false, "") },
		},
	}
	for needed, list := range cases {
		for name, do := range list {
			for _, scope := range chat.Scopes() {
				want := chat.CodeForbidden
				if scope == needed {
					want = ""
				}
				if got := chat.ErrorCode(do(with(scope))); got != want {
					t.Errorf("%s with the scope %s alone: %q, want %q", name, scope, got, want)
				}
			}
		}
	}
}
