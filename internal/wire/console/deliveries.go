package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// delivery is one event at one endpoint. Attempts counts the tries.
type delivery struct {
	ID             chat.ID            `json:"id"`
	Endpoint       endpointName       `json:"endpoint"`
	ConversationID chat.ID            `json:"conversation_id"`
	Seq            int64              `json:"seq"`
	EventAt        moment             `json:"event_at"`
	WebhookID      string             `json:"webhook_id"`
	State          chat.DeliveryState `json:"state"`
	Attempts       int                `json:"attempts"`
	LastStatus     int                `json:"last_status"` // 0 when there was no answer
	LastError      string             `json:"last_error"`
	CreatedAt      moment             `json:"created_at"`
	UpdatedAt      moment             `json:"updated_at"`
}

type endpointName struct {
	ID   chat.ID           `json:"id"`
	Kind chat.EndpointKind `json:"kind"`
	Name string            `json:"name"`
}

// attempt is one try.
type attempt struct {
	Number int     `json:"number"`
	At     moment  `json:"at"`
	Status int     `json:"status"`
	Error  string  `json:"error"`
	TookMS float64 `json:"took_ms"`
}

// deliveryDetail is one delivery with its tries and, until it is delivered,
// the body that is sent.
type deliveryDetail struct {
	Delivery delivery  `json:"delivery"`
	Attempts []attempt `json:"attempts"`
	Body     string    `json:"body"`
}

func (s shaper) delivery(d *chat.Delivery) delivery {
	name := endpointName{ID: d.EndpointID}
	if e, ok := s.catalog.Endpoint(s.tenant, d.EndpointID); ok {
		name.Kind, name.Name = e.Kind, e.Name
	}
	return delivery{
		ID: d.ID, Endpoint: name, ConversationID: d.ConversationID, Seq: d.Seq, EventAt: moment(d.EventAt),
		WebhookID: d.WebhookID, State: d.State, Attempts: d.Attempts, LastStatus: d.LastStatus, LastError: d.LastError,
		CreatedAt: moment(d.CreatedAt), UpdatedAt: moment(d.UpdatedAt),
	}
}

// deliveries lists the delivery log by rising id.
func (a *API) deliveries(c *call) (any, error) {
	q := c.query
	f := chat.DeliveryFilter{
		After: q.id("after"), Limit: q.limit(), EndpointID: q.id("endpoint"), ConversationID: q.id("conversation"),
		State: chat.DeliveryState(q.oneOf("state", deliveryStates()...)),
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	list, err := a.Service.Deliveries(c.Context(), c.actor, f)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	items := make([]delivery, 0, len(list))
	for i := range list {
		items = append(items, s.delivery(&list[i]))
	}
	return newPage(items, f.Limit, func(d delivery) int64 { return int64(d.ID) }), nil
}

func deliveryStates() []string {
	return []string{
		string(chat.DeliveryRetrying), string(chat.DeliveryDelivered), string(chat.DeliveryParked),
		string(chat.DeliveryQueued), string(chat.DeliveryVoid),
	}
}

func (a *API) delivery(c *call) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	d, tries, err := a.Service.Delivery(c.Context(), c.actor, id)
	if err != nil {
		return nil, err
	}
	detail := deliveryDetail{Delivery: a.shaper(c).delivery(d), Attempts: make([]attempt, 0, len(tries)), Body: string(d.Body)}
	for _, t := range tries {
		detail.Attempts = append(detail.Attempts, attempt{
			Number: t.Number, At: moment(t.At), Status: t.Status, Error: t.Error, TookMS: float64(t.TookMicros) / 1000,
		})
	}
	return detail, nil
}

type replayed struct {
	Queued int `json:"queued"`
}

// replay queues settled deliveries to be sent again: one by its id, or all
// that match. It demands a choice, so that an empty object doesn't send
// everything that was ever parked.
func (a *API) replay(c *call) (any, error) {
	b := c.body
	one := chat.ID(b.Integer("delivery"))
	f := chat.DeliveryFilter{
		EndpointID: chat.ID(b.Integer("endpoint")), ConversationID: chat.ID(b.Integer("conversation")),
		FromSeq: b.Integer("from_seq"), ToSeq: b.Integer("to_seq"), From: b.Moment("from"), To: b.Moment("to"),
	}
	none := f == chat.DeliveryFilter{}
	f.State = chat.DeliveryState(b.Text("state"))
	if err := c.complete(); err != nil {
		return nil, err
	}
	switch {
	case one != 0 && (!none || f.State != ""):
		return nil, chat.Invalid("delivery", "names one delivery; send it without other choices")
	case one != 0:
		if err := a.Service.ReplayDelivery(c.Context(), c.actor, one); err != nil {
			return nil, err
		}
		return replayed{Queued: 1}, nil
	case none:
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "delivery",
			Message: "say what to replay: delivery, endpoint, conversation, from_seq and to_seq, or from and to"}
	case f.ConversationID == 0 && (f.FromSeq != 0 || f.ToSeq != 0):
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "conversation", Message: "from_seq and to_seq count in one conversation; name it"}
	}
	n, err := a.Service.Replay(c.Context(), c.actor, f)
	if err != nil {
		return nil, err
	}
	return replayed{Queued: n}, nil
}
