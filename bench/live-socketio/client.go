package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// crowd is many clients. Each reads on a goroutine of its own until it is closed.
type crowd struct {
	address  string
	source   byte // the last byte of the loopback address they call from: each has its own ports
	messages atomic.Int64
	joined   atomic.Int64
	news     chan struct{} // a nudge whenever one of the counters moved
	lost     chan int      // numbers of clients whose connection ended
	dialling chan struct{} // how many connect at once

	mu    sync.Mutex
	conns map[int]net.Conn
	done  sync.WaitGroup
}

func newCrowd(address string, source byte, size int) *crowd {
	return &crowd{
		address: address, source: source, news: make(chan struct{}, 1), lost: make(chan int, size),
		dialling: make(chan struct{}, 64), conns: make(map[int]net.Conn),
	}
}

// dial opens a connection that close will find.
func (c *crowd) dial(ctx context.Context, number int) (net.Conn, *bufio.Reader, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, c.source)}}
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[number] = conn
	return conn, bufio.NewReaderSize(conn, 16<<10), nil
}

func (c *crowd) nudge() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// wait returns when counter has reached want.
func (c *crowd) wait(ctx context.Context, counter *atomic.Int64, want int64) error {
	for counter.Load() < want {
		select {
		case <-c.news:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d: %w", counter.Load(), want, ctx.Err())
		}
	}
	return nil
}

// open connects the clients from ≤ number < to and waits until all have joined.
func (c *crowd) open(ctx context.Context, from, to int, connect func(context.Context, int) error) error {
	failed := make(chan error, to-from)
	for number := from; number < to; number++ {
		c.dialling <- struct{}{}
		c.done.Go(func() {
			defer func() { <-c.dialling }()
			if err := connect(ctx, number); err != nil {
				failed <- err
				c.nudge()
			}
		})
	}
	for c.joined.Load() < int64(to) {
		select {
		case err := <-failed:
			return err
		case <-c.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *crowd) close() {
	c.mu.Lock()
	for _, conn := range c.conns {
		_ = conn.Close() // that is what ends the readers
	}
	c.mu.Unlock()
	c.done.Wait()
}

// webSocket connects one client by WebSocket to the room of its number, two to a room.
func (c *crowd) webSocket(ctx context.Context, number int) error {
	conn, in, err := c.dial(ctx, number)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket&room=r%d&all=%d HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", number/2, number%2, c.address)
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(in, nil) //nolint:bodyclose // 101 has no body
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(response.Status)
	}
	if _, err := conn.Write(textFrame("40")); err != nil {
		return err
	}
	c.done.Go(func() {
		c.read(conn, in)
		c.lost <- number
		c.nudge()
	})
	return nil
}

// read counts what comes and answers heartbeats until the connection ends. Counts are told once for each batch.
func (c *crowd) read(conn net.Conn, in *bufio.Reader) {
	defer func() { _ = conn.Close() }()
	messages := int64(0)
	for {
		payload, err := readFrame(in)
		switch {
		case err != nil:
			return
		case payload == "2":
			if _, err := conn.Write(textFrame("3")); err != nil {
				return
			}
		case payload == "42":
			messages++
		case payload == "40":
			c.joined.Add(1)
		}
		if in.Buffered() == 0 {
			c.messages.Add(messages)
			messages = 0
			c.nudge()
		}
	}
}

// readFrame reads one short frame of a server; a close frame is io.EOF. Only the first bytes are looked at.
func readFrame(in *bufio.Reader) (string, error) {
	header, err := in.Peek(2)
	if err != nil {
		return "", err
	}
	size, skip := int(header[1]), 2
	if header[0]&0x0f == 8 {
		return "", io.EOF
	}
	if size == 126 {
		if header, err = in.Peek(4); err != nil {
			return "", err
		}
		size, skip = int(header[2])<<8|int(header[3]), 4
	}
	frame, err := in.Peek(skip + min(size, 2))
	if err != nil {
		return "", err
	}
	start := string(frame[skip:])
	_, err = in.Discard(skip + size)
	return start, err
}

// textFrame is a masked frame, with a mask of zeros.
func textFrame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}
