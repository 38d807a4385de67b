package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// most is how many calls of an open loop are under way at once.
const most = 512

// caller keeps its connections alive.
var caller = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: most, MaxConnsPerHost: most},
	Timeout:   time.Minute,
}

func get(ctx context.Context, url string) ([]byte, error) {
	return call(ctx, http.MethodGet, url, "", nil, nil)
}

// call makes one call and returns what 200 answered; it is decoded too, unless
// into is nil.
func call(ctx context.Context, method, url, bearer string, body, into any) ([]byte, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := caller.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d: %.300s", url, resp.StatusCode, answer)
	}
	if into == nil {
		return answer, nil
	}
	return answer, json.Unmarshal(answer, into)
}

// question is what a client sends.
type question struct {
	ClientID string `json:"clientId"`
	Query    string `json:"query"`
}

// answer is what is read of an envelope.
type answer struct {
	QuestionID string `json:"questionId"`
	ClientID   string `json:"clientId"`
	Timestamp  string `json:"timestamp"`
	Data       struct {
		Answer string `json:"answer"`
	} `json:"data"`
}

// at is when the server made the event, to the millisecond below.
func (a *answer) at() (time.Time, error) { return time.Parse("2006-01-02T15:04:05.000", a.Timestamp) }

// login is the operator's session.
func login(ctx context.Context, s *server) (string, error) {
	var in struct{ Token string }
	_, err := call(ctx, http.MethodPost, s.url+"/console/api/login", "",
		map[string]string{"login": "root", "password": "correct horse battery"}, &in)
	return in.Token, err
}

// openLoop does n things at a rate, whether the ones before are done or not, and
// returns how long each took from when it was due, with the first error and how
// many there were.
func openLoop(ctx context.Context, rate, n int, do func(i int) error) (took []time.Duration, errs int, first error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, most)
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			return took, errs, ctx.Err()
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			err := do(i)
			done := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				took = append(took, done)
				return
			}
			errs++
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	return took, errs, first
}
