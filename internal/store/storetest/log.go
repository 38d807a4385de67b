package storetest

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func logTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"an event and its message are kept whole": eventWhole,
		"a seq is taken once":                     seqOnce,
		"pages of a conversation": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			for range 7 {
				f.say(ours, tk.conversation, "hello")
			}
			for _, c := range []struct {
				after int64
				limit int
				want  []int64
			}{
				{0, 3, []int64{1, 2, 3}}, {3, 3, []int64{4, 5, 6}}, {6, 3, []int64{7}}, {7, 3, []int64{}},
				{0, 0, []int64{}}, {-5, 2, []int64{1, 2}},
			} {
				entries := read(f, func(r chat.Reader) ([]chat.Entry, error) {
					return r.Events(ours, tk.conversation, c.after, c.limit)
				})
				equal(t, "seqs", mapped(entries, func(e chat.Entry) int64 { return e.Seq }), c.want)
			}
			f.missing("an event that is not there", func(r chat.Reader) error {
				_, err := r.Event(ours, tk.conversation, 8)
				return err
			})
		},
		"events of a client over all conversations, by at": eventsOfClient,
		"the feed of a tenant, by id":                      feed,
		"the client's messages after a seq": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			for range 5 {
				f.say(ours, tk.conversation, "hello")
			}
			f.update(func(tx chat.Tx) error {
				e := chat.Event{TenantID: ours, ConversationID: tk.conversation, ClientID: tk.client, Author: chat.AuthorClient}
				for i, kind := range []chat.EventKind{chat.EventClientChanged, chat.EventMessageCreated} {
					var err error
					if e.ID, err = tx.NextID(); err != nil {
						return err
					}
					e.Seq, e.Kind = int64(6+i), kind
					if err := tx.AppendEvent(&e); err != nil {
						return err
					}
					e.Author = chat.AuthorOperator
				}
				return nil
			})
			for _, c := range []struct{ after, limit, want int64 }{{0, 9, 5}, {0, 2, 2}, {3, 9, 2}, {5, 9, 0}, {7, 9, 0}, {0, 0, 0}} {
				equal(t, "count", read(f, func(r chat.Reader) (int64, error) {
					return r.ClientMessagesAfter(ours, tk.conversation, c.after, c.limit)
				}), c.want)
			}
		},
		"a message's status": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			e := f.say(ours, tk.conversation, "hello")
			f.update(func(tx chat.Tx) error { return tx.SetMessageStatus(ours, e.MessageID, chat.StatusRead) })
			m := read(f, func(r chat.Reader) (*chat.Message, error) { return r.Message(ours, e.MessageID) })
			want := *e.Message
			want.Status = chat.StatusRead
			equal(t, "message", *m, want)
			f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SetMessageStatus(ours, 404, chat.StatusRead) })
			f.missing("an unknown message", func(r chat.Reader) error { _, err := r.Message(ours, 404); return err })
		},
	}
}

func wholeEvent() *chat.Event {
	return &chat.Event{
		ID: 31, TenantID: ours, ConversationID: 11, ClientID: 12, SessionID: 13, Seq: 1, At: 14, Kind: chat.EventMessageCreated,
		MessageID: 32, Author: chat.AuthorBot, AuthorID: 15, Flags: chat.FlagInterest | chat.FlagClose, BotID: 16, Version: 17,
		Data: chat.EventData{
			Title: "Анна", Contacts: "+7", CausedBy: 18, Flag: "interest", From: &chat.Owner{Kind: chat.OwnerQueue},
			To: &chat.Owner{Kind: chat.OwnerBot, ID: 19}, Reason: "r", Payload: json.RawMessage(`{"a":"<b>"}`), Rating: 5,
			AnswerID: 20, Answer: &chat.AnswerMeta{Confidence: 0.25, EndSession: true},
		},
	}
}

func wholeMessage() *chat.Message {
	yes := true
	return &chat.Message{
		ID: 32, TenantID: ours, ConversationID: 11, SessionID: 13, Seq: 1, At: 14, Author: chat.AuthorBot, AuthorID: 15,
		AnswerID: 20, ReplyTo: 21, Status: chat.StatusDelivered,
		Content: chat.Content{
			Text: "Привет, <мир> & \u2028 \x00 'quoted' \"twice\"", Markdown: "**hi**", BlockInput: &yes,
			Attachments: []chat.Attachment{{Kind: "image", URL: "https://a.example/b?c=d&e", Size: 1 << 40}},
			Buttons:     []chat.Button{{Text: "yes", Payload: "y"}, {Text: "site", URL: "https://a.example"}},
		},
	}
}

func eventWhole(t *testing.T, f *fixture) {
	e, m := wholeEvent(), wholeMessage()
	bare := &chat.Event{ID: 33, TenantID: ours, ConversationID: 11, ClientID: 12, Seq: 2, At: 15, Kind: chat.EventSessionClosed}
	f.update(func(tx chat.Tx) error {
		for id := chat.ID(0); id < bare.ID; { // so that these ids are the store's, as all are
			var err error
			if id, err = tx.NextID(); err != nil {
				return err
			}
		}
		if err := tx.AddMessage(m); err != nil {
			return err
		}
		if err := tx.AppendEvent(e); err != nil {
			return err
		}
		conversation := &chat.Conversation{ID: 11, TenantID: ours, ClientID: 12, TaskID: task, ChannelID: channel}
		return errors.Join(tx.AppendEvent(bare), tx.CreateConversation(conversation))
	})
	want := []chat.Entry{{Event: *e, Message: m}, {Event: *bare}}
	equal(t, "Events", read(f, func(r chat.Reader) ([]chat.Entry, error) { return r.Events(ours, 11, 0, 9) }), want)
	equal(t, "EventsOfClient", read(f, func(r chat.Reader) ([]chat.Entry, error) { return r.EventsOfClient(ours, 12, channel, 0, 9) }), want)
	equal(t, "Feed", read(f, func(r chat.Reader) ([]chat.Entry, error) { return r.Feed(ours, 0, 9) }), want)
	equal(t, "Message", read(f, func(r chat.Reader) (*chat.Message, error) { return r.Message(ours, 32) }), m)
	for i := range want {
		got := read(f, func(r chat.Reader) (*chat.Entry, error) { return r.Event(ours, 11, int64(i+1)) })
		equal(t, "Event", *got, want[i])
	}
}

func seqOnce(t *testing.T, f *fixture) {
	e := wholeEvent()
	f.update(func(tx chat.Tx) error { return tx.AppendEvent(e) })
	twin := *e
	twin.ID++
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.AppendEvent(&twin) })
	twin.Seq++
	f.update(func(tx chat.Tx) error { return tx.AppendEvent(&twin) })
}

func eventsOfClient(t *testing.T, f *fixture) {
	first := f.talkOf(ours)
	second := write(f, func(tx chat.Tx) (talk, error) { return newTalk(tx, ours, first.client, "other") })
	stranger := f.talkOf(ours)
	var ats []chat.Micros
	for i := range 8 {
		tk := []talk{first, second}[i%2]
		ats = append(ats, f.say(ours, tk.conversation, "hello").At)
		f.say(ours, stranger.conversation, "not ours to see")
	}
	for _, c := range []struct {
		from  chat.Micros
		limit int
		want  []chat.Micros
	}{
		{0, 100, ats}, {0, 3, ats[:3]}, {ats[2], 3, ats[2:5]}, {ats[2] + 1, 1, ats[3:4]}, {ats[7] + 1, 9, []chat.Micros{}},
		{0, 0, []chat.Micros{}},
	} {
		entries := read(f, func(r chat.Reader) ([]chat.Entry, error) {
			return r.EventsOfClient(ours, first.client, channel, c.from, c.limit)
		})
		equal(t, "ats", mapped(entries, func(e chat.Entry) chat.Micros { return e.At }), c.want)
	}
	elsewhere := read(f, func(r chat.Reader) ([]chat.Entry, error) {
		return r.EventsOfClient(ours, first.client, channel+1, 0, 100)
	})
	equal(t, "events on another channel", len(elsewhere), 0)
}

func feed(t *testing.T, f *fixture) {
	talks := []talk{f.talkOf(ours), f.talkOf(ours), f.talkOf(theirs)}
	var ids []chat.ID
	for i := range 9 {
		tenant := []chat.ID{ours, ours, theirs}[i%3]
		if e := f.say(tenant, talks[i%3].conversation, "hello"); tenant == ours {
			ids = append(ids, e.ID)
		}
	}
	equal(t, "the end", read(f, func(r chat.Reader) (chat.ID, error) { return r.FeedEnd(ours) }), ids[5])
	equal(t, "the end of nothing", read(f, func(r chat.Reader) (chat.ID, error) { return r.FeedEnd(404) }), chat.ID(0))
	for _, c := range []struct {
		after chat.ID
		limit int
		want  []chat.ID
	}{
		{0, 100, ids}, {0, 2, ids[:2]}, {ids[1], 2, ids[2:4]}, {ids[5], 2, []chat.ID{}}, {0, 0, []chat.ID{}},
	} {
		entries := read(f, func(r chat.Reader) ([]chat.Entry, error) { return r.Feed(ours, c.after, c.limit) })
		equal(t, "ids", mapped(entries, func(e chat.Entry) chat.ID { return e.ID }), c.want)
	}
}
