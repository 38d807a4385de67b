package storetest

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

// foreignReads reads everything in the world as some tenant and says how much
// it found.
func foreignReads() map[string]func(tx chat.Tx, as chat.ID, w world) (int, error) {
	return map[string]func(tx chat.Tx, as chat.ID, w world) (int, error){
		"Client": func(tx chat.Tx, as chat.ID, w world) (int, error) { return found(tx.Client(as, w.talk.client)) },
		"ClientByExternalID": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return found(tx.ClientByExternalID(as, channel, "user-1"))
		},
		"Conversation": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.Conversation(as, w.talk.conversation))
		},
		"ConversationByKey": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.ConversationByKey(as, task, w.talk.client, ""))
		},
		"Conversations": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return foundAll(tx.Conversations(as, chat.ConversationFilter{}))
		},
		"Queue": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return foundAll(tx.Queue(as, chat.QueuePlace{}, 9))
		},
		"Presence": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return found(tx.Presence(as, 1)) },
		"Presences": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return foundAll(tx.Presences(as))
		},
		"AnybodyReady": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			ready, err := tx.AnybodyReady(as)
			if ready {
				return 1, err
			}
			return 0, err
		},
		"LoginsOf": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.LoginsOf(as, 1)) },
		"ConversationsOf": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return foundAll(tx.ConversationsOf(as, w.talk.client, 9))
		},
		"ExternalIDs": func(tx chat.Tx, as chat.ID, w world) (int, error) { return foundAll(tx.ExternalIDs(as, w.talk.client)) },
		"FeedEnd": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			last, err := tx.FeedEnd(as)
			return int(last), err
		},
		"ClientMessagesAfter": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			n, err := tx.ClientMessagesAfter(as, w.talk.conversation, 0, 9)
			return int(n), err
		},
		"CannedReplies": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.CannedReplies(as)) },
		"CannedReply":   func(tx chat.Tx, as chat.ID, _ world) (int, error) { return found(tx.CannedReply(as, 1)) },
		"Usage":         func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.Usage(as)) },
		"Session":       func(tx chat.Tx, as chat.ID, w world) (int, error) { return found(tx.Session(as, w.talk.session)) },
		"Events": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return foundAll(tx.Events(as, w.talk.conversation, 0, 9))
		},
		"Event": func(tx chat.Tx, as chat.ID, w world) (int, error) { return found(tx.Event(as, w.talk.conversation, 1)) },
		"EventsOfClient": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return foundAll(tx.EventsOfClient(as, w.talk.client, channel, 0, 9))
		},
		"Feed":    func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.Feed(as, 0, 9)) },
		"Message": func(tx chat.Tx, as chat.ID, w world) (int, error) { return found(tx.Message(as, w.entry.MessageID)) },
		"Exchange": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.Exchange(as, channel, w.talk.client, "q"))
		},
		"UnreadExchanges": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return tx.UnreadExchanges(as, channel, w.talk.client)
		},
		"PollCursor": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.PollCursor(as, channel, w.talk.client, "tab"))
		},
		"PollCursors": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return foundAll(tx.PollCursors(as, channel, w.talk.client, 9))
		},
		"ClientState": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.ClientState(as, channel, w.talk.client))
		},
		"Lane": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.Lane(as, hook, w.talk.conversation))
		},
		"ClaimLanes": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return foundAll(tx.ClaimLanes(as, hook, 9, tx.Now().Add(lease)))
		},
		"Delivery": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return found(tx.Delivery(as, 1)) },
		"DeliveryOf": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.DeliveryOf(as, hook, w.talk.conversation, 1))
		},
		"Deliveries": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			return foundAll(tx.Deliveries(as, chat.DeliveryFilter{}))
		},
		"Attempts": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.Attempts(as, 1)) },
		"PreviousDelivery": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.PreviousDelivery(as, hook, w.talk.conversation, 9))
		},
		"NextQueued": func(tx chat.Tx, as chat.ID, w world) (int, error) {
			return found(tx.NextQueued(as, hook, w.talk.conversation))
		},
		"OldestDue": func(tx chat.Tx, as chat.ID, _ world) (int, error) {
			due, lanes, err := tx.OldestDue(as, hook)
			return int(due) + lanes, err
		},
		"Key":     func(tx chat.Tx, as chat.ID, _ world) (int, error) { return found(tx.Key(as, "s", "k")) },
		"Targets": func(tx chat.Tx, as chat.ID, _ world) (int, error) { return foundAll(tx.Targets(as, task)) },
	}
}

// foreignWrites tries to change everything in the world as some tenant.
func foreignWrites() map[string]func(tx chat.Tx, as chat.ID, w world) error {
	return map[string]func(tx chat.Tx, as chat.ID, w world) error{
		"CreateClient": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.CreateClient(&chat.Client{ID: w.talk.client, TenantID: as})
		},
		"SaveClient": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveClient(&chat.Client{ID: w.talk.client, TenantID: as, LastAt: 1})
		},
		"LinkExternalID": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.LinkExternalID(as, channel, "user-1", w.talk.client)
		},
		"CreateConversation": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.CreateConversation(&chat.Conversation{ID: w.talk.conversation, TenantID: as, ClientID: 404})
		},
		"SaveConversation": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveConversation(&chat.Conversation{ID: w.talk.conversation, TenantID: as, Seq: 99})
		},
		"CreateSession": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.CreateSession(&chat.Session{ID: w.talk.session, TenantID: as})
		},
		"SaveSession": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveSession(&chat.Session{ID: w.talk.session, TenantID: as, ClosedAt: 1})
		},
		"AppendEvent": func(tx chat.Tx, as chat.ID, w world) error {
			e := w.entry.Event
			e.TenantID, e.Kind = as, chat.EventSessionClosed
			return tx.AppendEvent(&e)
		},
		"AddMessage": func(tx chat.Tx, as chat.ID, w world) error {
			m := *w.entry.Message
			m.TenantID, m.Content.Text = as, "theirs"
			return tx.AddMessage(&m)
		},
		"SetMessageStatus": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SetMessageStatus(as, w.entry.MessageID, chat.StatusRead)
		},
		"AddExchange": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.AddExchange(&chat.Exchange{TenantID: as, ChannelID: channel, ClientID: w.talk.client, QuestionID: "q"})
		},
		"SaveExchange": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveExchange(&chat.Exchange{TenantID: as, ChannelID: channel, ClientID: w.talk.client, QuestionID: "q", Status: chat.StatusRead})
		},
		"SavePollCursor": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SavePollCursor(&chat.PollCursor{TenantID: as, ChannelID: channel, ClientID: w.talk.client, CID: "tab", At: 99})
		},
		"SaveClientState": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveClientState(&chat.ClientState{TenantID: as, ChannelID: channel, ClientID: w.talk.client, State: json.RawMessage(`"theirs"`)})
		},
		"WakeLane": func(tx chat.Tx, as chat.ID, w world) error { return tx.WakeLane(as, hook, w.talk.conversation, 99) },
		"AddReplays": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.AddReplays(as, hook, w.talk.conversation, 99, 3)
		},
		"SaveLane": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveLane(&chat.Lane{TenantID: as, EndpointID: hook, ConversationID: w.talk.conversation, NextSeq: 99})
		},
		"DropLane": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.DropLane(&chat.Lane{TenantID: as, EndpointID: hook, ConversationID: w.talk.conversation})
		},
		"SaveDelivery": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.SaveDelivery(&chat.Delivery{
				ID: 1, TenantID: as, EndpointID: hook, ConversationID: w.talk.conversation, Seq: 1, State: chat.DeliveryVoid,
			})
		},
		"AddAttempt": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.AddAttempt(&chat.Attempt{DeliveryID: 1, TenantID: as, Number: 1, Status: 500})
		},
		"SaveEndpointHealth": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.SaveEndpointHealth(&chat.EndpointHealth{EndpointID: hook, TenantID: as, Paused: true})
		},
		"SetTimer": func(tx chat.Tx, as chat.ID, w world) error {
			tm := timer(w.talk.conversation, chat.TimerLate, "", 99)
			tm.TenantID = as
			return tx.SetTimer(&tm)
		},
		"CancelTimers": func(tx chat.Tx, as chat.ID, w world) error {
			return tx.CancelTimers(as, w.talk.conversation, chat.TimerLate)
		},
		"PutKey": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.PutKey(&chat.IdempotencyKey{TenantID: as, Scope: "s", Key: "k", MessageID: 99})
		},
		"SaveSetting": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.SaveSetting(&chat.Setting{ID: 1, TenantID: as, Kind: chat.KindTag, Name: "theirs", Body: json.RawMessage(`{}`)})
		},
		"DeleteSetting": func(tx chat.Tx, as chat.ID, _ world) error { return tx.DeleteSetting(as, chat.KindTag, 1) },
		"AddTarget": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.AddTarget(&chat.Target{TenantID: as, TaskID: task, Name: "anna", CreatedAt: 99})
		},
		"SavePresence": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.SavePresence(&chat.Presence{TenantID: as, OperatorID: 1, Status: chat.PresenceInactive})
		},
		"AddLoad": func(tx chat.Tx, as chat.ID, _ world) error { return tx.AddLoad(as, 1, 1, 99) },
		"AddCannedReply": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.AddCannedReply(&chat.CannedReply{ID: 1, TenantID: as, Shortcut: "theirs"})
		},
		"SaveCannedReply": func(tx chat.Tx, as chat.ID, _ world) error {
			return tx.SaveCannedReply(&chat.CannedReply{ID: 1, TenantID: as, Shortcut: "theirs"})
		},
		"DeleteCannedReply":     func(tx chat.Tx, as chat.ID, _ world) error { return tx.DeleteCannedReply(as, 2) },
		"DeleteCannedRepliesOf": func(tx chat.Tx, as chat.ID, _ world) error { return tx.DeleteCannedRepliesOf(as, 9) },
		"DeleteLoginsOf":        func(tx chat.Tx, as chat.ID, _ world) error { return tx.DeleteLoginsOf(as, 1) },
	}
}
