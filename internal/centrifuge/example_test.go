package centrifuge_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tolmach/tolmach/internal/centrifuge"
)

// room lets everybody in and read along.
type room struct{}

func (room) Connect(_ context.Context, _ *centrifuge.Conn, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	if e.Token == "" {
		return centrifuge.ConnectReply{}, centrifuge.ErrUnauthorized
	}
	return centrifuge.ConnectReply{
		User: e.Token,
		Subs: map[string]centrifuge.SubscribeOptions{"news": {Recoverable: true}},
	}, nil
}

// RPC makes room a centrifuge.RPCHandler too.
func (room) RPC(_ context.Context, c *centrifuge.Conn, method string, data []byte) ([]byte, error) {
	if method != "whoami" {
		return nil, centrifuge.ErrMethodNotFound
	}
	return fmt.Appendf(nil, "%q", c.User()), nil
}

// A server, its stream, and where to mount them. Run keeps it going until the
// context ends and then says goodbye to everybody.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program waits for a signal

	stream := centrifuge.NewMemoryStream("epoch-1", 100)
	server, err := centrifuge.New(centrifuge.Config{Handler: room{}, Stream: stream})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /connection/websocket", server.ServeWebSocket)
	mux.HandleFunc("/connection/http_stream", server.ServeHTTPStream)
	mux.HandleFunc("/connection/sse", server.ServeSSE)
	mux.HandleFunc("/emulation", server.ServeEmulation)

	stream.Append("news", centrifuge.Publication{Data: []byte(`{"hello":"world"}`)}, func(p centrifuge.Publication) {
		server.Publish("news", p)
	})
	fmt.Println(server.Run(ctx))
	// Output: <nil>
}

// Without Recoverable, publications need no stream and no offset.
func ExampleServer_Publish() {
	server, err := centrifuge.New(centrifuge.Config{Handler: room{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Publish("typing", centrifuge.Publication{Data: []byte(`{"who":"alice"}`)})
	fmt.Println(len(server.Presence("typing")), "are listening")
	// Output: 0 are listening
}
