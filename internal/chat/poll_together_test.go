package chat

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Those who come while one reads read together afterwards, from the earliest
// moment that anybody wants: none of them gets what was read before it came.
func TestReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g readings
		var reads atomic.Int64
		open := make(chan struct{})
		read := func(from Micros) (span, error) {
			n := reads.Add(1)
			<-open
			return span{next: Micros(n)*1000 + from}, nil
		}
		results := make(chan Micros, 200)
		join := func(from Micros) {
			all, err := g.join(t.Context(), Topic{ExternalID: "anna"}, from, read)
			if err != nil {
				t.Error(err)
			}
			results <- all.next
		}
		go join(9)
		synctest.Wait() // it reads
		for from := Micros(100); from > 0; from-- {
			go join(from)
		}
		synctest.Wait()
		if n := reads.Load(); n != 1 {
			t.Errorf("%d readings at once", n)
		}
		close(open)
		synctest.Wait()
		close(results)
		found := map[Micros]int{}
		for next := range results {
			found[next]++
		}
		if n := reads.Load(); n != 2 || found[1009] != 1 || found[2001] != 100 {
			t.Errorf("%d readings, which found %v", n, found)
		}
		if len(g.next)+len(g.going) != 0 {
			t.Errorf("left over: %v, %v", g.next, g.going)
		}
	})
}

// Who hangs up leaves; the others get what was read for all.
func TestReadTogetherAndHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g readings
		open := make(chan struct{})
		join := func(ctx context.Context, result chan<- error) {
			_, err := g.join(ctx, Topic{}, 1, func(Micros) (span, error) {
				<-open
				return span{}, nil
			})
			result <- err
		}
		first, second, third := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		ctx, hangUp := context.WithCancel(t.Context())
		go join(t.Context(), first)
		synctest.Wait()
		go join(t.Context(), second)
		synctest.Wait()
		go join(ctx, third)
		synctest.Wait()
		hangUp()
		if err := <-third; !errors.Is(err, context.Canceled) {
			t.Errorf("who hung up got %v", err)
		}
		close(open)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := <-second; err != nil {
			t.Error(err)
		}
	})
}
