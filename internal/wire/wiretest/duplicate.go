package wiretest

import (
	"slices"
	"sync"
)

// duplicate: a message that is sent again under its key is one message, at the
// same time as later; everybody gets the same acknowledgement.
func duplicate(s *Site) {
	a := s.app("anna")
	receipts := make([]Receipt, 12)
	var all sync.WaitGroup
	for i := range receipts {
		all.Go(func() {
			var err error
			if receipts[i], err = a.Say("once", "key-1"); err != nil {
				s.T.Errorf("repetition %d was not taken: %v", i, err)
			}
		})
	}
	all.Wait()
	s.hears(a, byClient+"once", byBot+"once")
	again, err := a.Say("once", "key-1")
	if err != nil {
		s.T.Fatal(err)
	}
	for _, r := range append(receipts, again) {
		if r.ID != receipts[0].ID || !slices.Equal(r.Replies, receipts[0].Replies) {
			s.T.Errorf("acknowledged as %+v and as %+v", receipts[0], r)
		}
	}
	if _, err := a.Say("twice", "key-2"); err != nil {
		s.T.Fatal(err)
	}
	s.hears(a, byClient+"once", byBot+"once", byClient+"twice", byBot+"twice")
	s.agrees(a, "anna")
}
