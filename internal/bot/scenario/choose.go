package scenario

// startEvent fires when a session opens without text; without a body of its own it means the text "/start".
const startEvent = "start"

// choose finds the state, event or fallback that answers, and how sure that is; nil when nothing in the file does.
func (t *turn) choose() (*state, float64) {
	s := t.scenario
	if t.in.Event != "" {
		return t.chooseEvent(), 1
	}
	if current := s.byName[t.in.State]; current != nil {
		if st := t.first(current.next, t.subject); st != nil {
			return st, 1
		}
	}
	if st := t.first(s.states, t.subject); st != nil {
		return st, 1
	}
	if s.fallback != nil && t.holds(s.fallback.when) {
		return s.fallback, 0
	}
	return nil, 0
}

func (t *turn) chooseEvent() *state {
	body, listed := t.scenario.events[t.in.Event]
	switch {
	case listed && t.holds(body.when):
		return body
	case !listed && t.in.Event == startEvent:
		return t.first(t.scenario.states, fold("/start"))
	}
	return nil
}

// first finds the first state with a pattern that matches and a `when` that holds, and leaves its match in the names.
func (t *turn) first(states []*state, s subject) *state {
	whole := t.env["match"]
	for _, st := range states {
		if t.ctx.Err() != nil {
			return nil
		}
		for _, p := range st.patterns {
			found := p.match(s)
			if found == nil {
				continue
			}
			t.env["match"] = found
			if t.holds(st.when) {
				return st
			}
		}
	}
	t.env["match"] = whole
	return nil
}
