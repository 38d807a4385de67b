package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

var errPlaceholder = errors.New("socketio: a placeholder names no attachment")

// placeholder is what stands in the JSON for an attachment.
type placeholder struct {
	Placeholder bool `json:"_placeholder"`
	Num         int  `json:"num"`
}

// fill decodes JSON with its placeholders replaced by the attachments, as []byte. Numbers stay json.Number.
func fill(raw json.RawMessage, attachments [][]byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("socketio: decode an argument: %w", err)
	}
	return fillTree(tree, attachments)
}

func fillTree(node any, attachments [][]byte) (any, error) {
	switch node := node.(type) {
	case map[string]any:
		if node["_placeholder"] == true {
			return pick(node["num"], attachments)
		}
		for key, child := range node {
			filled, err := fillTree(child, attachments)
			if err != nil {
				return nil, err
			}
			node[key] = filled
		}
	case []any:
		for i, child := range node {
			filled, err := fillTree(child, attachments)
			if err != nil {
				return nil, err
			}
			node[i] = filled
		}
	}
	return node, nil
}

func pick(num any, attachments [][]byte) (any, error) {
	text, _ := num.(json.Number)
	i, err := strconv.Atoi(text.String())
	if err != nil || i < 0 || i >= len(attachments) {
		return nil, errPlaceholder
	}
	return attachments[i], nil
}

// extract returns the value with every []byte in its maps and slices replaced by a placeholder, and the bytes appended to
// attachments. The value itself is left alone.
func extract(value any, attachments *[][]byte) any {
	switch value := value.(type) {
	case []byte:
		*attachments = append(*attachments, value)
		return placeholder{Placeholder: true, Num: len(*attachments) - 1}
	case map[string]any:
		copied := make(map[string]any, len(value))
		for key, child := range value {
			copied[key] = extract(child, attachments)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, child := range value {
			copied[i] = extract(child, attachments)
		}
		return copied
	default:
		return value
	}
}
