package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// overload is what happened when three times too much came.
type overload struct {
	Rate        float64 `json:"offered_per_second"`
	Seconds     float64 `json:"seconds"`
	Accepted    int     `json:"accepted"`
	Refused     int     `json:"refused"`       // 429 or 503 with Retry-After
	Other       int     `json:"other"`         // anything else: a defect
	PeakMB      float64 `json:"peak_mb"`       // resident
	RecoveredMS float64 `json:"recovered_p99"` // of calls 10 s after the end, at a quarter of the rate
}

// maxOpen bounds how many calls are under way; it is above what the server
// lets wait.
const maxOpen = 6000

// measureOverload offers three times what the closed loop reached, then checks
// that everything acknowledged is stored and that the server is itself again.
func measureOverload(ctx context.Context, o options, at place, r *report) error {
	p, err := startServer(ctx, o, at, setupAlone)
	if err != nil {
		return err
	}
	x := &overload{Rate: 3 * r.Alone.PerSecond, Seconds: o.overload.Seconds()}
	s := flood(ctx, p, x)
	time.Sleep(10 * time.Second) // what the server is given to recover
	after, _, err := openLoop(ctx, p.url, int(r.Alone.PerSecond/4), 2*time.Second)
	if err == nil {
		x.RecoveredMS = summarise(after.took, time.Second).P99
		for chat, n := range after.counts {
			s.counts[chat] = n
		}
		err = verify(ctx, p.url, s, r)
	}
	r.Overload = x
	if x.Other > 0 {
		err = errors.Join(err, fmt.Errorf("%d calls failed otherwise than by 429 or 503 with Retry-After", x.Other))
	}
	return finish(p, err)
}

// flood sends at the rate, whatever comes back.
func flood(ctx context.Context, p *process, x *overload) *sent {
	const chats = 40
	c := client(maxOpen)
	defer c.CloseIdleConnections()
	s := &sent{counts: map[string]int{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, maxOpen)
	began := time.Now()
	for i := 0; time.Since(began).Seconds() < x.Seconds && ctx.Err() == nil; i++ {
		time.Sleep(time.Until(began.Add(time.Duration(float64(i) / x.Rate * float64(time.Second)))))
		if i%1000 == 0 {
			if mb, err := p.residentMB(); err == nil {
				x.PeakMB = max(x.PeakMB, mb)
			}
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			chat := fmt.Sprintf("flood-%d", i%chats)
			accepted, refused := offer(ctx, c, p.url, body(chat, i))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case accepted:
				x.Accepted++
				s.counts[chat]++
			case refused:
				x.Refused++
			default:
				x.Other++
			}
		})
	}
	wg.Wait()
	return s
}

// offer makes one call and says how it ended.
func offer(ctx context.Context, c *http.Client, url string, content []byte) (accepted, refused bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/1.1/wf/send_external_message", bytes.NewReader(content))
	if err != nil {
		return false, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer k-bench")
	resp, err := c.Do(req)
	if err != nil {
		return false, false
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, false
	}
	busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
	return resp.StatusCode == http.StatusOK, busy && resp.Header.Get("Retry-After") != ""
}
