package wiretest

import "slices"

// lateReply: what the bot says later by itself reaches a client who sends
// nothing more.
func lateReply(s *Site) {
	a := s.app("anna")
	r := s.say(a, "remind me")
	if s.dialect.Traits().Sync && !slices.Equal(r.Replies, []string{"one moment"}) {
		s.T.Errorf("the call was answered %q", r.Replies)
	}
	s.hears(a, byClient+"remind me", byBot+"one moment", byBot+"here it is")
	s.agrees(a, "anna")
}
