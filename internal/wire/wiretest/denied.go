package wiretest

import (
	"reflect"
	"strings"
)

// denied: whoever may not gets the dialect's own error, and neither changes nor
// learns anything.
func denied(s *Site) {
	a := s.app("anna")
	r := s.say(a, "secret")
	s.hears(a, byClient+"secret", byBot+"secret")
	for _, refusal := range s.dialect.Denied(s, "anna", r) {
		answer := s.refuses(refusal)
		if strings.Contains(answer.Body, "secret") {
			s.T.Errorf("%s: learned %s", refusal.Name, answer.Body)
		}
	}
	s.say(a, "still here")
	s.hears(a, byClient+"secret", byBot+"secret", byClient+"still here", byBot+"still here")
	s.agrees(a, "anna")
	if list := s.Conversations(s.Rival); len(list) != 0 {
		s.T.Errorf("rival has %+v", list)
	}
}

// refuses makes a call that must be refused.
func (s *Site) refuses(r Refusal) Answer {
	s.T.Helper()
	answer, err := s.Call(s.T.Context(), r.Ask)
	if err != nil {
		s.T.Errorf("%s: %v", r.Name, err)
		return answer
	}
	if answer.Status != r.Status {
		s.T.Errorf("%s: answered %d %s, want %d", r.Name, answer.Status, answer.Body, r.Status)
		return answer
	}
	for path, want := range r.Says {
		if got := answer.At(strings.Split(path, ".")...); !reflect.DeepEqual(got, want) {
			s.T.Errorf("%s: %s is %#v, want %#v: %s", r.Name, path, got, want, answer.Body)
		}
	}
	return answer
}
