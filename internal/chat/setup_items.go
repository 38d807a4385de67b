package chat

import "fmt"

// setupItem is one setting of a document: value points to a copy of the typed
// struct, given is the id that the document gives it, or 0.
type setupItem struct {
	kind  Kind
	name  string
	path  string
	value any
	given ID
}

// items lists every setting of the document in the order of the keys.
func (s *Setup) items() []setupItem {
	var items []setupItem
	add := func(kind Kind, list string, i int, name string, id *ID, value any) {
		items = append(items, setupItem{kind: kind, name: name, path: fmt.Sprintf("%s[%d]", list, i), value: value, given: *id})
		*id = 0 // it is stored beside the body
	}
	for i := range s.Channels {
		v := s.Channels[i]
		add(KindChannel, "channels", i, v.Name, &v.ID, &v)
	}
	for i := range s.Bots {
		v := s.Bots[i]
		add(KindBot, "bots", i, v.Name, &v.ID, &v)
	}
	for i := range s.Integrations {
		v := s.Integrations[i]
		add(KindIntegration, "integrations", i, v.Name, &v.ID, &v)
	}
	for i := range s.Managers {
		v := s.Managers[i]
		add(KindManager, "managers", i, v.Name, &v.ID, &v)
	}
	for i := range s.Units {
		v := s.Units[i]
		add(KindUnit, "units", i, v.Name, &v.ID, &v)
	}
	for i := range s.Skills {
		v := s.Skills[i]
		add(KindSkill, "skills", i, v.Name, &v.ID, &v)
	}
	for i := range s.Tags {
		v := s.Tags[i]
		add(KindTag, "tags", i, v.Name, &v.ID, &v)
	}
	for i := range s.Operators {
		v := s.Operators[i]
		add(KindOperator, "operators", i, v.Login, &v.ID, &v)
	}
	for i := range s.Segments {
		v := s.Segments[i]
		add(KindSegment, "segments", i, v.Name, &v.ID, &v)
	}
	for i := range s.Routes {
		v := s.Routes[i]
		add(KindRoute, "routes", i, v.Name, &v.ID, &v)
	}
	for i := range s.Tasks {
		v := s.Tasks[i]
		add(KindTask, "tasks", i, v.Name, &v.ID, &v)
	}
	for i := range s.APIKeys {
		v := s.APIKeys[i]
		add(KindAPIKey, "api_keys", i, v.Name, &v.ID, &v)
	}
	return items
}
