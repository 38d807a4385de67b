package crash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	writers = 12
	chats   = 3 // of each writer
)

// load is the callers: each writes to conversations of its own, one message
// after the other, and sends a message again under its key until it is
// acknowledged, as a caller should.
type load struct {
	next    [writers][chats]int // number of the message that is not acknowledged yet
	client  *http.Client
	acked   atomic.Int64 // of this round
	refused atomic.Int64 // answered, but not with a yes
	reached chan struct{}
	stop    chan struct{}
	wait    sync.WaitGroup
}

func chatName(writer, chat int) string { return fmt.Sprintf("w%d-%d", writer, chat) }

func newLoad() *load { return &load{} }

// start lets the writers go on; reached is closed after so many
// acknowledgements.
func (l *load) start(url string, until int64) { l.spread([]string{url}, until) }

// spread is start on several servers of one installation. Who loses the one he
// talks to repeats at the next what he has no answer to.
func (l *load) spread(urls []string, until int64) {
	l.client = &http.Client{Timeout: patience / 2, Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	l.acked.Store(0)
	l.refused.Store(0)
	l.reached, l.stop = make(chan struct{}), make(chan struct{})
	for w := range writers {
		first := w % len(urls)
		l.wait.Go(func() { l.write(w, append(slices.Clone(urls[first:]), urls[:first]...), until) })
	}
}

func (l *load) write(w int, urls []string, until int64) {
	for c := 0; ; c = (c + 1) % chats {
		select {
		case <-l.stop:
			return
		default:
		}
		ok, err := l.send(urls[0], chatName(w, c), l.next[w][c])
		if err != nil { // the server is gone; what became of the message is unknown
			if urls = urls[1:]; len(urls) == 0 {
				return
			}
			c--
			continue
		}
		if !ok {
			l.refused.Add(1)
			select {
			case <-time.After(5 * time.Millisecond): // as Retry-After would have it, but sooner
			case <-l.stop:
				return
			}
			continue
		}
		l.next[w][c]++
		if l.acked.Add(1) == until {
			close(l.reached)
		}
	}
}

// send sends one message; ok says that it was acknowledged.
func (l *load) send(url, chat string, number int) (ok bool, err error) {
	body, err := json.Marshal(map[string]string{"task_id": taskID, "chat_id": chat, "message": fmt.Sprintf("echo %d", number)})
	if err != nil {
		return false, err
	}
	req, err := http.NewRequest(http.MethodPost, url+"/api/1.1/wf/send_external_message", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer k-crash")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("%s/%d", chat, number))
	resp, err := l.client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, err
	}
	return resp.StatusCode == http.StatusOK, nil
}

// end stops the writers.
func (l *load) end() {
	close(l.stop)
	l.wait.Wait()
	l.client.CloseIdleConnections()
}
