package protocol

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

func (r *Reply) appendTo(b []byte) []byte {
	b = appendNumber(b, 1, uint64(r.ID))
	b = appendMessage(b, 2, r.Error, appendError)
	b = appendMessage(b, 4, r.Push, appendPush)
	b = appendMessage(b, 5, r.Connect, appendConnectResult)
	b = appendMessage(b, 6, r.Subscribe, appendSubscribeResult)
	b = appendMessage(b, 7, r.Unsubscribe, appendEmpty)
	b = appendMessage(b, 8, r.Publish, appendEmpty)
	b = appendMessage(b, 9, r.Presence, appendPresenceResult)
	b = appendMessage(b, 10, r.PresenceStats, appendPresenceStatsResult)
	b = appendMessage(b, 11, r.History, appendHistoryResult)
	b = appendMessage(b, 12, r.Ping, appendEmpty)
	b = appendMessage(b, 13, r.RPC, appendRPCResult)
	b = appendMessage(b, 14, r.Refresh, appendRefreshResult)
	return appendMessage(b, 15, r.SubRefresh, appendSubRefreshResult)
}

func appendEmpty(b []byte, _ *Empty) []byte { return b }

func appendError(b []byte, e *Error) []byte {
	b = appendNumber(b, 1, uint64(e.Code))
	b = appendText(b, 2, e.Message)
	return appendFlag(b, 3, e.Temporary)
}

func appendPush(b []byte, p *Push) []byte {
	b = appendText(b, 2, p.Channel)
	b = appendMessage(b, 4, p.Pub, appendPublication)
	b = appendMessage(b, 5, p.Join, appendMembership)
	b = appendMessage(b, 6, p.Leave, appendMembership)
	b = appendMessage(b, 7, p.Unsubscribe, appendUnsubscribe)
	b = appendMessage(b, 8, p.Message, appendDataMessage)
	b = appendMessage(b, 9, p.Subscribe, appendSubscribe)
	b = appendMessage(b, 11, p.Disconnect, appendDisconnect)
	return appendMessage(b, 12, p.Refresh, appendRefresh)
}

func appendClientInfo(b []byte, i *ClientInfo) []byte {
	b = appendText(b, 1, i.User)
	b = appendText(b, 2, i.Client)
	b = appendRaw(b, 3, i.ConnInfo)
	return appendRaw(b, 4, i.ChanInfo)
}

func appendPublication(b []byte, p *Publication) []byte {
	b = appendRaw(b, 4, p.Data)
	b = appendMessage(b, 5, p.Info, appendClientInfo)
	b = appendNumber(b, 6, p.Offset)
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		b = protowire.AppendTag(b, 7, protowire.BytesType)
		b = appendSized(b, func(b []byte) []byte {
			return appendText(appendText(b, 1, key), 2, p.Tags[key])
		})
	}
	return appendNumber(b, 9, uint64(p.Time))
}

func appendMembership(b []byte, m *Membership) []byte {
	return appendMessage(b, 1, m.Info, appendClientInfo)
}

func appendUnsubscribe(b []byte, u *Unsubscribe) []byte {
	return appendText(appendNumber(b, 2, uint64(u.Code)), 3, u.Reason)
}

func appendDataMessage(b []byte, m *Message) []byte { return appendRaw(b, 1, m.Data) }

func appendSubscribe(b []byte, s *Subscribe) []byte {
	b = appendFlag(b, 1, s.Recoverable)
	b = appendText(b, 4, s.Epoch)
	b = appendNumber(b, 5, s.Offset)
	b = appendFlag(b, 6, s.Positioned)
	return appendRaw(b, 7, s.Data)
}

func appendDisconnect(b []byte, d *Disconnect) []byte {
	b = appendNumber(b, 1, uint64(d.Code))
	b = appendText(b, 2, d.Reason)
	return appendFlag(b, 3, d.Reconnect)
}

func appendRefresh(b []byte, r *Refresh) []byte {
	return appendNumber(appendFlag(b, 1, r.Expires), 2, uint64(r.TTL))
}

func appendConnectResult(b []byte, r *ConnectResult) []byte {
	b = appendText(b, 1, r.Client)
	b = appendText(b, 2, r.Version)
	b = appendFlag(b, 3, r.Expires)
	b = appendNumber(b, 4, uint64(r.TTL))
	b = appendRaw(b, 5, r.Data)
	b = appendMap(b, 6, r.Subs, appendSubscribeResult)
	b = appendNumber(b, 7, uint64(r.Ping))
	b = appendFlag(b, 8, r.Pong)
	b = appendText(b, 9, r.Session)
	return appendText(b, 10, r.Node)
}

func appendSubscribeResult(b []byte, r *SubscribeResult) []byte {
	b = appendFlag(b, 1, r.Expires)
	b = appendNumber(b, 2, uint64(r.TTL))
	b = appendFlag(b, 3, r.Recoverable)
	b = appendText(b, 6, r.Epoch)
	for _, pub := range r.Publications {
		b = appendMessage(b, 7, pub, appendPublication)
	}
	b = appendFlag(b, 8, r.Recovered)
	b = appendNumber(b, 9, r.Offset)
	b = appendFlag(b, 10, r.Positioned)
	b = appendRaw(b, 11, r.Data)
	return appendFlag(b, 12, r.WasRecovering)
}

func appendPresenceResult(b []byte, r *PresenceResult) []byte {
	return appendMap(b, 1, r.Presence, appendClientInfo)
}

func appendPresenceStatsResult(b []byte, r *PresenceStatsResult) []byte {
	return appendNumber(appendNumber(b, 1, uint64(r.NumClients)), 2, uint64(r.NumUsers))
}

func appendHistoryResult(b []byte, r *HistoryResult) []byte {
	for _, pub := range r.Publications {
		b = appendMessage(b, 1, pub, appendPublication)
	}
	b = appendText(b, 2, r.Epoch)
	return appendNumber(b, 3, r.Offset)
}

func appendRPCResult(b []byte, r *RPCResult) []byte { return appendRaw(b, 1, r.Data) }

func appendRefreshResult(b []byte, r *RefreshResult) []byte {
	b = appendText(b, 1, r.Client)
	b = appendText(b, 2, r.Version)
	b = appendFlag(b, 3, r.Expires)
	return appendNumber(b, 4, uint64(r.TTL))
}

func appendSubRefreshResult(b []byte, r *SubRefreshResult) []byte {
	return appendNumber(appendFlag(b, 1, r.Expires), 2, uint64(r.TTL))
}
