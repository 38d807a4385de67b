package wiretest

import "slices"

// echo: a client sees what he and the bot said, in that order.
func echo(s *Site) {
	a := s.app("anna")
	var lines []string
	for _, text := range []string{"one", "two", "three"} {
		r := s.say(a, text)
		lines = append(lines, byClient+text, byBot+text)
		s.hears(a, lines...)
		if s.dialect.Traits().Sync && !slices.Equal(r.Replies, []string{text}) {
			s.T.Errorf("the call that asked %q was answered %q", text, r.Replies)
		}
	}
	s.agrees(a, "anna")
}
