package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tolmach/tolmach/internal/chat"
)

// maxOpen is how many conversations a page may have open.
const maxOpen = 100

// Why a connection is ended by the server.
var (
	errSignedOut = errors.New("the session has ended; sign in again")
	errChanged   = errors.New("your rights have changed; connect again")
	errRestart   = errors.New("the server is stopping; connect again")
	errGone      = errors.New("nothing was heard for a minute; connect again")
	errFailed    = errors.New("the server can't go on now; connect again")
)

// watcher is one open connection: what it wants to see, and where it is. One
// goroutine writes to it; a WebSocket has another one that reads.
type watcher struct {
	api   *API
	actor chat.Actor
	token string // of an operator's session; "" for an API key
	all   bool   // every conversation, else his own, the queue and the open ones
	from  place

	wake    chan struct{} // there is a beat or a note to send
	beatDue atomic.Bool
	heard   atomic.Int64 // tick of the last sign of life; watchers' own otherwise
	beaten  int64        // tick of the last beat; of watchers.Run

	out sink // of run

	mu    sync.Mutex
	open  map[chat.ID]bool
	notes [][]byte // frames of no position that wait to be sent
	cause error    // why it was stopped
	cut   func()   // ends run; nil before it
}

// sink is the wire under a watcher.
type sink interface {
	// send writes frames at once.
	send(frames []frame) error
	// beat shows that the connection lives, and where the reader is.
	beat(position chat.ID) error
	// hurry makes a write that hangs end soon.
	hurry()
}

// frame is one message. ID is the position after it, 0 when it has none.
type frame struct {
	id   chat.ID
	body []byte
}

// The messages, by their type.
type (
	helloMessage struct {
		Type     string  `json:"type"`
		Position chat.ID `json:"position"`
		Epoch    string  `json:"epoch"`
	}
	positionMessage struct { // reload, position
		Type     string  `json:"type"`
		Position chat.ID `json:"position"`
	}
	eventMessage struct {
		Type         string  `json:"type"`
		ID           chat.ID `json:"id"`
		Conversation chat.ID `json:"conversation"`
		Event        event   `json:"event"`
	}
	typingMessage struct {
		Type         string      `json:"type"`
		Conversation chat.ID     `json:"conversation"`
		Who          chat.Author `json:"who"`
	}
	presenceMessage struct {
		Type     string    `json:"type"`
		Operator colleague `json:"operator"`
	}
	errorMessage struct {
		Type  string      `json:"type"`
		Error failureBody `json:"error"`
	}
)

// encode writes a message on one line.
func encode(message any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(message); err != nil {
		return []byte(`{"type":"reload"}`) // plain data always encodes; if it did not, the page would have to load it
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// run writes to the wire until that, ctx or the watcher ends, and returns why.
func (v *watcher) run(ctx context.Context, out sink) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.out = out
	v.mu.Lock()
	v.cut = func() { cancel(); out.hurry() }
	stopped := v.cause != nil
	v.mu.Unlock()
	if stopped {
		return v.whyStopped()
	}
	return v.follow(ctx)
}

func (v *watcher) follow(ctx context.Context) error {
	at, lost, err := v.begin(ctx)
	if err != nil {
		return err
	}
	if err := v.out.send([]frame{{at, encode(helloMessage{"hello", at, v.api.Service.Epoch()})}}); err != nil {
		return err
	}
	for {
		if lost {
			if err := v.out.send([]frame{{at, encode(positionMessage{"reload", at})}}); err != nil {
				return err
			}
		}
		err := v.read(ctx, at)
		if chat.ErrorCode(err) != chat.CodeLostPosition {
			return err
		}
		if at, err = v.api.Service.FeedPosition(ctx, v.actor); err != nil {
			return err
		}
		lost = true
	}
}

// begin finds where to go on from; lost says that it is not where the reader
// wanted to.
func (v *watcher) begin(ctx context.Context) (at chat.ID, lost bool, err error) {
	foreign := v.from.epoch != "" && v.from.epoch != v.api.Service.Epoch()
	if v.from.known && !foreign {
		return v.from.after, false, nil
	}
	at, err = v.api.Service.FeedPosition(ctx, v.actor)
	return at, v.from.known, err
}

// read passes the feed on from a position.
func (v *watcher) read(ctx context.Context, at chat.ID) error {
	for batch, err := range v.api.Service.FollowFeed(ctx, v.actor, at, v.wake) {
		if err != nil {
			return err
		}
		if frames := v.frames(batch); len(frames) > 0 {
			if err := v.out.send(frames); err != nil {
				return err
			}
		}
		if v.beatDue.Swap(false) {
			if err := v.out.beat(batch.Position); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// frames are what of a batch this watcher wants, and the notes that wait.
func (v *watcher) frames(batch chat.FeedBatch) (frames []frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, note := range v.notes {
		frames = append(frames, frame{body: note})
	}
	v.notes = nil
	for i := range batch.Hints {
		h := &batch.Hints[i]
		if v.all || v.open[h.ConversationID] || h.Concerns(v.actor) {
			frames = append(frames, frame{body: encode(typingMessage{"typing", h.ConversationID, h.Typing})})
		}
	}
	for _, item := range batch.Items {
		if v.all || v.open[item.ConversationID] || item.Concerns(v.actor) {
			frames = append(frames, frame{item.ID, v.api.encoded.of(item, shaper{v.api.Service.Catalog(), v.actor.TenantID})})
		}
	}
	return frames
}

// setOpen says which conversations the page has open.
func (v *watcher) setOpen(ids []chat.ID) error {
	if len(ids) > maxOpen {
		return &chat.Error{Code: chat.CodeTooLarge, Field: "open", Message: "at most 100 conversations can be open at once"}
	}
	open := make(map[chat.ID]bool, len(ids))
	for _, id := range ids {
		open[id] = true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = open
	return nil
}

// maxNotes is how many notes wait for a slow reader; the rest is dropped.
const maxNotes = 1000

// note sends a message that has no position.
func (v *watcher) note(message []byte) {
	v.mu.Lock()
	if len(v.notes) < maxNotes {
		v.notes = append(v.notes, message)
	}
	v.mu.Unlock()
	v.signal()
}

func (v *watcher) signal() {
	select {
	case v.wake <- struct{}{}:
	default: // it was woken already
	}
}

// stop ends the connection for a reason; the first one counts.
func (v *watcher) stop(cause error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cause != nil {
		return
	}
	v.cause = cause
	if v.cut != nil {
		v.cut()
	}
}

func (v *watcher) whyStopped() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cause
}
