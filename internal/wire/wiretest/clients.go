package wiretest

import (
	"fmt"
	"sync"
)

// twoClients: at the same time, and nothing of the one reaches the other, nor
// the other company.
func twoClients(s *Site) {
	const each = 15
	apps := map[string]App{"anna": s.app("anna"), "lev": s.app("lev")}
	var both sync.WaitGroup
	for client, a := range apps {
		both.Go(func() {
			for i := range each {
				if _, err := a.Say(fmt.Sprintf("%s %d", client, i), ""); err != nil {
					s.T.Errorf("%s: message %d was not taken: %v", client, i, err)
				}
			}
		})
	}
	both.Wait()
	for client, a := range apps {
		shown := a.Heard(len(s.Shown(byClient, byBot)) * each)
		next := map[string]int{}
		for _, line := range shown {
			var number int
			author := ""
			if _, err := fmt.Sscanf(line, "%s "+client+" %d", &author, &number); err != nil || number != next[author] {
				s.T.Fatalf("%s was shown %q where number %d was due", client, line, next[author])
			}
			next[author]++
		}
		s.agrees(a, client)
	}
	if list := s.Conversations(s.Rival); len(list) != 0 {
		s.T.Errorf("rival has %+v", list)
	}
}
