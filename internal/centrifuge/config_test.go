package centrifuge

import (
	"testing"
	"time"
)

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no handler":       {},
		"negative limit":   {Handler: bare{}, MaxQueue: -1},
		"pong after ping":  {Handler: bare{}, PingInterval: time.Second},
		"pong beside ping": {Handler: bare{}, PingInterval: time.Second, PongTimeout: time.Second},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: the server was made", name)
		}
	}
	if _, err := New(Config{Handler: bare{}}); err != nil {
		t.Errorf("the defaults do not work: %v", err)
	}
}

func TestReconnectAdvice(t *testing.T) {
	for code, want := range map[uint32]bool{3000: true, 3001: true, 3012: true, 3499: true, 3500: false, 3999: false, 4000: true, 4499: true, 4500: false, 4999: false} {
		if got := (Disconnect{Code: code}).Reconnect(); got != want {
			t.Errorf("code %d asks to reconnect: %v, want %v", code, got, want)
		}
	}
}
