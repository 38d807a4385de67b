// Package wsock is the server end of a WebSocket (RFC 6455) that costs little
// while nothing happens: half a kilobyte of buffer, no goroutine, no timer.
//
// Framing bits come from gobwas/ws; reassembly, limits, UTF-8, control frames
// and the closing handshake are here. A Conn answers pings and closes by itself.
// Compression is not offered: its state costs more than an idle connection.
package wsock
