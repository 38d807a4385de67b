package sqlite

import (
	"regexp"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// cache is what the writer knows of the rows that every message needs. It can
// know it, for nobody else writes. At any moment it holds nothing but what the
// writer's connection would read: what a use case put is undone with its
// savepoint, and everything is cleared with a connection that failed, and when
// somebody else did write (another process, on a stopped server's file).
//
// A row is kept packed, so that nobody holds what the cache holds.
type cache struct {
	clients       *rowCache[chat.Client]
	conversations *rowCache[chat.Conversation]
	sessions      *rowCache[chat.Session]
	externals     *recent[externalKey, chat.ID] // clients
	keys          *recent[talkKey, chat.ID]     // conversations
	lanes         *recent[laneKey, struct{}]    // those that are there
	idle          *recent[timerKey, struct{}]   // kinds of which no timer is set

	all     []span
	effects map[string][]span // what a statement makes doubtful, by its text
}

// span is what follows the transactions.
type span interface {
	mark()
	undo()
	clear()
}

type (
	externalKey struct {
		tenant, scope chat.ID
		external      string
	}
	talkKey struct {
		client, task chat.ID
		key          string
	}
	laneKey  struct{ endpoint, conversation chat.ID }
	timerKey struct {
		tenant, conversation chat.ID
		kind                 chat.TimerKind
	}
)

// The room of one generation of everything, in bytes; there are two. It is
// enough for the talks of a hundred thousand clients.
const (
	rowRoom  = 12 << 20
	factRoom = 5 << 20
	rowLimit = 2 << 10 // of one row: a greater one is read anew each time
)

// newCache makes a cache of so much room a generation, for rows and for facts.
func newCache(rows, facts int) *cache {
	c := &cache{
		clients:       newRowCache[chat.Client](rows, 3),       // up to CreatedAt
		conversations: newRowCache[chat.Conversation](rows, 9), // up to CreatedAt
		sessions:      newRowCache[chat.Session](rows, 5),      // up to OpenedAt
		externals:     newRecent[externalKey](facts, nothing[chat.ID]),
		keys:          newRecent[talkKey](facts, nothing[chat.ID]),
		lanes:         newRecent[laneKey](facts, nothing[struct{}]),
		idle:          newRecent[timerKey](facts, nothing[struct{}]),
		effects:       map[string][]span{},
	}
	c.all = []span{c.clients, c.conversations, c.sessions, c.externals, c.keys, c.lanes, c.idle}
	return c
}

func (c *cache) mark() {
	for _, s := range c.all {
		s.mark()
	}
}

func (c *cache) undo() {
	for _, s := range c.all {
		s.undo()
	}
}

func (c *cache) clear() {
	for _, s := range c.all {
		s.clear()
	}
}

var changes = regexp.MustCompile(`\b(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)`)

// heed clears what a statement may make untrue that no method of tx stands
// for.
func (c *cache) heed(query string) {
	doubtful, known := c.effects[query]
	if !known {
		for _, change := range changes.FindAllStringSubmatch(query, -1) {
			doubtful = append(doubtful, c.restingOn(change[1], change[2])...)
		}
		c.effects[query] = doubtful
	}
	for _, s := range doubtful {
		s.clear()
	}
}

// restingOn is what a change of a table may make untrue.
func (c *cache) restingOn(change, table string) []span {
	switch table {
	case "clients":
		return []span{c.clients}
	case "external_ids":
		return []span{c.externals}
	case "conversations":
		return []span{c.conversations, c.keys}
	case "sessions":
		return []span{c.sessions}
	case "lanes":
		if change == "DELETE FROM" {
			return []span{c.lanes}
		}
	case "timers":
		if change == "INSERT INTO" {
			return []span{c.idle}
		}
	}
	return nil
}

// rowCache remembers rows of one table by their id.
type rowCache[T any] struct {
	*recent[chat.ID, string]
	packer *packer[T]
}

// newRowCache makes the cache of a table whose first columns are fixed when a
// row is made.
func newRowCache[T any](room, fixed int) *rowCache[T] {
	return &rowCache[T]{
		recent: newRecent[chat.ID](room, func(packed string) int { return len(packed) }),
		packer: newPacker[T](fixed),
	}
}

// row returns a copy of the row, or nil when it is not known.
func (r *rowCache[T]) row(id chat.ID) *T {
	packed, ok := r.get(id)
	if !ok {
		return nil
	}
	row, err := r.packer.unpack(packed)
	if err != nil { // it is read anew, and replaced
		r.forget(id)
		return nil
	}
	return row
}

// keep remembers the row, which was read or made.
func (r *rowCache[T]) keep(id chat.ID, row *T) {
	packed, _, err := r.packer.pack(row)
	r.replace(id, packed, err == nil)
}

// saved remembers the row, which was saved. Saving does not write what is
// fixed: what else the caller may have there is not what is stored.
func (r *rowCache[T]) saved(id chat.ID, row *T) {
	packed, fixed, err := r.packer.pack(row)
	before, known := r.get(id)
	r.replace(id, packed, err == nil && known && strings.HasPrefix(before, packed[:fixed]))
}

func (r *rowCache[T]) replace(id chat.ID, packed string, sure bool) {
	if sure && len(packed) <= rowLimit {
		r.put(id, packed)
	} else {
		r.forget(id)
	}
}
