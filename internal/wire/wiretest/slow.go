package wiretest

import (
	"fmt"
	"strings"
)

// slowReader: an app that reads nothing of what waits for it, more than the
// network holds, delays nobody else; when it reads again it misses nothing.
func slowReader(s *Site) {
	const many, size = 40, 60 << 10
	slow, quick := s.app("slow"), s.app("quick")
	s.say(slow, "hello")
	s.hears(slow, byClient+"hello", byBot+"hello")
	ann, id := s.Operator("ann"), s.Conversation("slow")
	if _, err := s.Take(s.T.Context(), ann, id); err != nil {
		s.T.Fatal(err)
	}
	slow.Stall()
	defer slow.Return() // the site can't end before
	for i := range many {
		s.write(ann, id, fmt.Sprintf("%d %s", i, strings.Repeat("x", size)))
	}
	slow.Stall() // in the middle of all that
	var lines []string
	for i := range 5 {
		text := fmt.Sprint(i)
		s.say(quick, text)
		lines = append(lines, byClient+text, byBot+text)
		s.hears(quick, lines...)
	}
	slow.Return()
	s.write(ann, id, "the end")
	slow.Heard(len(s.Shown(byClient, byBot)) + many + 1)
	s.agrees(slow, "slow")
}
