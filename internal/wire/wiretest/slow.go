package wiretest

import (
	"fmt"
	"strings"
)

// slowReader: an app that reads nothing of what waits for it, more than the
// network holds, delays nobody else; when it reads again it misses nothing.
func slowReader(s *Site) {
	const many, size = 100, 60 << 10
	slow, quick := s.app("slow"), s.app("quick")
	s.say(slow, "hello")
	s.hears(slow, byClient+"hello", byBot+"hello")
	slow.Stall()
	defer slow.Return() // the site can't end before
	for i := range many {
		s.say(slow, fmt.Sprintf("quiet %d %s", i, strings.Repeat("x", size)))
	}
	s.say(slow, "the end")
	var lines []string
	for i := range 5 {
		text := fmt.Sprint(i)
		s.say(quick, text)
		lines = append(lines, byClient+text, byBot+text)
		s.hears(quick, lines...)
	}
	slow.Return()
	slow.Heard(len(s.Shown(byClient, byBot))*2 + len(s.Shown(byClient))*many)
	s.agrees(slow, "slow")
}
