package socketio

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/engineio"
)

// Config says how a server behaves. The zero value is usable: every field has the default written beside it.
type Config struct {
	Engine engineio.Config

	// ConnectTimeout, 45 s, is how long a client may take to connect to a first namespace.
	ConnectTimeout time.Duration
	// MaxAttachments is 32 binary parts of one event.
	MaxAttachments int
	// MaxEvent is 4,000,000 bytes of one event with its attachments.
	MaxEvent int
	// MaxNamespaces is 16 namespaces of one client.
	MaxNamespaces int
	// MaxNamespaceLength is 512 bytes, a query included.
	MaxNamespaceLength int
	// MaxAcks is 1,000 answers awaited from one socket.
	MaxAcks int
	// MaxRooms is 1,000 rooms of one socket.
	MaxRooms int

	// Aliases maps a namespace a client may ask for to the one it gets. The client goes on seeing the name it asked for
	// (specs/live.md §2.8).
	Aliases map[string]string

	// Accept, if set, looks at the handshake. What it returns is Socket.Value; an error refuses with 403.
	// The request must not be kept.
	Accept func(r *http.Request) (any, error)

	Recovery Recovery
}

// Recovery lets a client that lost its transport get the same socket back, with what it missed. It is served to Socket.IO
// 5 clients that ask for it by the query recovery=1, since it adds an argument to events: the offset.
type Recovery struct {
	MaxAge     time.Duration // how long a lost socket is kept; 0 turns recovery off
	MaxBytes   int           // 1 MiB of events kept for each namespace
	MaxSockets int           // 10,000 lost sockets kept for each namespace
}

func (c Config) withDefaults() Config {
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 45*time.Second)
	c.MaxAttachments = cmp.Or(c.MaxAttachments, 32)
	c.MaxEvent = cmp.Or(c.MaxEvent, 4_000_000)
	c.MaxNamespaces = cmp.Or(c.MaxNamespaces, 16)
	c.MaxNamespaceLength = cmp.Or(c.MaxNamespaceLength, 512)
	c.MaxAcks = cmp.Or(c.MaxAcks, 1_000)
	c.MaxRooms = cmp.Or(c.MaxRooms, 1_000)
	c.Recovery.MaxBytes = cmp.Or(c.Recovery.MaxBytes, 1<<20)
	c.Recovery.MaxSockets = cmp.Or(c.Recovery.MaxSockets, 10_000)
	c.Aliases = maps.Clone(c.Aliases)
	if c.Engine.Now == nil {
		c.Engine.Now = time.Now
	}
	return c
}

func (c Config) check() error {
	limits := min(c.MaxAttachments, c.MaxEvent, c.MaxNamespaces, c.MaxNamespaceLength, c.MaxAcks, c.MaxRooms,
		c.Recovery.MaxBytes, c.Recovery.MaxSockets)
	if limits < 1 || c.ConnectTimeout < 0 || c.Recovery.MaxAge < 0 {
		return errors.New("socketio: a limit is negative: set it to 1 or more, or to 0 for its default")
	}
	for alias, name := range c.Aliases {
		if !strings.HasPrefix(alias, root) || !strings.HasPrefix(name, root) {
			return errors.New("socketio: an alias and what it stands for begin with a slash")
		}
	}
	return nil
}
