package protocol

// Reply is one message of the server: an answer (ID set), a push (Push set), or
// a ping (nothing set).
type Reply struct {
	ID            uint32               `json:"id,omitempty"`
	Error         *Error               `json:"error,omitempty"`
	Push          *Push                `json:"push,omitempty"`
	Connect       *ConnectResult       `json:"connect,omitempty"`
	Subscribe     *SubscribeResult     `json:"subscribe,omitempty"`
	Unsubscribe   *Empty               `json:"unsubscribe,omitempty"`
	Publish       *Empty               `json:"publish,omitempty"`
	Presence      *PresenceResult      `json:"presence,omitempty"`
	PresenceStats *PresenceStatsResult `json:"presence_stats,omitempty"`
	History       *HistoryResult       `json:"history,omitempty"`
	Ping          *Empty               `json:"ping,omitempty"`
	RPC           *RPCResult           `json:"rpc,omitempty"`
	Refresh       *RefreshResult       `json:"refresh,omitempty"`
	SubRefresh    *SubRefreshResult    `json:"sub_refresh,omitempty"`
}

// Error is the refusal of a command. Temporary invites a retry.
type Error struct {
	Code      uint32 `json:"code"`
	Message   string `json:"message,omitempty"`
	Temporary bool   `json:"temporary,omitempty"`
}

// Push is a message nobody asked for. Exactly one field besides Channel is set.
type Push struct {
	Channel     string       `json:"channel,omitempty"`
	Pub         *Publication `json:"pub,omitempty"`
	Join        *Membership  `json:"join,omitempty"`
	Leave       *Membership  `json:"leave,omitempty"`
	Unsubscribe *Unsubscribe `json:"unsubscribe,omitempty"`
	Message     *Message     `json:"message,omitempty"`
	Subscribe   *Subscribe   `json:"subscribe,omitempty"`
	Disconnect  *Disconnect  `json:"disconnect,omitempty"`
	Refresh     *Refresh     `json:"refresh,omitempty"`
}

// ClientInfo says who a connection is.
type ClientInfo struct {
	User     string `json:"user"`
	Client   string `json:"client"`
	ConnInfo Raw    `json:"conn_info,omitempty"`
	ChanInfo Raw    `json:"chan_info,omitempty"`
}

// Publication is one entry of a channel. Offset is zero for one that is not
// kept in the stream. Time is in Unix milliseconds.
type Publication struct {
	Data   Raw               `json:"data,omitempty"`
	Info   *ClientInfo       `json:"info,omitempty"`
	Offset uint64            `json:"offset,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Time   int64             `json:"time,omitempty"`
}

// Membership is the body of a join and of a leave.
type Membership struct {
	Info *ClientInfo `json:"info,omitempty"`
}

// Unsubscribe tells a client that the server ended a subscription. A code of
// 2500 and above asks it to subscribe again.
type Unsubscribe struct {
	Code   uint32 `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Message is data for one connection, outside of any channel.
type Message struct {
	Data Raw `json:"data,omitempty"`
}

// Subscribe tells a client that the server subscribed it to a channel.
type Subscribe struct {
	Recoverable bool   `json:"recoverable,omitempty"`
	Epoch       string `json:"epoch,omitempty"`
	Offset      uint64 `json:"offset,omitempty"`
	Positioned  bool   `json:"positioned,omitempty"`
	Data        Raw    `json:"data,omitempty"`
}

// Disconnect is the last push of a transport that has no close frame.
type Disconnect struct {
	Code      uint32 `json:"code,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Reconnect bool   `json:"reconnect,omitempty"`
}

// Refresh tells a client about the new life time of its connection. TTL is in
// seconds.
type Refresh struct {
	Expires bool   `json:"expires,omitempty"`
	TTL     uint32 `json:"ttl,omitempty"`
}

// ConnectResult answers ConnectRequest. Ping is the interval of server pings in
// seconds; with Pong the client must answer each. Session and Node are set for
// transports whose commands travel apart from their replies.
type ConnectResult struct {
	Client  string                      `json:"client"`
	Version string                      `json:"version,omitempty"`
	Expires bool                        `json:"expires,omitempty"`
	TTL     uint32                      `json:"ttl,omitempty"`
	Data    Raw                         `json:"data,omitempty"`
	Subs    map[string]*SubscribeResult `json:"subs,omitempty"`
	Ping    uint32                      `json:"ping,omitempty"`
	Pong    bool                        `json:"pong,omitempty"`
	Session string                      `json:"session,omitempty"`
	Node    string                      `json:"node,omitempty"`
}

// SubscribeResult answers SubscribeRequest and describes one server-side
// subscription of a ConnectResult. Offset and Epoch are the top of the stream.
type SubscribeResult struct {
	Expires       bool           `json:"expires,omitempty"`
	TTL           uint32         `json:"ttl,omitempty"`
	Recoverable   bool           `json:"recoverable,omitempty"`
	Epoch         string         `json:"epoch,omitempty"`
	Publications  []*Publication `json:"publications,omitempty"`
	Recovered     bool           `json:"recovered,omitempty"`
	Offset        uint64         `json:"offset,omitempty"`
	Positioned    bool           `json:"positioned,omitempty"`
	Data          Raw            `json:"data,omitempty"`
	WasRecovering bool           `json:"was_recovering,omitempty"`
}

// PresenceResult maps a connection's id to who it is.
type PresenceResult struct {
	Presence map[string]*ClientInfo `json:"presence"`
}

// PresenceStatsResult counts a channel's connections and distinct users.
type PresenceStatsResult struct {
	NumClients uint32 `json:"num_clients"`
	NumUsers   uint32 `json:"num_users"`
}

// HistoryResult answers HistoryRequest. Offset and Epoch are the top of the
// stream.
type HistoryResult struct {
	Publications []*Publication `json:"publications"`
	Epoch        string         `json:"epoch"`
	Offset       uint64         `json:"offset"`
}

// RPCResult is what the called method returned.
type RPCResult struct {
	Data Raw `json:"data,omitempty"`
}

// RefreshResult answers RefreshRequest. TTL is in seconds.
type RefreshResult struct {
	Client  string `json:"client,omitempty"`
	Version string `json:"version,omitempty"`
	Expires bool   `json:"expires,omitempty"`
	TTL     uint32 `json:"ttl,omitempty"`
}

// SubRefreshResult answers SubRefreshRequest. TTL is in seconds.
type SubRefreshResult struct {
	Expires bool   `json:"expires,omitempty"`
	TTL     uint32 `json:"ttl,omitempty"`
}
