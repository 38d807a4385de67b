package chat

import (
	"encoding/json"
	"slices"
	"strings"
)

// What a bot is told of people, as a client's event by the system
// (specs/chatapi.md §7, §8).
const (
	EventNobodyOnline     = "noLivechatOperatorsOnline" // it asked for people and nobody is there
	EventLivechatFinished = "livechatFinished"          // an operator ended the talk
)

// What a task does with a bot's wish for people while nobody is READY.
const (
	WhenNobodyQueue   = "queue"    // the conversation waits for somebody
	WhenNobodyTellBot = "tell_bot" // the bot keeps it and is told
)

// MaxNote is the longest note for colleagues, in bytes.
const MaxNote = 4000

// switchTerms are the keys of a bot's switch reply that are acted on here.
type switchTerms struct {
	FirstMessage  string   `json:"firstMessage"`
	LastMessage   string   `json:"lastMessage"`
	ClosePhrases  []string `json:"closeChatPhrases"`
	CloseButton   bool     `json:"appendCloseChatButton"`
	IgnoreOffline bool     `json:"ignoreOffline"`
	OneTime       bool     `json:"oneTimeMessage"`
}

// terms reads the switch reply; a key of another shape than it should have is
// as if it were not there.
func (h *Handover) terms() switchTerms {
	var t switchTerms
	if len(h.Switch) > 0 {
		_ = json.Unmarshal(h.Switch, &t) // what fits is set; see above
	}
	return t
}

// askPeople carries out a bot's wish for people, uttered in the answer to a
// question, nil for none: they are told and come not; or they come; or nobody
// is there and the bot is told so. A bot that was told and insists gets them
// all the same.
func (u *unit) askPeople(h *Handover, causedBy ID, question *Entry) error {
	if h == nil {
		h = &Handover{}
	}
	terms := h.terms()
	if terms.OneTime {
		return u.passWord(terms.FirstMessage, causedBy)
	}
	insists := question != nil && question.Kind == EventClientEvent && question.Author == AuthorSystem && question.Data.Name == EventNobodyOnline
	if !insists && u.wantsToKnow(h, terms) {
		ready, err := u.AnybodyReady(u.conv.TenantID)
		if err != nil {
			return err
		}
		if !ready {
			_, err := u.append(Event{
				Kind: EventClientEvent, Author: AuthorSystem, BotID: u.session.Owner.ID,
				Data: EventData{Name: EventNobodyOnline, CausedBy: causedBy},
			}, nil)
			return err
		}
	}
	if err := u.addNote(terms.FirstMessage); err != nil {
		return err
	}
	return u.handOver(ReasonBotHandover, h, causedBy, 0)
}

// wantsToKnow says whether the bot is told when nobody is there, rather than
// lose the client to the queue: as the task says; else, by the vendor's rule,
// for a switch reply on a Chat API channel.
func (u *unit) wantsToKnow(h *Handover, terms switchTerms) bool {
	if terms.IgnoreOffline || u.silence() != "" {
		return false
	}
	switch u.task.WhenNobody {
	case WhenNobodyTellBot:
		return true
	case WhenNobodyQueue:
		return false
	}
	return len(h.Switch) > 0 && u.task.Channel.Kind == ChannelChatAPI
}

// passWord tells people what a bot has for them without giving them the client:
// by default what the client said last.
func (u *unit) passWord(words string, causedBy ID) error {
	if words == "" && causedBy != 0 {
		m, err := u.Message(u.conv.TenantID, causedBy)
		if err != nil {
			return err
		}
		words = m.Content.Text
	}
	return u.addNote(words)
}

// addNote leaves a word for colleagues, cut where it is too long; an empty one
// is none.
func (u *unit) addNote(words string) error {
	if words == "" {
		return nil
	}
	_, err := u.append(Event{
		Kind: EventNoteAdded, Author: u.author(), AuthorID: u.actor.ID, Data: EventData{Note: cut(words, MaxNote)},
	}, nil)
	return err
}

// cut shortens a text to a number of bytes, between letters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// giver is the bot that gave the session to people by its own wish, or nil when
// none did, or it can't be asked now.
func (u *unit) giver() *Bot {
	tried := u.session.Tried
	if !u.session.Owner.People() || len(u.session.Wish) == 0 || len(tried) == 0 {
		return nil
	}
	for _, stop := range u.task.Stops {
		if stop.Bot != nil && stop.Bot.ID == tried[len(tried)-1] && u.s.bots.Available(stop.Bot) {
			return stop.Bot
		}
	}
	return nil
}

// giveBack returns the session to the bot that gave it away, in the state in
// which it did.
func (u *unit) giveBack(bot *Bot, reason string) error {
	u.session.Tried, u.session.Wish = nil, nil
	return u.changeOwner(Owner{Kind: OwnerBot, ID: bot.ID}, reason, 0, 0)
}

// closePhrases end the talk with people when the client says one; the bot's own
// come first.
func (u *unit) closePhrases(terms switchTerms) []string {
	var phrases []string
	for _, phrase := range slices.Concat(terms.ClosePhrases, u.task.ClosePhrases) {
		if phrase = strings.TrimSpace(phrase); phrase != "" {
			phrases = append(phrases, phrase)
		}
	}
	return phrases
}

// heedPhrase gives the session back to its bot when the client's text is one of
// the phrases that end the talk with people: the bot answers it.
func (u *unit) heedPhrase(text string) error {
	if u.session == nil || !u.session.Owner.People() {
		return nil
	}
	bot, said := u.giver(), strings.TrimSpace(text)
	if bot == nil {
		return nil
	}
	wish := u.session.wish()
	terms := wish.terms()
	for _, phrase := range u.closePhrases(terms) {
		if !strings.EqualFold(phrase, said) {
			continue
		}
		if err := u.addNote(terms.LastMessage); err != nil {
			return err
		}
		return u.giveBack(bot, ReasonClosePhrase)
	}
	return nil
}

// addCloseButton puts the first of the phrases under an operator's message, if
// the bot that gave the session away wished so.
func (u *unit) addCloseButton(c *Content) {
	if u.session == nil || !u.session.Owner.People() || len(c.Buttons) > 0 || c.List != nil {
		return
	}
	wish := u.session.wish()
	terms := wish.terms()
	if phrases := u.closePhrases(terms); terms.CloseButton && len(phrases) > 0 {
		c.Buttons = []Button{{Text: phrases[0]}}
	}
}

// finished is what a bot is told of a talk that an operator ended.
type finished struct {
	Operator *finisher `json:"operator,omitempty"`
	Result   string    `json:"result"`
	Messages []string  `json:"messages"`
}

type finisher struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
}

// finishLivechat gives the session back to its bot and tells it what people
// said. Their result stays in the session.
func (u *unit) finishLivechat(bot *Bot, result string) error {
	said, err := operatorSaid(u, u.conv, u.session.Livechat, u.conv.Seq)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(finished{
		Operator: &finisher{u.actor.ID, u.operatorName(u.actor.ID)}, Result: result, Messages: said,
	})
	if err != nil {
		return err
	}
	u.session.Result = result
	if err := u.giveBack(bot, ReasonLivechatFinished); err != nil {
		return err
	}
	e := Event{Kind: EventClientEvent, Author: AuthorSystem, Data: EventData{Name: EventLivechatFinished, Payload: payload}}
	e.BotID, e.Data.Silence = u.asked()
	_, err = u.append(e, nil)
	return err
}

// hear notes that the bot has spoken: what people said before is not new to it
// any more.
func (u *unit) hear() error {
	if u.session.Livechat == 0 {
		return nil
	}
	u.session.Livechat = u.conv.Seq
	return u.SaveSession(u.session)
}
