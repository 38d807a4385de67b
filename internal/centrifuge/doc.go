// Package centrifuge is a server of the Centrifugal client protocol (version
// 2): any of the centrifuge-* SDKs connects to it by WebSocket, HTTP streaming
// or server-sent events, in JSON or Protobuf.
//
// It knows connections, channels and streams and nothing of what they are used
// for. An application gives it a Handler, which admits clients and decides what
// they may do, and a Stream, which is the history behind channels; it calls
// Server.Publish for what is new. See README.md for the protocol clause by
// clause.
package centrifuge
