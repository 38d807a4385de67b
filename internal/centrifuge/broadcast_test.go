package centrifuge

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

func TestBroadcastIsEncodedOncePerWireForm(t *testing.T) {
	b := &broadcast{reply: protocol.Reply{Push: &protocol.Push{Channel: "c", Pub: &Publication{Data: []byte("1")}}}}
	for _, form := range []wireForm{formJSON, formProtobuf} {
		first, err := b.in(form)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.in(form)
		if err != nil || &again[0] != &first[0] {
			t.Errorf("%s: encoded twice", form.codec().Name())
		}
	}
}

func TestPublicationsOfOneCallShareAFrame(t *testing.T) {
	w := newWorld(t, nil)
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
	mustNext(t, c)
	w.server.Publish("c", Publication{Data: []byte("1")}, Publication{Data: []byte("2")}, Publication{Data: []byte("3")})
	var got []string
	for frames := 1; len(got) < 3; frames++ {
		f, err := readFrame(c.conn)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Split(string(f.Payload), "\n")...)
		if frames > 2 { // the first may have left before the second was queued
			t.Fatalf("three publications took %d frames and more", frames)
		}
	}
	for i, line := range got {
		if want := fmt.Sprintf(`{"push":{"channel":"c","pub":{"data":%d}}}`, i+1); line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
}

// A batch of large messages is cut into frames of a bearable size.
func TestBatchesAreBounded(t *testing.T) {
	var frames [][]int
	c := &Conn{srv: &Server{}, link: recorder{frames: &frames}}
	sizes := []int{10, maxBatch - 10, 1, 3 * maxBatch, 5, 5}
	var batch [][]byte
	for _, n := range sizes {
		batch = append(batch, bytes.Repeat([]byte("x"), n))
	}
	if err := c.writeBatches(batch); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(frames), fmt.Sprint([][]int{{10, maxBatch - 10}, {1}, {3 * maxBatch}, {5, 5}}); got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
}

// recorder notes the sizes of what is written.
type recorder struct {
	mute
	frames *[][]int
}

func (r recorder) write(batch [][]byte) error {
	var sizes []int
	for _, msg := range batch {
		sizes = append(sizes, len(msg))
	}
	*r.frames = append(*r.frames, sizes)
	return nil
}

// An idle connection is one goroutine and an empty queue.
func TestIdleConnectionIsOneGoroutine(t *testing.T) {
	const count = 50
	w := newWorld(t, nil)
	mustConnect(t, dialSocket(t, w, "")) // whatever the HTTP server starts is started
	eventually(t, "the first one rests", func() bool { return onlyConn(w.server).queued() == 0 })
	before := runtime.NumGoroutine()
	for range count {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
		mustNext(t, c)
	}
	w.say("c", "1", nil)
	eventually(t, "each connection is one goroutine", func() bool { return runtime.NumGoroutine()-before <= count })
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	for c := range w.server.conns {
		c.mu.Lock()
		if c.outbox.writing || c.outbox.queue != nil || c.outbox.size != 0 {
			t.Errorf("an idle connection has the outbox %+v", c.outbox)
		}
		c.mu.Unlock()
	}
}
