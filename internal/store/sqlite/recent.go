package sqlite

// recent remembers what was used lately, in two generations: what is used of
// the old one moves into the young one, and when that is full, the old one is
// forgotten and the young one grows old. So it holds between one and two
// generations, in order of use about, with no list to keep in order.
type recent[K comparable, V any] struct {
	room       int // of a generation, in bytes about
	size       func(V) int
	young, old map[K]V
	used       int // of the young generation's room

	touched []K // put since the last mark
}

// overhead is what remembering anything costs: its key and its place.
const overhead = 80

func newRecent[K comparable, V any](room int, size func(V) int) *recent[K, V] {
	return &recent[K, V]{room: room, size: size, young: map[K]V{}}
}

func nothing[V any](V) int { return 0 }

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.young[k]
	if ok {
		return v, true
	}
	if v, ok = r.old[k]; ok {
		r.add(k, v)
	}
	return v, ok
}

// put remembers what holds from now on, or until the next undo.
func (r *recent[K, V]) put(k K, v V) {
	r.touched = append(r.touched, k)
	r.add(k, v)
}

func (r *recent[K, V]) add(k K, v V) {
	if before, ok := r.young[k]; ok {
		r.used -= r.size(before) + overhead
	}
	more := r.size(v) + overhead
	if r.used+more > r.room {
		r.old, r.young, r.used = r.young, map[K]V{}, 0
	}
	if more > r.room {
		r.forget(k)
		return
	}
	r.used += more
	r.young[k] = v
}

func (r *recent[K, V]) forget(k K) {
	if v, ok := r.young[k]; ok {
		r.used -= r.size(v) + overhead
		delete(r.young, k)
	}
	delete(r.old, k)
}

// mark begins a span of work that may be rolled back.
func (r *recent[K, V]) mark() { r.touched = r.touched[:0] }

// undo forgets what was put since the mark, and what that replaced.
func (r *recent[K, V]) undo() {
	for _, k := range r.touched {
		r.forget(k)
	}
	r.mark()
}

func (r *recent[K, V]) clear() {
	r.young, r.old, r.used = map[K]V{}, nil, 0
	r.mark()
}
