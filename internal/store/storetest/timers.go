package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

func timerTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"the longest due fires first and only once": timerOrder,
		"one of the same kind and key replaces": func(t *testing.T, f *fixture) {
			f.setTimers(timer(1, chat.TimerReminder, "0", 50), timer(1, chat.TimerReminder, "1", 60), timer(1, chat.TimerLate, "0", 70))
			again := timer(1, chat.TimerReminder, "0", 65)
			again.Data, again.Version, again.SessionID = []byte("new"), 9, 8
			f.setTimers(again)
			equal(t, "taken", f.takeTimers(), []chat.Timer{timer(1, chat.TimerReminder, "1", 60), again, timer(1, chat.TimerLate, "0", 70)})
		},
		"cancelling takes every key of the kind": func(t *testing.T, f *fixture) {
			f.setTimers(timer(1, chat.TimerReminder, "0", 50), timer(1, chat.TimerReminder, "1", 60),
				timer(1, chat.TimerLate, "0", 70), timer(2, chat.TimerReminder, "0", 80))
			f.update(func(tx chat.Tx) error { return tx.CancelTimers(ours, 1, chat.TimerReminder) })
			f.update(func(tx chat.Tx) error { return tx.CancelTimers(ours, 3, chat.TimerReminder) })
			equal(t, "left", f.takeTimers(), []chat.Timer{timer(1, chat.TimerLate, "0", 70), timer(2, chat.TimerReminder, "0", 80)})
		},
		"one that is rolled back is not taken": func(t *testing.T, f *fixture) {
			f.setTimers(timer(1, chat.TimerLate, "0", 50))
			f.refused(chat.CodeClosed, func(tx chat.Tx) error {
				if _, err := tx.TakeTimer(); err != nil {
					return err
				}
				return chat.Errorf(chat.CodeClosed, "no")
			})
			equal(t, "left", f.takeTimers(), []chat.Timer{timer(1, chat.TimerLate, "0", 50)})
		},
		"every timer is taken once by parallel takers": parallelTakers,
	}
}

func timer(conversation chat.ID, kind chat.TimerKind, key string, due chat.Micros) chat.Timer {
	return chat.Timer{
		TenantID: ours, ConversationID: conversation, Kind: kind, Key: key, DueAt: due, SessionID: 3, Version: 4,
		Data: []byte(`{"a":1}`),
	}
}

func (f *fixture) setTimers(list ...chat.Timer) {
	f.t.Helper()
	f.update(func(tx chat.Tx) error {
		for i := range list {
			if err := tx.SetTimer(&list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// takeTimers takes every due timer.
func (f *fixture) takeTimers() []chat.Timer {
	f.t.Helper()
	var taken []chat.Timer
	for {
		var one *chat.Timer
		err := f.try(func(tx chat.Tx) (err error) {
			one, err = tx.TakeTimer()
			return err
		})
		if chat.ErrorCode(err) == chat.CodeNotFound {
			return taken
		}
		if err != nil {
			f.t.Fatal(err)
		}
		taken = append(taken, *one)
	}
}

func timerOrder(t *testing.T, f *fixture) {
	next := func() chat.Micros {
		return read(f, func(r chat.Reader) (chat.Micros, error) { return r.NextTimer() })
	}
	equal(t, "next of none", next(), chat.Micros(0))
	later := timer(4, chat.TimerSessionTTL, "", 0)
	f.update(func(tx chat.Tx) error {
		later.DueAt = tx.Now().Add(time.Hour)
		return tx.SetTimer(&later)
	})
	equal(t, "next of one", next(), later.DueAt)
	f.setTimers(timer(1, chat.TimerLate, "", 30), timer(2, chat.TimerLate, "", 10), timer(3, chat.TimerLate, "", 20))
	equal(t, "next of all", next(), chat.Micros(10))
	equal(t, "taken", f.takeTimers(), []chat.Timer{
		timer(2, chat.TimerLate, "", 10), timer(3, chat.TimerLate, "", 20), timer(1, chat.TimerLate, "", 30),
	})
	equal(t, "next of what is left", next(), later.DueAt)
}

func parallelTakers(t *testing.T, f *fixture) {
	const timers, takers = 60, 8
	for i := range chat.ID(timers) {
		f.setTimers(timer(i+1, chat.TimerLate, "", chat.Micros(i+1)))
	}
	var mu sync.Mutex
	taken := map[chat.ID]int{}
	noErrors(t, parallel(takers, func(int) error {
		for {
			var one *chat.Timer
			err := f.try(func(tx chat.Tx) (err error) {
				one, err = tx.TakeTimer()
				return err
			})
			if chat.ErrorCode(err) == chat.CodeNotFound {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			taken[one.ConversationID]++
			mu.Unlock()
		}
	}))
	equal(t, "timers taken", len(taken), timers)
	for c, n := range taken {
		equal(t, "times the timer of conversation "+c.String()+" was taken", n, 1)
	}
}
