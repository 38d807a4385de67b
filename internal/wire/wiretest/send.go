package wiretest

// send: what is acknowledged is stored, once and as it was sent, under the
// client's own id, and has an id that no other message has.
func send(s *Site) {
	const text = "quiet: Grüße, <b>ёж</b> & \"co\" \\ 🙂\nsecond line"
	a := s.app("42")
	first, second := s.say(a, text), s.say(a, text)
	if first.ID == "" || first.ID == second.ID {
		s.T.Errorf("two messages have the ids %q and %q", first.ID, second.ID)
	}
	list := s.Conversations(s.Acme)
	if len(list) != 1 || list[0].ExternalID != "42" {
		s.T.Fatalf("stored %+v", list)
	}
	s.hears(a, byClient+text, byClient+text)
	s.agrees(a, "42")
}
