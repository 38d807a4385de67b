package selarti

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TokenLife is how long a token of the auth method is good (specs/selarti.md §9, 13).
const TokenLife = 24 * time.Hour

// clockSkew is how far ahead the clock of another node may be.
const clockSkew = 5 * time.Minute

// SecretName is the name of the installation's secret that signs tokens.
const SecretName = "selarti-token" //nolint:gosec // G101: the name of a secret, not the secret

// Settings is where the keys are: *chat.Service.
type Settings interface {
	Catalog() *chat.Catalog
}

// Tokens issues and reads the bearer tokens of the auth method,
// `bus|<user id>|<session id>`. They are stateless: the user id is the Bubble
// id of the API key, the session id is the time of issue with a MAC of 18
// digits over both and the key's hash. So a key that is changed or removed ends
// its tokens, and logging in before every call writes nothing.
type Tokens struct {
	settings Settings
	secret   []byte
	now      func() time.Time
}

// NewTokens makes the reader and writer of tokens over the secret named
// SecretName.
func NewTokens(settings Settings, secret []byte, now func() time.Time) *Tokens {
	return &Tokens{settings: settings, secret: secret, now: now}
}

// Token is a token as the auth method answers it.
type Token struct {
	Token   string `json:"token"`
	UserID  string `json:"user_id"`
	Expires int    `json:"expires"` // seconds from now
}

// Issue makes a token for an API key. Errors: CodeUnauthorized.
func (t *Tokens) Issue(key string) (Token, error) {
	k := t.settings.Catalog().APIKeyByHash(chat.HashToken(key))
	if k == nil {
		return Token{}, chat.Errorf(chat.CodeUnauthorized, "there is no such API key")
	}
	user, issued := BubbleID(k.CreatedAt, k.ID), t.now().UnixMilli()
	session := strconv.FormatInt(issued, 10) + "x" + t.mac(user, issued, k.KeyHash)
	return Token{Token: "bus|" + user + "|" + session, UserID: user, Expires: int(TokenLife.Seconds())}, nil
}

// Owns says whether a bearer token is of this kind, by its form.
func (t *Tokens) Owns(token string) bool { return strings.HasPrefix(token, "bus|") }

// Actor returns who a token stands for. Errors: CodeUnauthorized.
func (t *Tokens) Actor(_ context.Context, token string) (chat.Actor, error) {
	refused := chat.Errorf(chat.CodeUnauthorized, "the token is invalid or expired; get a new one by auth")
	parts := strings.Split(token, "|")
	if len(parts) != 3 || parts[0] != "bus" || len(parts[2]) != 13+1+18 || parts[2][13] != 'x' {
		return chat.Actor{}, refused
	}
	ms, id, ok := ParseBubbleID(parts[1])
	if !ok || !digits(parts[2][:13]) {
		return chat.Actor{}, refused
	}
	k := t.settings.Catalog().APIKey(id)
	if k == nil || !SameMilli(ms, k.CreatedAt) {
		return chat.Actor{}, refused
	}
	issued, _ := strconv.ParseInt(parts[2][:13], 10, 64) // 13 digits always fit
	if !hmac.Equal([]byte(parts[2][14:]), []byte(t.mac(parts[1], issued, k.KeyHash))) {
		return chat.Actor{}, refused
	}
	age := t.now().Sub(time.UnixMilli(issued))
	if age >= TokenLife || age < -clockSkew {
		return chat.Actor{}, refused
	}
	return chat.Actor{Kind: chat.ActorAPIKey, TenantID: k.TenantID, ID: k.ID, Name: k.Name, Scopes: k.Scopes}, nil
}

// mac is HMAC-SHA256 truncated to 18 decimal digits, nearly 60 bits.
func (t *Tokens) mac(user string, issuedMilli int64, keyHash string) string {
	h := hmac.New(sha256.New, t.secret)
	fmt.Fprintf(h, "bus|%s|%d|%s", user, issuedMilli, keyHash) // a hash never fails to write
	return fmt.Sprintf("%018d", binary.BigEndian.Uint64(h.Sum(nil))%1_000_000_000_000_000_000)
}
