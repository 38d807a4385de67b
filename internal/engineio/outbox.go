package engineio

// outbox is the queue of what waits for one client, bounded in bytes. Its owner locks.
type outbox struct {
	queue []*Message
	bytes int
	limit int
}

// push appends messages together or not at all; false means they would not fit. An empty queue takes a message of any size.
func (o *outbox) push(messages ...*Message) bool {
	size := 0
	for _, m := range messages {
		size += m.Size()
	}
	if o.bytes > 0 && o.bytes+size > o.limit {
		return false
	}
	o.queue = append(o.queue, messages...)
	o.bytes += size
	return true
}

// take removes up to count messages of together about size bytes, one at least. An emptied queue keeps no memory.
func (o *outbox) take(count, size int) []*Message {
	n, bytes := 0, 0
	for n < len(o.queue) && n < count && (n == 0 || bytes+o.queue[n].Size() <= size) {
		bytes += o.queue[n].Size()
		n++
	}
	taken := o.queue[:n:n]
	o.queue, o.bytes = o.queue[n:], o.bytes-bytes
	if len(o.queue) == 0 {
		o.queue = nil
	}
	return taken
}

func (o *outbox) empty() bool { return len(o.queue) == 0 }

func (o *outbox) reset() { o.queue, o.bytes = nil, 0 }
