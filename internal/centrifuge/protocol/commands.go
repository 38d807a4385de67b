package protocol

// Command is one step of a client: at most one request is set. A command with
// nothing set is a pong.
type Command struct {
	ID            uint32             `json:"id,omitempty"`
	Connect       *ConnectRequest    `json:"connect,omitempty"`
	Subscribe     *SubscribeRequest  `json:"subscribe,omitempty"`
	Unsubscribe   *ChannelRequest    `json:"unsubscribe,omitempty"`
	Publish       *PublishRequest    `json:"publish,omitempty"`
	Presence      *ChannelRequest    `json:"presence,omitempty"`
	PresenceStats *ChannelRequest    `json:"presence_stats,omitempty"`
	History       *HistoryRequest    `json:"history,omitempty"`
	Ping          *Empty             `json:"ping,omitempty"`
	Send          *SendRequest       `json:"send,omitempty"`
	RPC           *RPCRequest        `json:"rpc,omitempty"`
	Refresh       *RefreshRequest    `json:"refresh,omitempty"`
	SubRefresh    *SubRefreshRequest `json:"sub_refresh,omitempty"`
}

// Empty is a message without fields.
type Empty struct{}

// ConnectRequest opens a session. Subs holds the positions of server-side
// subscriptions the client had before, by channel.
type ConnectRequest struct {
	Token   string                      `json:"token,omitempty"`
	Data    Raw                         `json:"data,omitempty"`
	Subs    map[string]SubscribeRequest `json:"subs,omitempty"`
	Name    string                      `json:"name,omitempty"`
	Version string                      `json:"version,omitempty"`
	Headers map[string]string           `json:"headers,omitempty"`
}

// SubscribeRequest asks for a channel; with Recover set, from a position.
type SubscribeRequest struct {
	Channel     string `json:"channel,omitempty"`
	Token       string `json:"token,omitempty"`
	Recover     bool   `json:"recover,omitempty"`
	Epoch       string `json:"epoch,omitempty"`
	Offset      uint64 `json:"offset,omitempty"`
	Data        Raw    `json:"data,omitempty"`
	Positioned  bool   `json:"positioned,omitempty"`
	Recoverable bool   `json:"recoverable,omitempty"`
	JoinLeave   bool   `json:"join_leave,omitempty"`
	Flag        int64  `json:"flag,omitempty"`
}

// FlagRejectUnrecovered in SubscribeRequest.Flag asks for error 112 instead of
// an unrecovered subscription.
const FlagRejectUnrecovered = 2

// ChannelRequest is a request that names a channel and nothing else:
// unsubscribe, presence, presence_stats.
type ChannelRequest struct {
	Channel string `json:"channel,omitempty"`
}

// PublishRequest publishes Data into a channel.
type PublishRequest struct {
	Channel string `json:"channel,omitempty"`
	Data    Raw    `json:"data,omitempty"`
}

// StreamPosition is a place in a channel's stream.
type StreamPosition struct {
	Offset uint64 `json:"offset,omitempty"`
	Epoch  string `json:"epoch,omitempty"`
}

// HistoryRequest reads a channel's stream. Limit 0 asks for the top position
// alone, a negative one for everything the server is willing to send.
type HistoryRequest struct {
	Channel string          `json:"channel,omitempty"`
	Limit   int32           `json:"limit,omitempty"`
	Since   *StreamPosition `json:"since,omitempty"`
	Reverse bool            `json:"reverse,omitempty"`
}

// SendRequest is a message of the client that gets no answer.
type SendRequest struct {
	Data Raw `json:"data,omitempty"`
}

// RPCRequest calls a method of the application.
type RPCRequest struct {
	Data   Raw    `json:"data,omitempty"`
	Method string `json:"method,omitempty"`
}

// RefreshRequest prolongs an expiring connection.
type RefreshRequest struct {
	Token string `json:"token,omitempty"`
}

// SubRefreshRequest prolongs an expiring subscription.
type SubRefreshRequest struct {
	Channel string `json:"channel,omitempty"`
	Token   string `json:"token,omitempty"`
}

// EmulationRequest carries commands for a connection whose replies travel in an
// HTTP stream or in server-sent events. Data holds a frame: in the JSON form it
// is a string of newline-joined commands.
type EmulationRequest struct {
	Node    string
	Session string
	Data    []byte
}
