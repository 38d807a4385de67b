package wiretest

// HookedApp is the hearing half of an App that is told by webhooks. The back
// end is one for all clients: when one leaves, so do all.
type HookedApp struct {
	Site   *Site
	Client string
}

// Heard implements App.
func (h *HookedApp) Heard(n int) []string {
	h.Site.T.Helper()
	return h.Site.Hooks.Transcript(h.Client).Wait(h.Site.T, n)
}

// Leave implements App.
func (h *HookedApp) Leave() { h.Site.Hooks.Shut() }

// Return implements App.
func (h *HookedApp) Return() {
	h.Site.Hooks.Release(h.Client)
	h.Site.Hooks.Open()
}

// Stall implements App.
func (h *HookedApp) Stall() { h.Site.Hooks.Stall(h.Client) }
