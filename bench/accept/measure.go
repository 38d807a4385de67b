package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// finish stops a process and keeps the first error.
func finish(p *process, err error) error { return errors.Join(err, p.stop()) }

func measureFloor(ctx context.Context, o options, at place, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p, err := start(ctx, at, self, "-engine", o.engine, "-floor", at.dir)
	if err != nil {
		return err
	}
	s, took, err := closedLoop(ctx, p.url, o.workers, o.seconds, "floor")
	r.Floor = summarise(s.took, took)
	return finish(p, err)
}

func measureAlone(ctx context.Context, o options, at place, r *report) error {
	p, err := startServer(ctx, o, at, setupAlone)
	if err != nil {
		return err
	}
	s, took, err := closedLoop(ctx, p.url, o.workers, o.seconds, "alone")
	if err == nil {
		err = verify(ctx, p.url, s, r)
	}
	if err == nil {
		r.LoadedMB, err = p.residentMB()
	}
	if err == nil {
		r.Alone = summarise(s.took, took)
		r.AloneRatio = ratio(r.Alone, r.Floor)
	}
	return finish(p, err)
}

// withHooks runs work with a receiver and a server whose integration calls it.
func withHooks(ctx context.Context, o options, at place, bot, ordered bool, work func(p *process, hooks *receiver) error) error {
	hooks, err := receive(ordered)
	if err != nil {
		return err
	}
	defer hooks.close()
	p, err := startServer(ctx, o, at, setupWhole(hooks.url, bot))
	if err != nil {
		return err
	}
	return finish(p, work(p, hooks))
}

// measureWhole counts a message as done when its two webhooks, the client's
// and the bot's, have arrived.
func measureWhole(ctx context.Context, o options, at place, r *report) error {
	return withHooks(ctx, o, at, true, true, func(p *process, hooks *receiver) error {
		began := time.Now()
		s, took, err := closedLoop(ctx, p.url, o.workers, o.seconds, "whole")
		if err == nil {
			err = hooks.wait(ctx, 2*s.total())
		}
		r.Whole = summarise(s.took, took)
		r.WholeDrain = float64(s.total()) / time.Since(began).Seconds()
		r.WholeRatio = ratio(r.Whole, r.Floor)
		r.Verified += s.total()
		return err
	})
}

// measureLatency takes the time from the acknowledgement, as the caller sees
// it, to the webhook, as its receiver sees it; a webhook that was faster than
// the acknowledgement counts as 0.
func measureLatency(ctx context.Context, o options, at place, r *report) error {
	return withHooks(ctx, o, at, false, false, func(p *process, hooks *receiver) error {
		s, accepted, err := openLoop(ctx, p.url, o.rate, o.seconds)
		if err == nil {
			err = hooks.wait(ctx, s.total())
		}
		if err != nil {
			return err
		}
		var after []time.Duration
		for key, at := range accepted {
			after = append(after, max(0, hooks.came[key].Sub(at)))
		}
		slices.Sort(after)
		slices.Sort(s.took)
		r.OpenRate = float64(o.rate)
		r.AcceptP50, r.AcceptP99 = percentile(s.took, 0.5), percentile(s.took, 0.99)
		r.WebhookP50, r.WebhookP99 = percentile(after, 0.5), percentile(after, 0.99)
		r.Verified += s.total()
		return nil
	})
}

// measureDrain lets a backlog build up behind an integration that is paused,
// then times how fast it is worked off, in order.
func measureDrain(ctx context.Context, o options, at place, r *report) error {
	return withHooks(ctx, o, at, false, true, func(p *process, hooks *receiver) error {
		id, err := endpointID(ctx, p.url)
		if err != nil {
			return err
		}
		endpoint := fmt.Sprintf("%s/console/api/endpoints/%d/", p.url, id)
		if err := post(ctx, endpoint+"pause", `{"reason":"bench"}`); err != nil {
			return err
		}
		total := 0
		for round := 0; total < o.backlog; round++ {
			more, _, err := closedLoop(ctx, p.url, o.workers, time.Second, fmt.Sprintf("drain%d", round))
			if err != nil {
				return err
			}
			total += more.total()
		}
		if err := post(ctx, endpoint+"resume", `{}`); err != nil {
			return err
		}
		began := time.Now()
		err = hooks.wait(ctx, total)
		r.Drained, r.DrainedPerSec = total, float64(total)/time.Since(began).Seconds()
		r.Verified += total
		return err
	})
}

func measureStart(ctx context.Context, o options, at place, r *report) error {
	p, err := startServer(ctx, o, at, setupAlone)
	if err != nil {
		return err
	}
	r.ReadyMS = milliseconds(p.ready)
	time.Sleep(2 * time.Second) // idle
	r.IdleMB, err = p.residentMB()
	return finish(p, err)
}

// verify reads every conversation's log through the console and compares it
// with what was acknowledged.
func verify(ctx context.Context, url string, s *sent, r *report) error {
	var list struct {
		Items []struct {
			ID         int64  `json:"id"`
			ExternalID string `json:"external_id"`
			Messages   int    `json:"messages"`
		} `json:"items"`
	}
	if err := get(ctx, url+"/console/api/conversations?limit=250", &list); err != nil {
		return err
	}
	for _, c := range list.Items {
		if want := s.counts[c.ExternalID]; c.Messages != want {
			return fmt.Errorf("%s: %d messages stored, %d acknowledged", c.ExternalID, c.Messages, want)
		}
		delete(s.counts, c.ExternalID)
		r.Verified += c.Messages
	}
	if len(s.counts) > 0 {
		return fmt.Errorf("%d conversations are missing", len(s.counts))
	}
	return nil
}

func endpointID(ctx context.Context, url string) (int64, error) {
	var list struct {
		Items []struct {
			ID   int64  `json:"id"`
			Kind string `json:"kind"`
		} `json:"items"`
	}
	if err := get(ctx, url+"/console/api/endpoints", &list); err != nil {
		return 0, err
	}
	for _, e := range list.Items {
		if e.Kind == "integration" {
			return e.ID, nil
		}
	}
	return 0, errors.New("no integration is listed")
}

func get(ctx context.Context, url string, into any) error {
	return call(ctx, http.MethodGet, url, http.NoBody, into)
}

func post(ctx context.Context, url, content string) error {
	return call(ctx, http.MethodPost, url, stringBody(content), &struct{}{})
}

func call(ctx context.Context, method, url string, content io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer k-bench")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 500))
		return errors.Join(fmt.Errorf("%s answered %d: %s", url, resp.StatusCode, text), err)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
