package chat

// Lane is the cursor of one endpoint in one conversation. It exists only while
// the endpoint is behind, or has replays to send. A claimed lane is nobody
// else's until DueAt; Epoch fences whoever lost it. Saving a lane keeps or ends
// the claim as Claimed says.
type Lane struct {
	TenantID       ID
	EndpointID     ID // of the integration, bot or channel
	ConversationID ID
	NextSeq        int64
	DueAt          Micros
	Epoch          int64
	Claimed        bool // somebody works on it until DueAt
	Attempts       int  // failed tries of the head that count against the event
	Replays        int  // deliveries queued for replay, sent before NextSeq
	Blocked        bool // on_park: block stopped it at a parked event
}

// DeliveryState is where one event stands at one endpoint.
type DeliveryState string

// The delivery states.
const (
	DeliveryRetrying  DeliveryState = "retrying"  // failed at least once, will be tried again
	DeliveryDelivered DeliveryState = "delivered" // 2xx
	DeliveryParked    DeliveryState = "parked"    // given up, visible, can be replayed
	DeliveryQueued    DeliveryState = "queued"    // waits to be replayed
	DeliveryVoid      DeliveryState = "void"      // lost its meaning before it was sent
)

// Delivery is one event at one endpoint, from its first try on. Body is kept
// until it is settled by success, so that every try sends the same bytes.
type Delivery struct {
	ID             ID
	TenantID       ID
	EndpointID     ID
	ConversationID ID
	Seq            int64
	EventAt        Micros
	WebhookID      string
	State          DeliveryState
	Attempts       int
	Body           []byte
	LastStatus     int
	LastError      string
	CreatedAt      Micros
	UpdatedAt      Micros
}

// Attempt is one try of a delivery. Status is 0 when there was no answer.
type Attempt struct {
	DeliveryID ID
	TenantID   ID
	Number     int
	At         Micros
	Status     int
	Error      string
	TookMicros int64
}

// EndpointHealth is what is remembered of an endpoint over restarts.
type EndpointHealth struct {
	EndpointID   ID
	TenantID     ID
	Paused       bool
	Reason       string // why it is paused
	FailingSince Micros // 0 while it is well
	LastOK       Micros
}

// TimerKind is what a timer does when it fires.
type TimerKind string

// The timer kinds.
const (
	TimerSessionTTL TimerKind = "session_ttl" // the open session may have idled out
	TimerReminder   TimerKind = "reminder"    // the bot writes by itself; key: index in the task
	TimerLate       TimerKind = "late"        // a late answer of a scenario; key: its id
)

// Timer is a due moment of one conversation. A new timer of the same kind and
// key replaces the old one.
type Timer struct {
	TenantID       ID
	ConversationID ID
	Kind           TimerKind
	Key            string
	DueAt          Micros
	SessionID      ID
	Version        int64
	Data           []byte
}

// IdempotencyKey remembers what a caller's key made. Fingerprint tells a
// repetition from another request under the same key.
type IdempotencyKey struct {
	TenantID       ID
	Scope          string // who chose the key: "api_key:7", "operator:9", "bot:3"
	Key            string
	Fingerprint    string
	ConversationID ID
	MessageID      ID
	CreatedAt      Micros
}

// Login is an operator's session. Only the hash of its token is stored.
type Login struct {
	TokenHash  string
	TenantID   ID
	OperatorID ID
	CreatedAt  Micros
	ExpiresAt  Micros
}

// Target is one member of a task's audience (specs/selarti.md §3.3).
type Target struct {
	TenantID  ID
	TaskID    ID
	Name      string
	CreatedAt Micros
}
