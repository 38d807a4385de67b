package chat

import "context"

// Priority orders the work of a store's writer.
type Priority int

// The priorities. Bulk work goes in small chunks and lets everything else
// pass.
const (
	PriorityNormal Priority = iota
	PriorityBulk
)

// Store keeps everything. Its contract is the test suite in store/storetest.
type Store interface {
	// Update runs fn in one write transaction and returns nil only after a
	// durable commit. An error of fn rolls back what fn did and nothing else.
	// fn may run more than once, so it must set its results afresh each time;
	// it touches only tx, does no I/O and takes a few milliseconds at most.
	Update(ctx context.Context, priority Priority, fn func(tx Tx) error) error
	// View runs fn on one consistent, committed state. fn may run more than
	// once, so it must set its results afresh each time.
	View(ctx context.Context, fn func(r Reader) error) error
	// Epoch identifies the history of this database: positions of another
	// epoch mean nothing here. A restore changes it.
	Epoch() string
}

// Reader is the reading half of a store. Every method takes the tenant: what
// belongs to another tenant is not found. A missing row is CodeNotFound.
type Reader interface {
	Now() Micros
	ClientReader
	ConversationReader
	LogReader
	ExchangeReader
	DeliveryReader
	SettingReader
	LoginReader
	PresenceReader
	CannedReader
	// NextTimer returns when the next timer is due, 0 when there is none.
	NextTimer() (Micros, error)
}

// Tx is one write transaction. Its reads lock what they return where the
// engine needs it, in the order client, conversation, session, presence.
type Tx interface {
	Reader
	NextID() (ID, error)
	ClientWriter
	ConversationWriter
	LogWriter
	ExchangeWriter
	LaneStore
	DeliveryWriter
	TimerStore
	KeyStore
	SettingWriter
	LoginWriter
	PresenceWriter
	CannedWriter
}

// ClientReader finds clients.
type ClientReader interface {
	Client(tenant, id ID) (*Client, error)
	// ClientByExternalID finds a client by the id its channel's scope knows.
	ClientByExternalID(tenant, scope ID, externalID string) (*Client, error)
	// ExternalIDs lists the ids that name the client, by rising scope and id.
	ExternalIDs(tenant, client ID) ([]ExternalID, error)
}

// ClientWriter changes clients.
type ClientWriter interface {
	CreateClient(c *Client) error
	SaveClient(c *Client) error
	// LinkExternalID makes the external id name the client; CodeConflict when
	// it names another one.
	LinkExternalID(tenant, scope ID, externalID string, client ID) error
}

// ConversationReader finds conversations and sessions.
type ConversationReader interface {
	Conversation(tenant, id ID) (*Conversation, error)
	ConversationByKey(tenant, task, client ID, key string) (*Conversation, error)
	ConversationByShareToken(token string) (*Conversation, error)
	// Conversations lists by rising id, up to f.Limit, after f.After.
	Conversations(tenant ID, f ConversationFilter) ([]Listed, error)
	// ConversationsOf lists the client's, the newest first, up to limit.
	ConversationsOf(tenant, client ID, limit int) ([]Listed, error)
	// Usage counts per task, by rising task id; a task without conversations
	// is left out.
	Usage(tenant ID) ([]TaskUsage, error)
	Session(tenant, id ID) (*Session, error)
}

// ConversationFilter selects conversations; zero fields select all.
type ConversationFilter struct {
	After      ID
	Limit      int
	Owner      Owner // by kind, and by id when it is not 0
	Session    SessionState
	ExternalID string
	TaskID     ID
	ChannelID  ID
}

// SessionState is whether a session is open; "" is either.
type SessionState string

// The states a list can be asked for.
const (
	SessionOpen   SessionState = "open"
	SessionClosed SessionState = "closed"
)

// ConversationWriter changes conversations and sessions.
type ConversationWriter interface {
	CreateConversation(c *Conversation) error
	// SaveConversation writes every changing field.
	SaveConversation(c *Conversation) error
	CreateSession(s *Session) error
	SaveSession(s *Session) error
}

// LogReader reads the log and the messages.
type LogReader interface {
	// Events returns events of one conversation with Seq > after, rising, each
	// with its message, at most limit.
	Events(tenant, conversation ID, after int64, limit int) ([]Entry, error)
	// Event returns one entry, or CodeNotFound.
	Event(tenant, conversation ID, seq int64) (*Entry, error)
	// EventsOfClient returns events of all the client's conversations on a
	// channel with At >= from, rising by At, at most limit.
	EventsOfClient(tenant, client, channel ID, from Micros, limit int) ([]Entry, error)
	// Feed returns events of the tenant with ID > after, rising by ID, at most
	// limit, never one that could still be preceded by a running transaction.
	Feed(tenant, after ID, limit int) ([]Entry, error)
	// FeedEnd returns the ID of the last event that Feed would return now, 0
	// when there is none.
	FeedEnd(tenant ID) (ID, error)
	Message(tenant, id ID) (*Message, error)
	// ClientMessagesAfter counts the client's messages of one conversation with
	// Seq > after, up to limit.
	ClientMessagesAfter(tenant, conversation ID, after, limit int64) (int64, error)
}

// LogWriter appends.
type LogWriter interface {
	// AppendEvent stores e; the caller has numbered it.
	AppendEvent(e *Event) error
	AddMessage(m *Message) error
	// SetMessageStatus changes a message's status.
	SetMessageStatus(tenant, message ID, status Status) error
}

// ExchangeReader reads what a channel's callers know their questions by, and
// what they have read.
type ExchangeReader interface {
	Exchange(tenant, channel, client ID, questionID string) (*Exchange, error)
	// UnreadExchanges counts the answers whose status is before READ.
	UnreadExchanges(tenant, channel, client ID) (int, error)
	PollCursor(tenant, channel, client ID, cid string) (*PollCursor, error)
	// PollCursors returns those of all the client's connections, what was
	// written last first.
	PollCursors(tenant, channel, client ID, limit int) ([]PollCursor, error)
	ClientState(tenant, channel, client ID) (*ClientState, error)
	// ProcessLives says whether another process that works with the database
	// lives: false where there can be none.
	ProcessLives(process string) (bool, error)
}

// ExchangeWriter keeps it.
type ExchangeWriter interface {
	// AddExchange is CodeConflict when the id is taken on the channel for the
	// client.
	AddExchange(x *Exchange) error
	// SaveExchange writes SyncUntil, Process, Answer and Status.
	SaveExchange(x *Exchange) error
	// SavePollCursor inserts or replaces.
	SavePollCursor(c *PollCursor) error
	// SaveClientState inserts or replaces.
	SaveClientState(c *ClientState) error
	// PrunePollCursors forgets up to limit cursors that were not moved since
	// the moment, and says how many.
	PrunePollCursors(before Micros, limit int) (int, error)
}

// LaneStore keeps the cursors.
type LaneStore interface {
	// WakeLane makes sure that the endpoint's lane in the conversation exists;
	// a new one starts at seq and is due at once.
	WakeLane(tenant, endpoint, conversation ID, seq int64) error
	// ClaimLanes takes up to limit due lanes of the endpoint, the longest due
	// first, for nobody else until the returned DueAt; each claim has a new
	// Epoch. A blocked lane is due only for its replays.
	ClaimLanes(tenant, endpoint ID, limit int, until Micros) ([]Lane, error)
	// Lane returns the lane, or CodeNotFound. It locks the lane: a WakeLane of
	// another transaction is seen whole or waits.
	Lane(tenant, endpoint, conversation ID) (*Lane, error)
	// SaveLane writes the lane if nobody claimed it since (same Epoch);
	// otherwise CodeConflict. The claim lasts while Claimed says so.
	SaveLane(l *Lane) error
	// DropLane removes it under the same condition.
	DropLane(l *Lane) error
	// ReleaseLanes makes every claimed lane due again: what a single process
	// does at start with the claims of its predecessor.
	ReleaseLanes() error
	// AddReplays adds n to the lane's replays and makes it due, unless it is
	// claimed; a missing lane is made, with seq as its NextSeq.
	AddReplays(tenant, endpoint, conversation ID, seq int64, n int) error
}

// DeliveryReader reads the delivery log.
type DeliveryReader interface {
	Delivery(tenant, id ID) (*Delivery, error)
	// DeliveryOf finds the delivery of one event at one endpoint.
	DeliveryOf(tenant, endpoint, conversation ID, seq int64) (*Delivery, error)
	// Deliveries lists by rising id, without bodies.
	Deliveries(tenant ID, f DeliveryFilter) ([]Delivery, error)
	Attempts(tenant, delivery ID) ([]Attempt, error)
	// PreviousDelivery returns the delivery with the highest seq below the
	// given one in a lane, or CodeNotFound.
	PreviousDelivery(tenant, endpoint, conversation ID, seq int64) (*Delivery, error)
	// NextQueued returns the queued delivery with the lowest seq of a lane.
	NextQueued(tenant, endpoint, conversation ID) (*Delivery, error)
	// OldestDue returns the DueAt of the longest due lane of the endpoint
	// (blocked ones are due for their replays only) and the number of its
	// lanes, counted up to MaxBacklog; 0, 0 when it is not behind.
	OldestDue(tenant, endpoint ID) (Micros, int, error)
	// EndpointHealth lists what is remembered of all endpoints.
	EndpointHealth() ([]EndpointHealth, error)
}

// MaxBacklog is how far the lanes of an endpoint are counted: the count is for
// people, and is asked for twice a second.
const MaxBacklog = 10_000

// DeliveryFilter selects deliveries; zero fields select all.
type DeliveryFilter struct {
	After          ID
	Limit          int
	EndpointID     ID
	ConversationID ID
	State          DeliveryState
	FromSeq, ToSeq int64  // inclusive; ToSeq 0 is no bound
	From, To       Micros // by EventAt; To 0 is no bound
}

// DeliveryWriter keeps the delivery log.
type DeliveryWriter interface {
	// SaveDelivery inserts or replaces by ID.
	SaveDelivery(d *Delivery) error
	AddAttempt(a *Attempt) error
	SaveEndpointHealth(h *EndpointHealth) error
	// PruneDeliveries removes up to limit settled deliveries last changed
	// before the moment, with their attempts, and says how many. One that
	// blocks its lane stays.
	PruneDeliveries(before Micros, limit int) (int, error)
}

// TimerStore keeps timers.
type TimerStore interface {
	SetTimer(t *Timer) error
	CancelTimers(tenant, conversation ID, kind TimerKind) error
	// TakeTimer removes and returns the longest due timer, or CodeNotFound.
	TakeTimer() (*Timer, error)
}

// KeyStore keeps idempotency keys.
type KeyStore interface {
	// Key returns what the key made, or CodeNotFound.
	Key(tenant ID, scope, key string) (*IdempotencyKey, error)
	PutKey(k *IdempotencyKey) error
	// PruneKeys forgets up to limit keys older than the moment.
	PruneKeys(before Micros, limit int) (int, error)
}

// SettingReader reads what an owner has set up.
type SettingReader interface {
	Tenants() ([]Tenant, error)
	// Settings returns every setting of every tenant, by rising id.
	Settings() ([]Setting, error)
	// SettingsVersion rises with every change of the settings.
	SettingsVersion() (int64, error)
	// Targets lists the audience of a task.
	Targets(tenant, task ID) ([]Target, error)
	// Secret returns a named secret of the installation, or CodeNotFound.
	Secret(name string) ([]byte, error)
}

// SettingWriter changes it.
type SettingWriter interface {
	CreateTenant(t *Tenant) error
	// SaveSetting inserts or replaces by tenant, kind and ID.
	SaveSetting(s *Setting) error
	DeleteSetting(tenant ID, kind Kind, id ID) error
	// BumpSettings raises the version, holding off every other writer of
	// settings until the commit.
	BumpSettings() error
	// AddTarget adds to a task's audience; a known name is left as it is.
	AddTarget(t *Target) error
	SaveSecret(name string, value []byte) error
}

// LoginReader finds operators' sessions.
type LoginReader interface {
	Login(tokenHash string) (*Login, error)
	// LoginsOf lists an operator's, expired ones too, in no order.
	LoginsOf(tenant, operator ID) ([]Login, error)
}

// LoginWriter keeps operators' sessions.
type LoginWriter interface {
	AddLogin(l *Login) error
	DeleteLogin(tokenHash string) error
	DeleteLoginsOf(tenant, operator ID) error
	PruneLogins(before Micros) error
}

// PresenceReader finds who takes conversations and who waits for somebody.
type PresenceReader interface {
	// Presence returns an operator's, or CodeNotFound.
	Presence(tenant, operator ID) (*Presence, error)
	// Presences lists the operators' by rising operator id. A Tx locks all of
	// them, in that order.
	Presences(tenant ID) ([]Presence, error)
	// AnybodyReady says whether the tenant has an operator whose status is
	// READY. It locks nothing.
	AnybodyReady(tenant ID) (bool, error)
	// Queue lists the conversations that wait for people, the longest waiting
	// first, at most limit, those after a place; the zero place is before all.
	Queue(tenant ID, after QueuePlace, limit int) ([]Conversation, error)
	// WaitingTenants lists those in which somebody is READY and a conversation
	// waits for people, in no order.
	WaitingTenants() ([]ID, error)
}

// PresenceWriter keeps it.
type PresenceWriter interface {
	// SavePresence inserts, or replaces Status, Reason and Since.
	SavePresence(p *Presence) error
	// AddLoad changes an operator's load by n, and moves AssignedAt up to the
	// moment, 0 for none; one who was not there is OFFLINE.
	AddLoad(tenant, operator ID, n int, assigned Micros) error
}

// CannedReader finds canned replies.
type CannedReader interface {
	// CannedReplies lists all of the tenant by rising id.
	CannedReplies(tenant ID) ([]CannedReply, error)
	CannedReply(tenant, id ID) (*CannedReply, error)
}

// CannedWriter changes them. CodeConflict when the owner has another one with
// the shortcut.
type CannedWriter interface {
	AddCannedReply(c *CannedReply) error
	SaveCannedReply(c *CannedReply) error
	DeleteCannedReply(tenant, id ID) error
	// DeleteCannedRepliesOf removes an operator's own.
	DeleteCannedRepliesOf(tenant, operator ID) error
}
