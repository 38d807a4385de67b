package chat

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// complete fills in what the document left to the server: generated tokens and
// UUIDs, hashes instead of secrets, and what is kept from the stored setting.
// It returns a secret that can't be read back later.
func (a *applier) complete(item setupItem, key nameKey, stored Setting, known bool) (secret string, err error) {
	old := stored.Body
	switch v := item.value.(type) {
	case *Channel:
		return "", a.completeChannel(v, old, known)
	case *Bot:
		return a.completeBot(v, old, known)
	case *Integration:
		return "", a.completeIntegration(v, old, known)
	case *Task:
		return "", a.completeTask(v, old, known)
	case *APIKey:
		return a.completeKey(v, old, known)
	case *Operator:
		return "", a.completeOperator(v, key, stored.ID, old, known)
	}
	return "", nil
}

func stored[T any](old json.RawMessage, known bool) (v T, err error) {
	if known {
		err = json.Unmarshal(old, &v)
	}
	return v, err
}

func (a *applier) completeChannel(v *Channel, old json.RawMessage, known bool) (err error) {
	was, err := stored[Channel](old, known)
	if err != nil {
		return err
	}
	if v.Token == "" {
		v.Token = was.Token
	}
	if v.Token == "" {
		v.Token, err = a.s.channelToken()
	}
	return err
}

// channelToken makes a token in the vendor's form: 8 letters, a colon, 40 hex
// digits (specs/chatapi.md §1).
func (s *Service) channelToken() (string, error) {
	head, err := s.randomHex(8)
	if err != nil {
		return "", err
	}
	tail, err := s.randomHex(20)
	if err != nil {
		return "", err
	}
	raw, err := hex.DecodeString(head)
	if err != nil {
		return "", err
	}
	var letters strings.Builder
	for _, b := range raw {
		letters.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[int(b)%52])
	}
	return letters.String() + ":" + tail, nil
}

func (a *applier) completeBot(v *Bot, old json.RawMessage, known bool) (secret string, err error) {
	was, err := stored[Bot](old, known)
	if err != nil {
		return "", err
	}
	if v.UUID = was.UUID; v.UUID == "" {
		if v.UUID, err = a.s.randomUUID(); err != nil {
			return "", err
		}
	}
	if v.Kind != BotWebhook {
		v.Token, v.TokenHash = "", ""
		return "", nil
	}
	secret = v.Token
	if secret == "" && was.TokenHash == "" {
		if secret, err = a.s.randomHex(24); err != nil {
			return "", err
		}
	}
	v.Token, v.TokenHash = "", was.TokenHash
	if secret != "" {
		v.TokenHash = HashToken(secret)
	}
	return secret, nil
}

// secretOverlap is how long a secret that was replaced goes on signing.
const secretOverlap = 24 * time.Hour

// completeIntegration keeps the secret that this one replaces for a while.
func (a *applier) completeIntegration(v *Integration, old json.RawMessage, known bool) error {
	was, err := stored[Integration](old, known)
	if err != nil {
		return err
	}
	v.PreviousSecret, v.PreviousUntil = was.PreviousSecret, was.PreviousUntil
	if was.Secret != "" && was.Secret != v.Secret {
		v.PreviousSecret, v.PreviousUntil = was.Secret, a.tx.Now().Add(secretOverlap)
	}
	return nil
}

func (a *applier) completeTask(v *Task, old json.RawMessage, known bool) (err error) {
	was, err := stored[Task](old, known)
	if err != nil {
		return err
	}
	if v.UUID == "" {
		v.UUID = was.UUID
	}
	if v.UUID == "" {
		v.UUID, err = a.s.randomUUID()
	}
	return err
}

func (a *applier) completeKey(v *APIKey, old json.RawMessage, known bool) (secret string, err error) {
	was, err := stored[APIKey](old, known)
	if err != nil {
		return "", err
	}
	secret = v.Key
	if secret == "" && was.KeyHash == "" {
		if secret, err = a.s.randomHex(24); err != nil {
			return "", err
		}
	}
	v.Key, v.KeyHash = "", was.KeyHash
	if secret != "" {
		v.KeyHash = HashToken(secret)
	}
	return secret, nil
}

// completeOperator keeps a known operator's password unless it is to be reset.
func (a *applier) completeOperator(v *Operator, key nameKey, id ID, old json.RawMessage, known bool) error {
	was, err := stored[Operator](old, known)
	if err != nil {
		return err
	}
	hash, given := a.hashes[v.Login]
	v.Password, v.PasswordHash, v.Disabled = "", was.PasswordHash, was.Disabled
	if !given || was.PasswordHash != "" && !a.options.ResetPasswords {
		return nil
	}
	v.PasswordHash = hash
	if !known {
		return nil
	}
	return signOut(a.tx, key.tenant, id)
}
