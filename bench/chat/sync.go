package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
)

// syncClients ask in turn.
const syncClients = 500

// measureSync: questions that wait for the scenario bot's answer.
func measureSync(ctx context.Context, o options, s *server, r *report) error {
	if err := meet(ctx, s, syncClients); err != nil {
		return err
	}
	var mu sync.Mutex
	ids := map[string]bool{}
	n := int(o.seconds.Seconds() * float64(o.syncRate))
	one := func(i int) error {
		text := fmt.Sprintf("question %d", i)
		var a answer
		if _, err := call(ctx, http.MethodPost, s.url+"/chatapi/"+token, "", question{client(i % syncClients), text}, &a); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if a.Data.Answer != text || a.ClientID != client(i%syncClients) || ids[a.QuestionID] {
			return fmt.Errorf("%q was answered %+v", text, a)
		}
		ids[a.QuestionID] = true
		return nil
	}
	r.Sync = &roundTrip{Rate: o.syncRate}
	cpu, err := s.costing(n, func() error {
		took, errs, first := openLoop(ctx, o.syncRate, n, one)
		r.Sync.Count, r.Sync.Errors, r.Sync.Took = len(took), errs, spreadOf(took)
		return first
	})
	r.Sync.Cost = cost(cpu)
	return err
}
