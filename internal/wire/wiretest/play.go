package wiretest

import (
	"slices"
	"testing"
)

// Play plays every scenario through a dialect, on every engine, each at a site
// of its own. Whatever the dialect is, the same happens.
func Play(t *testing.T, d Dialect) {
	t.Helper()
	scenarios := []struct {
		name string
		play func(s *Site)
	}{
		{"send", send},
		{"echo", echo},
		{"two clients", twoClients},
		{"late reply", lateReply},
		{"duplicate", duplicate},
		{"denied", denied},
		{"malformed", malformed},
		{"reconnect", reconnect},
		{"slow reader", slowReader},
		{"shutdown", shutdown},
		{"operator", operator},
	}
	onEach(t, func(t *testing.T, fresh func(t testing.TB) opener) {
		for _, one := range scenarios {
			t.Run(one.name, func(t *testing.T) {
				t.Parallel()
				one.play(newSite(t, d, fresh(t)))
			})
		}
	})
}

// app is what a client of acme's shop uses.
func (s *Site) app(client string) App { return s.dialect.App(s, client) }

// say must be acknowledged.
func (s *Site) say(a App, text string) Receipt {
	s.T.Helper()
	r, err := a.Say(text, "")
	if err != nil {
		s.T.Fatalf("%q was not taken: %v", text, err)
	}
	return r
}

// hears demands that an app is shown those of the lines that its dialect shows,
// and no others so far.
func (s *Site) hears(a App, lines ...string) {
	s.T.Helper()
	want := s.Shown(lines...)
	if got := a.Heard(len(want)); !slices.Equal(got, want) {
		s.T.Fatalf("the app was shown\n%q\nwant\n%q", got, want)
	}
}

// agrees demands that an app is shown the client's log, all of it.
func (s *Site) agrees(a App, client string) {
	s.T.Helper()
	s.hears(a, s.Stored(client)...)
}
