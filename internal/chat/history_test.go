package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestHistory: the dialogue of a period, both ends in it, without saved states,
// and with the statuses of now (specs/chatapi.md §9).
func TestHistory(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		var at []chat.Micros
		for _, text := range []string{"one", "two", "three"} {
			at = append(at, k.asks(text, chat.Question{ID: text, CID: "A"}).At)
			k.saves(`{}`, "A")
			time.Sleep(time.Second)
		}
		k.hears("four")
		k.writes("ann", "five")
		k.reports("three", chat.StatusRead)
		whole := []string{"asked one", "asked two", "asked three", "bot four", "operator five"}
		for _, tt := range []struct {
			q    chat.HistoryQuery
			more bool
			want []string
		}{
			{chat.HistoryQuery{Limit: 9}, false, whole},
			{chat.HistoryQuery{Limit: 5}, false, whole},
			{chat.HistoryQuery{Limit: 4}, true, whole[:4]},
			{chat.HistoryQuery{Limit: 1}, true, whole[:1]},
			{chat.HistoryQuery{Limit: 9, From: at[1]}, false, whole[1:]},
			{chat.HistoryQuery{Limit: 9, From: at[1] + 1}, false, whole[2:]},
			{chat.HistoryQuery{Limit: 9, To: at[1]}, false, whole[:2]},
			{chat.HistoryQuery{Limit: 9, To: at[1] - 1}, false, whole[:1]},
			{chat.HistoryQuery{Limit: 9, From: at[1], To: at[1]}, false, whole[1:2]},
			{chat.HistoryQuery{Limit: 1, From: at[1], To: at[1]}, false, whole[1:2]},
			{chat.HistoryQuery{Limit: 9, From: at[2], To: at[1]}, false, nil},
		} {
			tt.q.ExternalID = k.client
			found, err := w.History(w.ctx, k.caller(), tt.q)
			k.must(err)
			equalTexts(t, "a period shows", shown(found), tt.want)
			if found.More != tt.more {
				t.Errorf("%+v: more is %v", tt.q, found.More)
			}
			for _, e := range found.Envelopes {
				want := map[chat.EnvelopeType]chat.Status{chat.EnvelopeBot: chat.StatusRead, chat.EnvelopeOperator: chat.StatusSent}[e.Type]
				if e.Status != want {
					t.Errorf("%s is %q, want %q", e.Type, e.Status, want)
				}
			}
		}
	})
}

// TestHistoryRefused: limits, and clients nobody knows.
func TestHistoryRefused(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		for limit, code := range map[int]chat.Code{-1: chat.CodeInvalid, 0: chat.CodeInvalid, 1001: chat.CodeInvalid, 1000: "", 1: ""} {
			found, err := w.History(w.ctx, k.caller(), chat.HistoryQuery{ExternalID: k.client, Limit: limit})
			if chat.ErrorCode(err) != code || len(found.Envelopes) > 0 {
				t.Errorf("limit %d: %+v, %v", limit, found, err)
			}
		}
		_, err := w.History(w.ctx, k.caller(), chat.HistoryQuery{Limit: 1})
		wantCode(t, err, chat.CodeMissing)
	})
}
