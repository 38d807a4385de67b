package storetest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func exchangeTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"an exchange is kept whole and its id taken once": exchangeWhole,
		"what is not read is counted":                     unreadExchanges,
		"cursors are kept by connection":                  pollCursors,
		"cursors are pruned by age":                       prunePollCursors,
		"a state is kept as it was sent":                  clientStates,
		"a process that nobody knows does not live":       strangers,
	}
}

func exchangeWhole(t *testing.T, f *fixture) {
	x := &chat.Exchange{
		TenantID: ours, ChannelID: channel, ClientID: 12, QuestionID: "вопрос/1:2", ConversationID: 11, Question: 3, Fingerprint: "f",
		CID: "tab", AskedAt: 4, SyncUntil: 5, Process: "p", Answer: 6, Status: chat.StatusDelivered,
	}
	get := func(r chat.Reader) (*chat.Exchange, error) { return r.Exchange(ours, channel, 12, x.QuestionID) }
	f.missing("an unknown question", func(r chat.Reader) error { _, err := get(r); return err })
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SaveExchange(x) })
	f.update(func(tx chat.Tx) error { return tx.AddExchange(x) })
	equal(t, "added", read(f, get), x)
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.AddExchange(x) })
	for _, other := range []func(r chat.Reader) error{
		func(r chat.Reader) error { _, err := r.Exchange(ours, channel+1, 12, x.QuestionID); return err },
		func(r chat.Reader) error { _, err := r.Exchange(ours, channel, 13, x.QuestionID); return err },
		func(r chat.Reader) error { _, err := r.Exchange(ours, channel, 12, "ВОПРОС/1:2"); return err },
	} {
		f.missing("another question", other)
	}
	x.SyncUntil, x.Process, x.Answer, x.Status = 7, "q", 8, chat.StatusRead
	f.update(func(tx chat.Tx) error {
		if err := tx.SaveExchange(x); err != nil {
			return err
		}
		got, err := get(tx)
		if err == nil && *got != *x {
			err = fmt.Errorf("the transaction reads %+v", got)
		}
		return err
	})
	equal(t, "saved", read(f, get), x)
}

func unreadExchanges(t *testing.T, f *fixture) {
	add := func(client chat.ID, id string, status chat.Status) {
		f.update(func(tx chat.Tx) error {
			return tx.AddExchange(&chat.Exchange{TenantID: ours, ChannelID: channel, ClientID: client, QuestionID: id, Status: status})
		})
	}
	for i, status := range []chat.Status{"", chat.StatusNotSent, chat.StatusSent, chat.StatusDelivered, chat.StatusRead} {
		add(12, fmt.Sprint(i), status)
	}
	add(13, "another's", chat.StatusSent)
	unread := func() int {
		return read(f, func(r chat.Reader) (int, error) { return r.UnreadExchanges(ours, channel, 12) })
	}
	equal(t, "unread", unread(), 3)
	f.update(func(tx chat.Tx) error {
		return tx.SaveExchange(&chat.Exchange{TenantID: ours, ChannelID: channel, ClientID: 12, QuestionID: "2", Status: chat.StatusRead})
	})
	equal(t, "unread when one was read", unread(), 2)
	none := read(f, func(r chat.Reader) (int, error) { return r.UnreadExchanges(ours, channel, 99) })
	equal(t, "unread of nobody", none, 0)
}

func pollCursors(t *testing.T, f *fixture) {
	latest := func(limit int) (cids []string) {
		for _, c := range read(f, func(r chat.Reader) ([]chat.PollCursor, error) { return r.PollCursors(ours, channel, 12, limit) }) {
			cids = append(cids, c.CID)
		}
		return cids
	}
	equal(t, "the cursors of a new client", len(latest(9)), 0)
	cursor := func(cid string, at chat.Micros) *chat.PollCursor {
		return &chat.PollCursor{TenantID: ours, ChannelID: channel, ClientID: 12, CID: cid, Since: at - 4, At: at, UpdatedAt: at + 1}
	}
	for _, c := range []*chat.PollCursor{cursor("", 5), cursor("A", 9), cursor("a", 7)} {
		f.update(func(tx chat.Tx) error { return tx.SavePollCursor(c) })
		equal(t, "saved", read(f, func(r chat.Reader) (*chat.PollCursor, error) { return r.PollCursor(ours, channel, 12, c.CID) }), c)
	}
	equal(t, "the latest two", latest(2), []string{"A", "a"})
	f.update(func(tx chat.Tx) error { return tx.SavePollCursor(cursor("A", 6)) })
	equal(t, "all when one was moved", latest(9), []string{"a", "A", ""})
	f.missing("another's cursor", func(r chat.Reader) error { _, err := r.PollCursor(ours, channel, 13, "A"); return err })
}

func prunePollCursors(t *testing.T, f *fixture) {
	f.update(func(tx chat.Tx) error {
		for i := range 10 {
			c := &chat.PollCursor{TenantID: ours, ChannelID: channel, ClientID: 12, CID: fmt.Sprint(i), UpdatedAt: chat.Micros(i)}
			if err := tx.SavePollCursor(c); err != nil {
				return err
			}
		}
		return nil
	})
	prune := func() int { return write(f, func(tx chat.Tx) (int, error) { return tx.PrunePollCursors(7, 5) }) }
	equal(t, "chunks", []int{prune(), prune(), prune()}, []int{5, 2, 0})
	for i := range 10 {
		err := f.try(func(tx chat.Tx) error { _, err := tx.PollCursor(ours, channel, 12, fmt.Sprint(i)); return err })
		if gone := chat.ErrorCode(err) == chat.CodeNotFound; gone != (i < 7) {
			t.Fatalf("cursor of %d when those before 7 are pruned: %v", i, err)
		}
	}
}

func clientStates(t *testing.T, f *fixture) {
	get := func(r chat.Reader) (*chat.ClientState, error) { return r.ClientState(ours, channel, 12) }
	f.missing("a state before any was saved", func(r chat.Reader) error { _, err := get(r); return err })
	for _, state := range []string{`{ "open": true,  "x": [1, null] }`, `"\u0000 текст"`, `null`} {
		s := &chat.ClientState{TenantID: ours, ChannelID: channel, ClientID: 12, State: json.RawMessage(state), UpdatedAt: 5}
		f.update(func(tx chat.Tx) error { return tx.SaveClientState(s) })
		equal(t, "saved", read(f, get), s)
	}
}

func strangers(t *testing.T, f *fixture) {
	equal(t, "lives", read(f, func(r chat.Reader) (bool, error) { return r.ProcessLives("p") }), false)
}
