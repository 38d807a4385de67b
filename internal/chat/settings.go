package chat

import (
	"encoding/json"
	"time"
)

// Kind is the kind of a setting: one of the lists of the setup file.
type Kind string

// The kinds of settings.
const (
	KindChannel     Kind = "channel"
	KindBot         Kind = "bot"
	KindIntegration Kind = "integration"
	KindManager     Kind = "manager"
	KindUnit        Kind = "unit"
	KindSkill       Kind = "skill"
	KindTag         Kind = "tag"
	KindOperator    Kind = "operator"
	KindSegment     Kind = "segment"
	KindRoute       Kind = "route"
	KindTask        Kind = "task"
	KindAPIKey      Kind = "api_key"
)

// Tenant is a company: every row and every actor belongs to one.
type Tenant struct {
	ID        ID
	Name      string
	CreatedAt Micros
}

// Setting is a stored setting: one row of any kind, its body the JSON of the
// typed struct. Names are unique per tenant and kind.
type Setting struct {
	ID        ID
	TenantID  ID
	Kind      Kind
	Name      string
	Body      json.RawMessage
	CreatedAt Micros
}

// ChannelKind is where a channel's clients come from.
type ChannelKind string

// The channel kinds.
const (
	ChannelPageMessenger ChannelKind = "page_messenger" // Selarti: a foreign messenger behind one API call
	ChannelChatAPI       ChannelKind = "chat_api"       // Aimylogic/JAICP Chat API
	ChannelWidget        ChannelKind = "widget"         // TWIN chats and our web widget
)

// Channel is where clients come from. Keys: specs/setup.md.
type Channel struct {
	ID                 ID          `json:"id,omitempty"`
	Name               string      `json:"name"`
	Kind               ChannelKind `json:"kind"`
	Token              string      `json:"token,omitempty"`
	WebhookURL         string      `json:"webhook_url,omitempty"`
	WebhookSecret      string      `json:"webhook_secret,omitempty"`
	BlockInput         bool        `json:"block_input,omitempty"`
	Authorized         *bool       `json:"authorized,omitempty"`
	ChannelType        string      `json:"channel_type,omitempty"`
	AppMarker          string      `json:"app_marker,omitempty"`
	AllowedOrigins     []string    `json:"allowed_origins,omitempty"`
	SyncTimeout        *Duration   `json:"sync_timeout,omitempty"`
	PollCeiling        *Duration   `json:"poll_ceiling,omitempty"`
	EventsDefault      string      `json:"events_default,omitempty"`
	CIDFilter          string      `json:"cid_filter,omitempty"`
	Hours              *Hours      `json:"hours,omitempty"`
	UnavailableMessage string      `json:"unavailable_message,omitempty"`

	CreatedAt Micros `json:"-"`
	TenantID  ID     `json:"-"`
}

// What a channel's callers are shown (specs/chatapi.md §4, §5).
const (
	EventsOperator = "operator"    // events_default: replies of operators
	EventsOutside  = "outside"     // and answers that did not go back in the call that asked
	CIDExcludeOwn  = "exclude_own" // cid_filter: all but what the connection has seen
	CIDOnlyOwn     = "only_own"    // only what the connection asked, and what nobody asked for
)

// FormatChatAPI is the format of a Chat API channel's webhook.
const FormatChatAPI = "chatapi"

// Format is that of the channel's webhook, "" when it has none.
func (c *Channel) Format() string {
	if c.WebhookURL == "" || c.Kind != ChannelChatAPI {
		return ""
	}
	return FormatChatAPI
}

// Wants says whether the channel's webhook is told of the event: of the head of
// every answer that did not go back in the call that asked (specs/chatapi.md §3).
func (c *Channel) Wants(e *Event) bool {
	if c.Format() == "" || e.Data.QuestionID == "" || e.Data.Synced || e.Author == AuthorClient {
		return false
	}
	return e.Kind == EventMessageCreated || e.Kind == EventBotSilent && e.Data.Answer.visible()
}

// SyncWait is how long a synchronous question waits for its answer.
func (c *Channel) SyncWait() time.Duration { return orDefault(c.SyncTimeout, 30*time.Second) }

// PollWait is how long a poll waits for events; 0 does not wait.
func (c *Channel) PollWait() time.Duration { return orDefault(c.PollCeiling, 20*time.Second) }

func orDefault(set *Duration, def time.Duration) time.Duration {
	if set == nil {
		return def
	}
	return time.Duration(*set)
}

// IsAuthorized says whether the channel's client ids are the tenant's own, so
// that one id is one client on every such channel (default: chat_api only).
func (c *Channel) IsAuthorized() bool {
	if c.Authorized != nil {
		return *c.Authorized
	}
	return c.Kind == ChannelChatAPI
}

// ExternalScope is the namespace of the channel's client ids: 0, shared by the
// tenant, for authorised channels, else the channel's own id.
func (c *Channel) ExternalScope() ID {
	if c.IsAuthorized() {
		return 0
	}
	return c.ID
}

// Hours are the working hours of a channel.
type Hours struct {
	TZ       string   `json:"tz"`
	Mon      []string `json:"mon,omitempty"`
	Tue      []string `json:"tue,omitempty"`
	Wed      []string `json:"wed,omitempty"`
	Thu      []string `json:"thu,omitempty"`
	Fri      []string `json:"fri,omitempty"`
	Sat      []string `json:"sat,omitempty"`
	Sun      []string `json:"sun,omitempty"`
	Holidays []string `json:"holidays,omitempty"`
}

// BotKind is how a bot thinks.
type BotKind string

// The bot kinds.
const (
	BotScenario BotKind = "scenario"
	BotWebhook  BotKind = "webhook"
	BotLLM      BotKind = "llm"
)

// Bot is who answers first. Scenario is the text of a scenario bot's file,
// copied in when the setup is applied; TokenHash is all that is kept of a
// webhook bot's token.
type Bot struct {
	ID   ID      `json:"id,omitempty"`
	UUID string  `json:"uuid,omitempty"`
	Name string  `json:"name"`
	Kind BotKind `json:"kind"`

	File     string `json:"file,omitempty"`
	Scenario string `json:"scenario,omitempty"`

	Token             string            `json:"token,omitempty"`
	TokenHash         string            `json:"token_hash,omitempty"`
	MessageURL        string            `json:"message_url,omitempty"`
	InitURL           string            `json:"init_url,omitempty"`
	ContactURL        string            `json:"contact_url,omitempty"`
	HintsURL          string            `json:"hints_url,omitempty"`
	HintsToken        string            `json:"hints_token,omitempty"`
	Headers           map[string]string `json:"headers,omitempty"`
	CallTimeout       *Duration         `json:"call_timeout,omitempty"`
	AnswerTimeout     *Duration         `json:"answer_timeout,omitempty"`
	CompletionTimeout *Duration         `json:"completion_timeout,omitempty"`
	DuplicateAnswers  string            `json:"duplicate_answers,omitempty"`
	ClientDataKeys    []string          `json:"client_data_keys,omitempty"`
	Concat            bool              `json:"concat,omitempty"`
	OutsideHours      *bool             `json:"outside_hours,omitempty"`
	TypingWithReplies *bool             `json:"typing_with_replies,omitempty"`
	ThreadClosed      bool              `json:"thread_closed,omitempty"`

	BaseURL     string        `json:"base_url,omitempty"`
	APIKey      string        `json:"api_key,omitempty"`
	Model       string        `json:"model,omitempty"`
	Prompt      string        `json:"prompt,omitempty"`
	Temperature *float64      `json:"temperature,omitempty"`
	History     *int          `json:"history,omitempty"`
	Functions   []LLMFunction `json:"functions,omitempty"`
	Budget      *LLMBudget    `json:"budget,omitempty"`

	CreatedAt Micros `json:"-"`
	TenantID  ID     `json:"-"`
}

// LLMFunction is an outside call that a language model may make (specs/selarti.md §5.1).
type LLMFunction struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Method      string            `json:"method,omitempty"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers,omitempty"`
	Parameters  json.RawMessage   `json:"parameters,omitempty"`
	Timeout     *Duration         `json:"timeout,omitempty"`
}

// LLMBudget bounds what a language model may cost.
type LLMBudget struct {
	Messages int `json:"messages,omitempty"`
	Tokens   int `json:"tokens,omitempty"`
}

// Retry replaces the built-in schedule of an endpoint (specs/delivery.md):
// Event before an ill event is parked, Endpoint while the endpoint itself is
// ill (its last step repeats).
type Retry struct {
	Event    []Duration `json:"event,omitempty"`
	Endpoint []Duration `json:"endpoint,omitempty"`
}

// Integration is an outgoing webhook subscription. The previous secret is what
// Secret replaced when the setup was last applied with another one.
type Integration struct {
	ID          ID                `json:"id,omitempty"`
	Name        string            `json:"name"`
	Format      string            `json:"format"`
	URL         string            `json:"url"`
	Events      []string          `json:"events"`
	Secret      string            `json:"secret,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Rate        int               `json:"rate,omitempty"`
	MaxInflight int               `json:"max_inflight,omitempty"`
	Retry       *Retry            `json:"retry,omitempty"`
	OnPark      string            `json:"on_park,omitempty"`
	BoolFormat  string            `json:"bool_format,omitempty"`
	EchoUser    *bool             `json:"echo_user,omitempty"`
	WhTypes     map[string]string `json:"wh_types,omitempty"`

	PreviousSecret string `json:"previous_secret,omitempty"`
	PreviousUntil  Micros `json:"previous_until,omitempty"` // it signs until then

	CreatedAt Micros `json:"-"`
	TenantID  ID     `json:"-"`
}

// SigningSecrets lists the secrets that sign a call made now: the present one
// and, for a day after a change, the one before it (specs/delivery.md). None:
// calls are not signed.
func (i *Integration) SigningSecrets(now Micros) []string {
	var secrets []string
	if i.Secret != "" {
		secrets = append(secrets, i.Secret)
	}
	if i.PreviousSecret != "" && now < i.PreviousUntil {
		secrets = append(secrets, i.PreviousSecret)
	}
	return secrets
}

// AllMessages is the subscription to every new message.
const AllMessages = "all_messages"

// Wants says whether the integration is told of the event: every new message
// for all_messages (the client's own only with echo_user), and each flag that
// becomes set for a subscription of the flag's name (specs/selarti.md §4.1).
func (i *Integration) Wants(e *Event) bool {
	if i.Format == FormatChatAPI && e.Kind == EventMessageCreated && e.Author == AuthorBot && e.Data.Answer == nil {
		return false // it goes with the head of its answer
	}
	for _, name := range i.Events {
		switch {
		case name == AllMessages && e.Kind == EventMessageCreated:
			return e.Author != AuthorClient || i.EchoUser == nil || *i.EchoUser
		case e.Kind == EventFlagSet && e.Data.Flag == name:
			return true
		case name == string(e.Kind):
			return true
		}
	}
	return false
}

// Manager is Selarti's virtual employee: a name with an id, not a person.
type Manager struct {
	ID        ID     `json:"id,omitempty"`
	Name      string `json:"name"`
	CreatedAt Micros `json:"-"`
	TenantID  ID     `json:"-"`
}

// Unit is a department.
type Unit struct {
	ID   ID     `json:"id,omitempty"`
	Name string `json:"name"`
}

// Skill is something an operator can be asked for.
type Skill struct {
	ID   ID     `json:"id,omitempty"`
	Name string `json:"name"`
}

// Tag labels a thread; its name is a path with slashes.
type Tag struct {
	ID   ID     `json:"id,omitempty"`
	Name string `json:"name"`
}

// Operator is a person who answers. Name is what clients see; Login is the
// name of the setting.
type Operator struct {
	ID           ID       `json:"id,omitempty"`
	Login        string   `json:"login"`
	Email        string   `json:"email,omitempty"`
	Name         string   `json:"name,omitempty"`
	Password     string   `json:"password,omitempty"`
	PasswordHash string   `json:"password_hash,omitempty"`
	Role         Role     `json:"role"`
	Unit         string   `json:"unit,omitempty"`
	Skills       []string `json:"skills,omitempty"`
	Capacity     *int     `json:"capacity,omitempty"`
	Disabled     bool     `json:"disabled,omitempty"`

	TenantID ID `json:"-"`
}

// DisplayName is the name that clients and colleagues see.
func (o *Operator) DisplayName() string {
	if o.Name != "" {
		return o.Name
	}
	return o.Login
}

// Segment is an ordered rule that picks a route (specs/threads.md §5.1).
type Segment struct {
	ID    ID          `json:"id,omitempty"`
	Name  string      `json:"name"`
	When  SegmentWhen `json:"when"`
	Route string      `json:"route,omitempty"`
}

// SegmentWhen is what must hold for a segment; values of one key are
// alternatives.
type SegmentWhen struct {
	Channel           []string            `json:"channel,omitempty"`
	State             []string            `json:"state,omitempty"`
	ClosedThreads     string              `json:"closed_threads,omitempty"`
	MinutesSinceClose string              `json:"minutes_since_close,omitempty"`
	PageURL           []string            `json:"page_url,omitempty"`
	Blocked           *bool               `json:"blocked,omitempty"`
	PersonalManager   *bool               `json:"personal_manager,omitempty"`
	Params            map[string][]string `json:"params,omitempty"`
}

// Route is a list of points that a session tries in order.
type Route struct {
	ID     ID      `json:"id,omitempty"`
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is one stop of a route; exactly one of its fields is set.
type Point struct {
	Bot             string   `json:"bot,omitempty"`
	Operators       []string `json:"operators,omitempty"`
	Supervisors     []string `json:"supervisors,omitempty"`
	Units           []string `json:"units,omitempty"`
	Skills          []string `json:"skills,omitempty"`
	PersonalManager bool     `json:"personal_manager,omitempty"`
	Anyone          bool     `json:"anyone,omitempty"`
}

// APIKey is a credential of a calling system. Only its hash is stored.
type APIKey struct {
	ID        ID       `json:"id,omitempty"`
	Name      string   `json:"name"`
	Key       string   `json:"key,omitempty"`
	KeyHash   string   `json:"key_hash,omitempty"`
	Scopes    []string `json:"scopes"`
	CreatedAt Micros   `json:"-"`
	TenantID  ID       `json:"-"`
}
