package chat_test

import (
	"reflect"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestPresses: a text equal to a label of the latest buttons or list, folded
// and trimmed, is that press (specs/mapping.md).
func TestPresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	buttons := chat.Content{Text: "Pick", Buttons: []chat.Button{
		{Text: "Да", Payload: "yes", ShownText: "Agreed"}, {Text: " No ", Payload: "no"}, {Text: "Plain"},
	}}
	list := chat.Content{Text: "Choose", List: &chat.ListPicker{Title: "Sizes", Sections: []chat.ListSection{
		{Items: []chat.ListItem{{Title: "Small", Identifier: "s"}}},
		{Title: "More", Items: []chat.ListItem{{Title: "Large", SubTitle: "XL", Identifier: "l"}}},
	}}}
	tests := []struct {
		name    string
		shown   []chat.Content
		sent    chat.Content
		payload string
		seen    string
	}{
		{"a label", []chat.Content{buttons}, chat.Content{Text: "Да"}, "yes", "Agreed"},
		{"folded and trimmed", []chat.Content{buttons}, chat.Content{Text: "  дА\n"}, "yes", "Agreed"},
		{"a label with spaces", []chat.Content{buttons}, chat.Content{Text: "no"}, "no", ""},
		{"a button without a payload", []chat.Content{buttons}, chat.Content{Text: "plain"}, "", ""},
		{"a part of a label", []chat.Content{buttons}, chat.Content{Text: "Д"}, "", ""},
		{"more than a label", []chat.Content{buttons}, chat.Content{Text: "Да!"}, "", ""},
		{"a payload of its own", []chat.Content{buttons}, chat.Content{Text: "Да", Payload: "mine"}, "mine", ""},
		{"an item of a list", []chat.Content{list}, chat.Content{Text: "large"}, "l", ""},
		{"a subtitle", []chat.Content{list}, chat.Content{Text: "XL"}, "", ""},
		{"the title of the list", []chat.Content{list}, chat.Content{Text: "Sizes"}, "", ""},
		{"older buttons", []chat.Content{buttons, list}, chat.Content{Text: "Да"}, "", ""},
		{"buttons before a plain message", []chat.Content{buttons, {Text: "well?"}}, chat.Content{Text: "Да"}, "yes", "Agreed"},
		{"nothing to press", []chat.Content{{Text: "Да"}}, chat.Content{Text: "Да"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := w.talk(t, "app")
			k.says("hello")
			k.must(k.reply(chat.Answer{Messages: tt.shown}))
			_, err := k.send(chat.ClientMessage{Content: tt.sent})
			k.must(err)
			want := tt.sent
			want.Payload, want.ShownText = tt.payload, tt.seen
			if got := k.conv().LastMessage.Content; !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestPressOfAnOperatorsButtons: people may show buttons too.
func TestPressOfAnOperatorsButtons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	_, err := w.OperatorMessage(w.ctx, w.operator("ann"), chat.OperatorMessage{
		ConversationID: k.id, Content: chat.Content{Text: "Sure?", Buttons: []chat.Button{{Text: "Yes", Payload: "y"}}},
	})
	k.must(err)
	k.says("yes")
	if got := k.conv().LastMessage.Content.Payload; got != "y" {
		t.Errorf("the payload is %q", got)
	}
}

// TestClientsShowNothingToPress: buttons in a client's own message are none.
func TestClientsShowNothingToPress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	k.must(k.reply(chat.Answer{Messages: []chat.Content{{Text: "Sure?", Buttons: []chat.Button{{Text: "Yes", Payload: "y"}}}}}))
	_, err := k.send(chat.ClientMessage{Content: chat.Content{Text: "look", Buttons: []chat.Button{{Text: "Yes", Payload: "forged"}}}})
	k.must(err)
	k.says("yes")
	if got := k.conv().LastMessage.Content.Payload; got != "y" {
		t.Errorf("the payload is %q", got)
	}
}
