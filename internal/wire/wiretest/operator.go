package wiretest

import (
	"slices"

	"github.com/tolmach/tolmach/internal/chat"
)

// operator: a person takes over, the bot is silent while he has the client, and
// gives the client back to it.
func operator(s *Site) {
	a := s.app("anna")
	s.say(a, "hello")
	s.hears(a, byClient+"hello", byBot+"hello")
	ann, id := s.Operator("ann"), s.Conversation("anna")
	if _, err := s.Take(s.T.Context(), ann, id); err != nil {
		s.T.Fatal(err)
	}
	if r := s.say(a, "anyone?"); len(r.Replies) != 0 {
		s.T.Errorf("with an operator, the call was answered %q", r.Replies)
	}
	for _, text := range []string{"I am here", "What is it?"} {
		s.write(ann, id, text)
	}
	lines := []string{
		byClient + "hello", byBot + "hello", byClient + "anyone?", byOperator + "I am here", byOperator + "What is it?",
	}
	s.hears(a, lines...)
	if _, err := s.Return(s.T.Context(), ann, id); err != nil {
		s.T.Fatal(err)
	}
	r := s.say(a, "bye") // a bot that had answered before would be seen now
	s.hears(a, append(lines, byClient+"bye", byBot+"bye")...)
	if s.dialect.Traits().Sync && !slices.Equal(r.Replies, []string{"bye"}) {
		s.T.Errorf("after the return, the call was answered %q", r.Replies)
	}
	s.agrees(a, "anna")
}

// write is a message of an operator.
func (s *Site) write(operator chat.Actor, conversation chat.ID, text string) {
	s.T.Helper()
	message := chat.OperatorMessage{ConversationID: conversation, Content: chat.Content{Text: text}}
	if _, err := s.OperatorMessage(s.T.Context(), operator, message); err != nil {
		s.T.Fatal(err)
	}
}
