package wiretest

// malformed: a body that is too large, or none of the dialect's, is refused in
// the dialect's shape and leaves nothing behind.
func malformed(s *Site) {
	for _, refusal := range s.dialect.Malformed(s) {
		s.refuses(refusal)
	}
	if list := s.Conversations(s.Acme); len(list) != 0 {
		s.T.Errorf("stored %+v", list)
	}
	a := s.app("anna")
	s.say(a, "well")
	s.hears(a, byClient+"well", byBot+"well")
	s.agrees(a, "anna")
}
