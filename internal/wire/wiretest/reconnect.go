package wiretest

import "fmt"

// reconnect: an app that hears nothing for a while misses nothing, and nothing
// has changed its place.
func reconnect(s *Site) {
	a := s.app("anna")
	s.say(a, "before")
	lines := []string{byClient + "before", byBot + "before"}
	s.hears(a, lines...)
	for round := range 3 {
		a.Leave()
		for i := range 5 {
			s.say(a, fmt.Sprintf("%d.%d", round, i))
		}
		a.Return()
		s.say(a, fmt.Sprintf("%d back", round))
		s.answered(a, "anna")
		s.agrees(a, "anna")
	}
}
