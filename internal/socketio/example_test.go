package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tolmach/tolmach/internal/socketio"
)

// A chat room: whoever connects names himself, and what he says is told to
// everybody else. Run keeps the server going until the context ends and then
// tells the clients to come back later.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program waits for a signal

	server, err := socketio.New(socketio.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Of("/", socketio.HandlerFunc(func(s *socketio.Socket, h socketio.Handshake) (socketio.Receiver, error) {
		var auth struct{ Name string }
		if err := json.Unmarshal(h.Auth, &auth); err != nil || auth.Name == "" {
			return nil, &socketio.ConnectError{Message: "who are you?"}
		}
		if err := s.Join("room"); err != nil {
			return nil, err
		}
		return socketio.Events{
			"say": func(e *socketio.Event) {
				var text string
				if e.Args.Decode(&text) != nil {
					return // not what we speak about
				}
				others := s.Namespace().To("room").Except(s)
				if err := others.Emit("said", auth.Name, text); err != nil {
					fmt.Println(err)
				}
			},
		}, nil
	}))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	fmt.Println(server.Run(ctx))
	// Output: <nil>
}

// Everybody in a room gets the same event; the frame is encoded once.
func ExampleTarget_Emit() {
	server, err := socketio.New(socketio.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	news := server.Of("/news", socketio.HandlerFunc(func(s *socketio.Socket, _ socketio.Handshake) (socketio.Receiver, error) {
		return socketio.Events{}, s.Join("readers")
	}))
	if err := news.To("readers").Emit("headline", map[string]string{"text": "all is well"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(news.CountIn("readers"), "readers")
	// Output: 0 readers
}
