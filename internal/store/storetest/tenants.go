package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// tenantTests try every method of the port on what belongs to another tenant.
func tenantTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"every method is tried or has a reason not to be": func(t *testing.T, _ *fixture) {
			port := reflect.TypeFor[chat.Tx]()
			known := map[string]int{}
			for name := range foreignReads() {
				known[name]++
			}
			for name := range foreignWrites() {
				known[name]++
			}
			for name := range tenantless() {
				known[name]++
			}
			for m := range port.Methods() {
				if known[m.Name] != 1 {
					t.Errorf("%s is in %d of the tables below; it belongs in one", m.Name, known[m.Name])
				}
			}
		},
		"nothing of a tenant is read by another": func(t *testing.T, f *fixture) {
			w := newWorld(f)
			for name, reading := range foreignReads() {
				f.update(func(tx chat.Tx) error {
					n, err := reading(tx, theirs, w)
					if n != 0 || err != nil && chat.ErrorCode(err) != chat.CodeNotFound {
						return fmt.Errorf("%s as a stranger: found %d, error %w", name, n, err)
					}
					if n, err := reading(tx, ours, w); n == 0 || err != nil {
						return fmt.Errorf("%s as its owner: found %d, error %w", name, n, err)
					}
					return nil
				})
			}
		},
		"nothing of a tenant is changed by another": func(t *testing.T, f *fixture) {
			w := newWorld(f)
			before := w.digest(f)
			for name, writing := range foreignWrites() {
				err := f.try(func(tx chat.Tx) error { return writing(tx, theirs, w) })
				switch chat.ErrorCode(err) {
				case "", chat.CodeNotFound, chat.CodeConflict:
				default:
					t.Errorf("%s as a stranger: %v", name, err)
				}
				if after := w.digest(f); after != before {
					t.Fatalf("%s as a stranger changed it:\nfrom %s\n  to %s", name, before, after)
				}
			}
			for name, writing := range foreignWrites() {
				err := f.try(func(tx chat.Tx) error { return writing(tx, ours, w) })
				if err != nil && chat.ErrorCode(err) != chat.CodeConflict {
					t.Errorf("%s as its owner: %v", name, err)
				}
			}
		},
	}
}

// tenantless says why a method needs no tenant.
func tenantless() map[string]string {
	work, own, secret := "the server's own work", "what it takes names the tenant, and it is new", "who knows the secret may"
	return map[string]string{
		"Now": work, "NextID": work, "EndpointHealth": work, "Tenants": work, "Settings": work, "SettingsVersion": work,
		"Secret": work, "NextTimer": work, "TakeTimer": work, "ReleaseLanes": work, "PruneDeliveries": work, "PruneKeys": work,
		"ProcessLives": work, "PrunePollCursors": work, "PruneLogins": work, "BumpSettings": work, "SaveSecret": work,
		"WaitingTenants": work,
		"CreateTenant":   own, "AddLogin": own,
		"ConversationByShareToken": secret, "Login": secret, "DeleteLogin": secret,
	}
}

// world is one tenant's row of every kind.
type world struct {
	talk    talk
	entry   *chat.Entry
	session *chat.Session
}

func newWorld(f *fixture) world {
	w := world{talk: f.talkOf(ours)}
	w.entry = f.say(ours, w.talk.conversation, "ours")
	f.wake(w.talk.conversation)
	d := wholeDelivery(1)
	d.ConversationID, d.State, d.Seq = w.talk.conversation, chat.DeliveryQueued, 1
	f.deliver(d)
	f.setTimers(timer(w.talk.conversation, chat.TimerLate, "", 10))
	f.update(func(tx chat.Tx) (err error) {
		if w.session, err = tx.Session(ours, w.talk.session); err != nil {
			return err
		}
		return errors.Join(
			tx.LinkExternalID(ours, channel, "user-1", w.talk.client),
			tx.AddAttempt(&chat.Attempt{DeliveryID: 1, TenantID: ours, Number: 1}),
			tx.SaveEndpointHealth(&chat.EndpointHealth{EndpointID: hook, TenantID: ours, LastOK: 5}),
			tx.PutKey(&chat.IdempotencyKey{TenantID: ours, Scope: "s", Key: "k", MessageID: 1}),
			tx.SaveSetting(&chat.Setting{ID: 1, TenantID: ours, Kind: chat.KindTag, Name: "vip", Body: json.RawMessage(`{}`)}),
			tx.AddTarget(&chat.Target{TenantID: ours, TaskID: task, Name: "anna"}),
			tx.AddExchange(&chat.Exchange{
				TenantID: ours, ChannelID: channel, ClientID: w.talk.client, QuestionID: "q", Answer: 1, Status: chat.StatusSent,
			}),
			tx.SavePollCursor(&chat.PollCursor{TenantID: ours, ChannelID: channel, ClientID: w.talk.client, CID: "tab", At: 1}),
			tx.SaveClientState(&chat.ClientState{TenantID: ours, ChannelID: channel, ClientID: w.talk.client, State: json.RawMessage(`{}`)}),
			tx.AddCannedReply(&chat.CannedReply{ID: 1, TenantID: ours, Shortcut: "hi", Text: "Hello"}),
			tx.AddCannedReply(&chat.CannedReply{ID: 2, TenantID: ours, Shortcut: "bye"}),
			tx.AddCannedReply(&chat.CannedReply{ID: 3, TenantID: ours, OperatorID: 9, Shortcut: "bye"}),
			tx.AddLogin(&chat.Login{TokenHash: "hash", TenantID: ours, OperatorID: 1}),
			tx.SavePresence(&chat.Presence{TenantID: ours, OperatorID: 1, Status: chat.PresenceReady}),
			tx.CreateConversation(&chat.Conversation{ID: 4001, TenantID: ours, ClientID: 4002, Owner: chat.Owner{Kind: chat.OwnerQueue}}),
		)
	})
	return w
}

// digest is all of our world as text.
func (w world) digest(f *fixture) string {
	f.t.Helper()
	return write(f, func(tx chat.Tx) (string, error) {
		lane, err1 := tx.Lane(ours, hook, w.talk.conversation)
		client, err2 := tx.ClientByExternalID(ours, channel, "user-1")
		conversation, err3 := tx.ConversationByKey(ours, task, w.talk.client, "")
		session, err4 := tx.Session(ours, w.talk.session)
		entries, err5 := tx.Events(ours, w.talk.conversation, 0, 100)
		delivery, err6 := tx.Delivery(ours, 1)
		attempts, err7 := tx.Attempts(ours, 1)
		health, err8 := tx.EndpointHealth()
		due, err9 := tx.NextTimer()
		key, err10 := tx.Key(ours, "s", "k")
		targets, err11 := tx.Targets(ours, task)
		login, err12 := tx.Login("hash")
		canned, err20 := tx.CannedReplies(ours)
		settings, err13 := tx.Settings()
		exchange, err15 := tx.Exchange(ours, channel, w.talk.client, "q")
		cursor, err16 := tx.PollCursor(ours, channel, w.talk.client, "tab")
		state, err17 := tx.ClientState(ours, channel, w.talk.client)
		presences, err18 := tx.Presences(ours)
		queue, err19 := tx.Queue(ours, chat.QueuePlace{}, 9)
		kept := settings[:0]
		for _, s := range settings {
			if s.TenantID == ours {
				kept = append(kept, s)
			}
		}
		text, err14 := json.Marshal([]any{presences, queue, exchange, cursor, state, lane, client, conversation, session, entries, delivery, attempts, health, due, key, targets, login, canned, kept})
		return string(text), errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12, err13, err14, err15, err16, err17, err18, err19, err20)
	})
}

func found[T any](v *T, err error) (int, error) {
	if v == nil {
		return 0, err
	}
	return 1, err
}

func foundAll[T any](list []T, err error) (int, error) { return len(list), err }
