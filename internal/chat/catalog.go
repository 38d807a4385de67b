package chat

import (
	"encoding/json"
	"fmt"
)

// Catalog is one immutable state of all settings, resolved and indexed. Use
// cases read it without I/O; Apply replaces it.
type Catalog struct {
	Version   int64
	tenants   map[ID]*Tenant
	byName    map[string]*Tenant
	bots      map[ID]*Bot
	channels  map[ID]*Channel
	managers  map[ID]*Manager
	integr    map[ID]*Integration
	operators map[takenID]*Operator
	keys      map[ID]*APIKey
	tasks     map[ID]*BoundTask
	skills    map[ID]map[string]ID // tenant, name

	channelByToken map[string]*Channel
	botByToken     map[string]*Bot
	keyByHash      map[string]*APIKey
	operatorByName map[string]*Operator
	taskByUUID     map[string]*BoundTask
	taskBySelarti  map[string]*BoundTask
	endpoints      []Endpoint
	endpointByID   map[ID]Endpoint
}

// BoundTask is a task with everything it names looked up.
type BoundTask struct {
	*Task
	Channel      *Channel
	Manager      *Manager // nil when the task has none
	Integrations []*Integration
	Stops        []Stop
}

// Stop is one resolved point of a route: a bot, or people.
type Stop struct {
	Bot *Bot // nil for people
	Point
}

// EndpointKind is what stands behind an endpoint.
type EndpointKind string

// The endpoint kinds.
const (
	EndpointIntegration EndpointKind = "integration"
	EndpointBot         EndpointKind = "bot"
	EndpointChannel     EndpointKind = "channel"
)

// Endpoint is a durable reader of the log that something is pushed to. ID is
// the id of the integration, bot or channel.
type Endpoint struct {
	ID          ID
	TenantID    ID
	Kind        EndpointKind
	Name        string
	Bot         *Bot
	Integration *Integration // of an integration, or the webhook of a channel that has one
	Channel     *Channel
}

// NewCatalog resolves the stored settings. It fails on a reference that leads
// nowhere, which Apply never lets in.
func NewCatalog(version int64, tenants []Tenant, settings []Setting) (*Catalog, error) {
	c := &Catalog{
		Version: version,
		tenants: map[ID]*Tenant{}, byName: map[string]*Tenant{}, bots: map[ID]*Bot{},
		channels: map[ID]*Channel{}, managers: map[ID]*Manager{}, integr: map[ID]*Integration{},
		operators: map[takenID]*Operator{}, keys: map[ID]*APIKey{}, tasks: map[ID]*BoundTask{},
		skills:         map[ID]map[string]ID{},
		channelByToken: map[string]*Channel{}, botByToken: map[string]*Bot{}, keyByHash: map[string]*APIKey{},
		operatorByName: map[string]*Operator{}, taskByUUID: map[string]*BoundTask{}, taskBySelarti: map[string]*BoundTask{},
		endpointByID: map[ID]Endpoint{},
	}
	for i := range tenants {
		c.tenants[tenants[i].ID] = &tenants[i]
		c.byName[tenants[i].Name] = &tenants[i]
	}
	names := nameIndex{}
	for i := range settings {
		if err := c.add(&settings[i], names); err != nil {
			return nil, fmt.Errorf("setting %s %q: %w", settings[i].Kind, settings[i].Name, err)
		}
	}
	for _, t := range c.tasks {
		if err := c.bind(t, names); err != nil {
			return nil, fmt.Errorf("task %q: %w", t.Name, err)
		}
	}
	return c, nil
}

type nameKey struct {
	tenant ID
	kind   Kind
	name   string
}

type nameIndex map[nameKey]any

func (n nameIndex) put(s *Setting, v any) { n[nameKey{s.TenantID, s.Kind, s.Name}] = v }

func lookup[T any](n nameIndex, tenant ID, kind Kind, name string) (*T, error) {
	v, ok := n[nameKey{tenant, kind, name}].(*T)
	if !ok {
		return nil, fmt.Errorf("there is no %s named %q", kind, name)
	}
	return v, nil
}

func decode[T any](s *Setting, names nameIndex) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(s.Body, v); err != nil {
		return nil, err
	}
	names.put(s, v)
	return v, nil
}

// add decodes one setting and indexes it.
func (c *Catalog) add(s *Setting, names nameIndex) error {
	switch s.Kind {
	case KindChannel, KindBot, KindIntegration:
		return c.addEndpoint(s, names)
	case KindManager:
		v, err := decode[Manager](s, names)
		if err == nil {
			v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
			c.managers[s.ID] = v
		}
		return err
	case KindOperator:
		return c.addOperator(s, names)
	case KindAPIKey:
		v, err := decode[APIKey](s, names)
		if err == nil {
			v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
			c.keys[s.ID], c.keyByHash[v.KeyHash] = v, v
		}
		return err
	case KindTask:
		v, err := decode[Task](s, names)
		if err == nil {
			v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
			c.tasks[s.ID] = &BoundTask{Task: v}
		}
		return err
	case KindRoute:
		_, err := decode[Route](s, names)
		return err
	case KindSkill:
		if c.skills[s.TenantID] == nil {
			c.skills[s.TenantID] = map[string]ID{}
		}
		c.skills[s.TenantID][s.Name] = s.ID
	}
	return nil
}

func (c *Catalog) addEndpoint(s *Setting, names nameIndex) error {
	e := Endpoint{ID: s.ID, TenantID: s.TenantID, Name: s.Name}
	switch s.Kind {
	case KindChannel:
		v, err := decode[Channel](s, names)
		if err != nil {
			return err
		}
		v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
		c.channels[s.ID], c.channelByToken[v.Token] = v, v
		e.Kind, e.Channel = EndpointChannel, v
		if format := v.Format(); format != "" {
			e.Integration = &Integration{ID: v.ID, TenantID: v.TenantID, Name: v.Name, Format: format, URL: v.WebhookURL, Secret: v.WebhookSecret}
		}
	case KindBot:
		v, err := decode[Bot](s, names)
		if err != nil {
			return err
		}
		v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
		c.bots[s.ID] = v
		if v.TokenHash != "" {
			c.botByToken[v.TokenHash] = v
		}
		e.Kind, e.Bot = EndpointBot, v
	default:
		v, err := decode[Integration](s, names)
		if err != nil {
			return err
		}
		v.ID, v.TenantID, v.CreatedAt = s.ID, s.TenantID, s.CreatedAt
		c.integr[s.ID] = v
		e.Kind, e.Integration = EndpointIntegration, v
	}
	c.endpoints = append(c.endpoints, e)
	c.endpointByID[e.ID] = e
	return nil
}

func (c *Catalog) addOperator(s *Setting, names nameIndex) error {
	v, err := decode[Operator](s, names)
	if err != nil {
		return err
	}
	v.ID, v.TenantID = s.ID, s.TenantID
	c.operators[takenID{s.TenantID, s.Kind, s.ID}], c.operatorByName[v.Login] = v, v
	if v.Email != "" {
		c.operatorByName[v.Email] = v
	}
	return nil
}

// bind looks up everything the task names.
func (c *Catalog) bind(t *BoundTask, names nameIndex) (err error) {
	if t.Channel, err = lookup[Channel](names, t.TenantID, KindChannel, t.Task.Channel); err != nil {
		return err
	}
	if t.Task.Manager != "" {
		if t.Manager, err = lookup[Manager](names, t.TenantID, KindManager, t.Task.Manager); err != nil {
			return err
		}
	}
	for _, name := range t.Task.Integrations {
		i, err := lookup[Integration](names, t.TenantID, KindIntegration, name)
		if err != nil {
			return err
		}
		t.Integrations = append(t.Integrations, i)
	}
	points := t.Route.Points
	if t.Route.Name != "" {
		r, err := lookup[Route](names, t.TenantID, KindRoute, t.Route.Name)
		if err != nil {
			return err
		}
		points = r.Points
	}
	if t.Bot != "" {
		points = []Point{{Bot: t.Bot}, {Anyone: true}}
	}
	for _, p := range points {
		stop := Stop{Point: p}
		if p.Bot != "" {
			if stop.Bot, err = lookup[Bot](names, t.TenantID, KindBot, p.Bot); err != nil {
				return err
			}
		}
		t.Stops = append(t.Stops, stop)
	}
	if t.UUID != "" {
		c.taskByUUID[t.UUID] = t
	}
	if t.SelartiID != "" {
		c.taskBySelarti[t.SelartiID] = t
	}
	return nil
}
