package socketio

import "errors"

var (
	errInterrupted = errors.New("socketio: text came where an attachment was due")
	errUnannounced = errors.New("socketio: an attachment came that no packet announced")
	errEventSize   = errors.New("socketio: event too big")
)

// partial is a binary packet whose attachments are coming.
type partial struct {
	packet      packet
	attachments [][]byte
	size, limit int
}

// add takes the next attachment; done says it was the last one.
func (p *partial) add(data []byte) (done bool, err error) {
	p.size += len(data)
	p.attachments = append(p.attachments, data)
	return len(p.attachments) == p.packet.attachments, p.check()
}

func (p *partial) check() error {
	if p.size > p.limit {
		return errEventSize
	}
	return nil
}
