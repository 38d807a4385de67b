package wsock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frame is a client's frame; the zero mask keeps tables readable and is legal.
func frame(op ws.OpCode, fin bool, payload string) []byte {
	return rawFrame(ws.Header{Fin: fin, OpCode: op, Masked: true, Length: int64(len(payload))}, payload)
}

func rawFrame(h ws.Header, payload string) []byte {
	var b bytes.Buffer
	if err := ws.WriteHeader(&b, h); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	b.WriteString(payload)
	return b.Bytes()
}

func words(s string) []byte { return frame(ws.OpText, true, s) }
func blob(s string) []byte  { return frame(ws.OpBinary, true, s) }
func ping(s string) []byte  { return frame(ws.OpPing, true, s) }

func closing(code int, reason string) []byte {
	return frame(ws.OpClose, true, string([]byte{byte(code >> 8), byte(code)})+reason)
}

// describe writes a server's frame as the tables do: "text:…", "pong:…",
// "close 1000 reason".
func describe(f ws.Frame) string {
	switch f.Header.OpCode {
	case ws.OpText:
		return "text:" + string(f.Payload)
	case ws.OpBinary:
		return "binary:" + string(f.Payload)
	case ws.OpPing:
		return "ping:" + string(f.Payload)
	case ws.OpPong:
		return "pong:" + string(f.Payload)
	case ws.OpClose:
		if len(f.Payload) == 0 {
			return "close"
		}
		code, reason := ws.ParseCloseFrameData(f.Payload)
		return fmt.Sprintf("close %d %s", code, reason)
	default:
		return fmt.Sprintf("opcode %d", f.Header.OpCode)
	}
}

// readFrame reads a server's frame.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

// echo sends every message back until the connection ends.
func echo(c *Conn) error {
	for {
		op, msg, err := c.Read()
		if err == nil {
			err = c.WriteParts(op, [][]byte{msg}, "")
		}
		if err != nil {
			return errors.Join(err, c.Close())
		}
	}
}

// play sends bytes to an echo server, chunk bytes at a time (0: all at once),
// hangs up its sending half by a close frame of its own if the script has none,
// and returns everything the server said until it hung up.
func play(t *testing.T, up *Upgrader, chunk int, script ...[]byte) []string {
	t.Helper()
	client, server := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- echo(&Conn{Conn: server, up: up}) }()
	written := make(chan struct{})
	go func() {
		defer close(written)
		input := slices.Concat(append(script, closing(1000, ""))...)
		size := chunk
		if size == 0 {
			size = len(input)
		}
		for piece := range slices.Chunk(input, size) {
			if _, err := client.Write(piece); err != nil {
				return // the server hung up early, as some tables want it to
			}
		}
	}()
	var said []string
	for {
		f, err := readFrame(client)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("read: %v", err)
			}
			break
		}
		if f.Header.Masked || f.Header.Rsv != 0 || !f.Header.Fin {
			t.Errorf("the server sent a frame with header %+v", f.Header)
		}
		said = append(said, describe(f))
	}
	<-written
	var closed *CloseError
	if err := <-served; !errors.As(err, &closed) {
		t.Errorf("the server ended with %v, want a *CloseError", err)
	}
	return said
}
