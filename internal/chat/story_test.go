package chat_test

import (
	"fmt"
	"slices"

	"github.com/tolmach/tolmach/internal/chat"
)

// story is the log in words, one line an entry.
func (k *talk) story() []string {
	k.t.Helper()
	return k.tell(k.log())
}

// since is the story of what is new after seq.
func (k *talk) since(seq int64) []string {
	k.t.Helper()
	log := k.log()
	return k.tell(log[min(int(seq), len(log)):])
}

func (k *talk) tell(log []chat.Entry) []string {
	lines := []string{}
	for _, e := range log {
		lines = append(lines, k.line(&e))
	}
	return lines
}

func (k *talk) line(e *chat.Entry) string {
	switch e.Kind {
	case chat.EventMessageCreated:
		who := "client"
		if e.Author != chat.AuthorClient {
			who = k.name(chat.Owner{Kind: ownerKinds[e.Author], ID: e.AuthorID})
		}
		return who + ": " + e.Message.Content.Text + k.addressed(e)
	case chat.EventClientEvent:
		if e.Author == chat.AuthorSystem {
			return "told " + e.Data.Name + k.addressed(e)
		}
		return "client does " + e.Data.Name + k.addressed(e)
	case chat.EventNoteAdded:
		return "note: " + e.Data.Note
	case chat.EventSessionOpened:
		return "opened for " + k.name(*e.Data.To)
	case chat.EventSessionClosed:
		return "closed: " + e.Data.Reason
	case chat.EventOwnerChanged:
		return fmt.Sprintf("%s to %s: %s%s", k.name(*e.Data.From), k.name(*e.Data.To), e.Data.Reason, k.addressed(e))
	case chat.EventFlagSet:
		return "+" + e.Data.Flag
	case chat.EventFlagCleared:
		return "-" + e.Data.Flag
	case chat.EventMessageStatus:
		return "status " + string(e.Data.Status)
	case chat.EventSessionRated:
		return fmt.Sprintf("rated %d", e.Data.Rating)
	}
	return string(e.Kind)
}

var ownerKinds = map[chat.Author]chat.OwnerKind{chat.AuthorBot: chat.OwnerBot, chat.AuthorOperator: chat.OwnerOperator}

// addressed says which bot is asked, or why none is.
func (k *talk) addressed(e *chat.Entry) string {
	switch {
	case e.BotID != 0:
		return " → " + k.name(chat.Owner{Kind: chat.OwnerBot, ID: e.BotID})
	case e.Data.Silence != "":
		return " (" + e.Data.Silence + ")"
	}
	return ""
}

// name is what the setup calls an owner.
func (k *talk) name(o chat.Owner) string {
	switch o.Kind {
	case chat.OwnerBot:
		return k.Catalog().Bot(k.tenant, o.ID).Name
	case chat.OwnerOperator:
		return k.Catalog().Operator(k.tenant, o.ID).Login
	case chat.OwnerQueue:
		return "queue"
	}
	return "nobody"
}

// expect compares what is new after seq with a story.
func (k *talk) expect(seq int64, want ...string) {
	k.t.Helper()
	if got := k.since(seq); !slices.Equal(got, append([]string{}, want...)) {
		k.t.Errorf("the log tells\n  %q, want\n  %q", got, want)
	}
}

// wantCode fails unless err has the code.
func wantCode(t tester, err error, code chat.Code) {
	t.Helper()
	if chat.ErrorCode(err) != code {
		t.Errorf("got %v (%q), want code %q", err, chat.ErrorCode(err), code)
	}
}
