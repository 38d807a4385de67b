package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sync/errgroup"
)

// load is many clients. Each connects again as soon as it is sent away, until
// the load is stopped.
type load struct {
	address  string
	ctx      context.Context
	cancel   context.CancelFunc
	clients  sync.WaitGroup
	received atomic.Int64 // publications
	online   atomic.Int64 // connected clients
	returned atomic.Int64 // successful connects after the first
}

func newLoad(ctx context.Context, address string) *load {
	l := &load{address: address}
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

// dialers bounds how many clients connect at once for the first time.
const dialers = 64

// add connects clients first to last-1; client i listens to channel c(i%channels).
func (l *load) add(first, last, channels int) error {
	g, ctx := errgroup.WithContext(l.ctx)
	g.SetLimit(dialers)
	for i := first; i < last; i++ {
		g.Go(func() error {
			c := &client{load: l, number: i, channel: "c" + strconv.Itoa(i%channels)}
			if err := c.connect(ctx); err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			l.clients.Add(1)
			go c.live()
			return nil
		})
	}
	return g.Wait()
}

func (l *load) stop() {
	l.cancel()
	l.clients.Wait()
}

// reach waits until a counter is at least n.
func (l *load) reach(counter *atomic.Int64, n int64) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for counter.Load() < n {
		select {
		case <-l.ctx.Done():
			return fmt.Errorf("%d of %d: %w", counter.Load(), n, l.ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

type client struct {
	load    *load
	number  int
	channel string
	conn    net.Conn
	in      *bufio.Reader
	buf     []byte
}

// readBuffer is what a client reads at once.
const readBuffer = 4 << 10

// connect dials, from one of several loopback addresses so that ports do not
// run out, and waits for the connect reply.
func (c *client) connect(ctx context.Context) error {
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+c.number%16))}
	dialer := ws.Dialer{
		Protocols: []string{"centrifuge-json"},
		NetDial:   (&net.Dialer{LocalAddr: local}).DialContext,
	}
	conn, early, _, err := dialer.Dial(ctx, "ws://"+c.load.address+"/websocket")
	if err != nil {
		return err
	}
	if early != nil {
		return errors.Join(errors.New("the server spoke first"), conn.Close())
	}
	c.conn = conn
	if c.in == nil {
		c.in = bufio.NewReaderSize(conn, readBuffer)
	} else {
		c.in.Reset(conn)
	}
	hello := fmt.Sprintf(`{"id":1,"connect":{"token":%q,"subs":{%q:{"recover":true,"epoch":"bench"}}}}`, c.channel, c.channel)
	err = c.send(hello)
	if err == nil {
		err = c.next()
	}
	if err == nil && !bytes.Contains(c.buf, []byte(`"recovered":true`)) {
		err = fmt.Errorf("the reply is %.100s", c.buf)
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.load.online.Add(1)
	return nil
}

func (c *client) send(frame string) error {
	return ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewTextFrame([]byte(frame))))
}

// next reads a frame into c.buf.
func (c *client) next() error {
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		return err
	}
	if n := int(h.Length); cap(c.buf) < n {
		c.buf = make([]byte, n)
	} else {
		c.buf = c.buf[:n]
	}
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return err
	}
	if h.OpCode == ws.OpClose {
		return io.EOF
	}
	return nil
}

// live takes what comes and comes back when it is sent away.
func (c *client) live() {
	defer c.load.clients.Done()
	for {
		unhook := context.AfterFunc(c.load.ctx, func() { _ = c.conn.Close() })
		c.listen()
		unhook()
		_ = c.conn.Close() // its end is already known
		c.load.online.Add(-1)
		for {
			if c.load.ctx.Err() != nil {
				return
			}
			if c.connect(c.load.ctx) == nil {
				c.load.returned.Add(1)
				break
			}
			if wait(c.load.ctx, time.Duration(50+rand.IntN(200))*time.Millisecond) != nil {
				return
			}
		}
	}
}

// listen counts publications and answers pings until the connection ends.
func (c *client) listen() {
	for c.next() == nil {
		if n := bytes.Count(c.buf, []byte(`"pub":`)); n > 0 {
			c.load.received.Add(int64(n))
		}
		if string(c.buf) == "{}" && c.send("{}") != nil {
			return
		}
	}
}
