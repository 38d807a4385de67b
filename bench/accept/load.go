package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// client keeps one connection a worker alive.
func client(workers int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: workers, MaxConnsPerHost: workers},
		Timeout:   30 * time.Second,
	}
}

// body is one message of a conversation; the number stands first in its text.
func body(chat string, n int) []byte {
	return fmt.Appendf(nil, `{"task_id":%q,"chat_id":%q,"message":"%d the quick brown fox jumps over the lazy dog"}`, taskID, chat, n)
}

// send posts one message; nil is its acknowledgement.
func send(ctx context.Context, c *http.Client, url string, content []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/1.1/wf/send_external_message", bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer k-bench")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d: %.200s", resp.StatusCode, answer)
	}
	return nil
}

// sent is what a loop acknowledged: how many messages of each chat.
type sent struct {
	counts map[string]int
	took   []time.Duration
}

func (s *sent) total() int {
	n := 0
	for _, c := range s.counts {
		n += c
	}
	return n
}

// closedLoop lets every worker send in its own conversation, one message after
// the other, for a time.
func closedLoop(ctx context.Context, url string, workers int, length time.Duration, name string) (*sent, time.Duration, error) {
	c := client(workers)
	defer c.CloseIdleConnections()
	all := &sent{counts: map[string]int{}}
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			chat := fmt.Sprintf("%s-%d", name, w)
			var took []time.Duration
			var err error
			for time.Since(began) < length && ctx.Err() == nil && err == nil {
				start := time.Now()
				if err = send(ctx, c, url, body(chat, len(took))); err == nil {
					took = append(took, time.Since(start))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.counts[chat] = len(took)
			all.took = append(all.took, took...)
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	return all, time.Since(began), first
}

// openLoop sends at a fixed rate over many conversations, whether the answers
// come or not, and notes when each message was acknowledged.
func openLoop(ctx context.Context, url string, rate int, length time.Duration) (*sent, map[string]time.Time, error) {
	const chats, most = 200, 512
	c := client(most)
	defer c.CloseIdleConnections()
	all := &sent{counts: map[string]int{}}
	accepted := map[string]time.Time{}
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	places := make(chan struct{}, most)
	began := time.Now()
	total := int(length.Seconds() * float64(rate))
	for i := range total {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			chat := fmt.Sprintf("open-%d", i%chats)
			start := time.Now()
			err := send(ctx, c, url, body(chat, i))
			done := time.Now()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				first = err
				return
			}
			all.took = append(all.took, done.Sub(start))
			all.counts[chat]++
			accepted[fmt.Sprintf("%s/%d", chat, i)] = done
		})
	}
	wg.Wait()
	return all, accepted, first
}
