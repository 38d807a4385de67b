package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// poll connects one client by polling and keeps a GET pending on its one connection.
func (c *crowd) poll(ctx context.Context, number int) error {
	conn, in, err := c.dial(ctx, number)
	if err != nil {
		return err
	}
	hello, err := c.exchange(conn, in, "GET", "", "")
	if err != nil {
		return err
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(hello[1:]), &open); err != nil {
		return err
	}
	for _, step := range []struct{ method, body string }{{"POST", "40"}, {"GET", ""}} {
		if _, err := c.exchange(conn, in, step.method, "&sid="+open.SID, step.body); err != nil {
			return err
		}
	}
	c.done.Go(func() {
		defer func() { _ = conn.Close() }()
		c.joined.Add(1)
		c.nudge()
		for {
			answer, err := c.exchange(conn, in, "GET", "&sid="+open.SID, "")
			if err != nil {
				return // closed by the bench, or lost: the count of connections shows it
			}
			if strings.Contains(answer, "2") {
				if _, err := c.exchange(conn, in, "POST", "&sid="+open.SID, "3"); err != nil {
					return
				}
			}
		}
	})
	return nil
}

func (c *crowd) exchange(conn net.Conn, in *bufio.Reader, method, query, body string) (string, error) {
	_, err := fmt.Fprintf(conn, "%s /socket.io/?EIO=4&transport=polling&room=r&all=%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s",
		method, query, c.address, len(body), body)
	if err != nil {
		return "", err
	}
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return string(answer), err
}
