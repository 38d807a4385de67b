package auth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

var (
	home  = netip.MustParseAddr("192.0.2.1")
	other = netip.MustParseAddr("192.0.2.2")
)

func limits() auth.Limits {
	return auth.Limits{PerLogin: 3, PerAddress: 5, Window: time.Minute, Keys: 100}
}

// fail tries without success and says whether it was let through.
func fail(t *testing.T, throttle *auth.Throttle, addr netip.Addr, login string) bool {
	t.Helper()
	_, err := throttle.Try(addr, login)
	if err != nil && chat.ErrorCode(err) != chat.CodeThrottled {
		t.Fatal(err)
	}
	return err == nil
}

func failTimes(t *testing.T, throttle *auth.Throttle, n int, addr netip.Addr, login string) {
	t.Helper()
	for i := range n {
		if !fail(t, throttle, addr, login) {
			t.Fatalf("try %d was refused", i+1)
		}
	}
}

func TestThrottlePerLogin(t *testing.T) {
	clock := wiretest.NewClock()
	throttle := auth.NewThrottle(limits(), clock.Now)
	failTimes(t, throttle, 3, home, "ann")
	if fail(t, throttle, other, "ANN") {
		t.Error("another address and another case must not reset a login's tries")
	}
	if !fail(t, throttle, home, "bob") {
		t.Error("another login of the address is free still")
	}
	clock.Advance(time.Minute - time.Second)
	_, err := throttle.Try(home, "ann")
	var throttled *auth.Throttled
	if !errors.As(err, &throttled) || throttled.RetryAfter() != time.Second {
		t.Errorf("must wait one second more: %v", err)
	}
	clock.Advance(time.Second)
	if !fail(t, throttle, home, "ann") {
		t.Error("the window is over")
	}
}

func TestThrottlePerAddress(t *testing.T) {
	throttle := auth.NewThrottle(limits(), wiretest.NewClock().Now)
	for i := range 5 {
		failTimes(t, throttle, 1, home, fmt.Sprint("login", i))
	}
	if fail(t, throttle, home, "new") {
		t.Error("the address has used up its tries")
	}
	if !fail(t, throttle, other, "new") {
		t.Error("another address is free")
	}
}

func TestThrottleCountsAHouseholdOfIPv6(t *testing.T) {
	throttle := auth.NewThrottle(limits(), wiretest.NewClock().Now)
	for i := range 5 {
		failTimes(t, throttle, 1, netip.MustParseAddr(fmt.Sprintf("2001:db8:0:1::%d", i)), fmt.Sprint(i))
	}
	if fail(t, throttle, netip.MustParseAddr("2001:db8:0:1:ffff::1"), "x") {
		t.Error("an address of the same /64 must be refused")
	}
	if !fail(t, throttle, netip.MustParseAddr("2001:db8:0:2::1"), "x") {
		t.Error("another /64 is free")
	}
}

func TestThrottleForgivesSuccess(t *testing.T) {
	throttle := auth.NewThrottle(limits(), wiretest.NewClock().Now)
	for range 20 {
		succeeded, err := throttle.Try(home, "ann")
		if err != nil {
			t.Fatal(err)
		}
		succeeded()
		succeeded() // counts once
	}
	failTimes(t, throttle, 3, home, "ann")
	if fail(t, throttle, home, "ann") {
		t.Error("successes must not pay for more failures than the limit")
	}
}

func TestThrottleInParallel(t *testing.T) {
	throttle := auth.NewThrottle(limits(), wiretest.NewClock().Now)
	var through atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if fail(t, throttle, home, "ann") {
				through.Add(1)
			}
		})
	}
	wg.Wait()
	if through.Load() != 3 {
		t.Errorf("%d of 50 parallel tries were let through, want 3", through.Load())
	}
}

func TestThrottleIsBounded(t *testing.T) {
	l := limits()
	l.Keys, l.PerAddress = 10, 1_000_000
	throttle := auth.NewThrottle(l, wiretest.NewClock().Now)
	failTimes(t, throttle, 3, home, "ann")
	for i := range 1000 {
		failTimes(t, throttle, 1, home, fmt.Sprint("made-up", i))
	}
	if n := throttle.Len(); n > 10 {
		t.Errorf("it remembers %d keys", n)
	}
}
