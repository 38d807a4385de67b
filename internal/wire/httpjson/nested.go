package httpjson

import "github.com/tolmach/tolmach/internal/chat"

// Objects reads a list of objects, each with a Reader of its own. A mistake in
// one is a mistake in the field. It returns how many there are.
func (r *Reader) Objects(name string, each func(item *Reader)) int {
	v := r.take(name)
	if v == nil {
		return 0
	}
	list, ok := v.([]any)
	if !ok {
		r.fail(name, "must be a list of objects")
		return 0
	}
	for _, v := range list {
		fields, ok := v.(map[string]any)
		if !ok {
			r.fail(name, "must be a list of objects")
			return 0
		}
		item := NewReader(fields)
		each(item)
		if err := item.Err(); err != nil {
			r.fail(name, chat.ErrorField(err)+": "+chat.ErrorMessage(err))
		}
	}
	return len(list)
}

// Integers reads a list of whole numbers.
func (r *Reader) Integers(name string) []int64 {
	v := r.take(name)
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		r.fail(name, "must be a list of numbers")
	}
	numbers := make([]int64, 0, len(list))
	for _, v := range list {
		item := NewReader(Fields{name: v})
		n := item.Integer(name)
		if v == nil || item.Err() != nil {
			r.fail(name, "must be a list of whole numbers from 0 to 9007199254740991")
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// Texts reads an object whose values are strings; null is the empty string. It
// is nil when it is absent.
func (r *Reader) Texts(name string) map[string]string {
	v := r.take(name)
	if v == nil {
		return nil
	}
	fields, ok := v.(map[string]any)
	if !ok {
		r.fail(name, "must be an object of strings")
		return nil
	}
	texts := make(map[string]string, len(fields))
	for key, v := range fields {
		text, ok := v.(string)
		if !ok && v != nil {
			r.fail(name, "must be an object of strings")
		}
		texts[key] = text
	}
	return texts
}
