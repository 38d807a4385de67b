package auth

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// Kind is one kind of bearer token, told apart from the others by its form
// (specs/paths.md). A dialect with tokens of its own brings one.
type Kind interface {
	// Owns says whether a token has the form of this kind. It looks at the
	// token only.
	Owns(token string) bool
	// Actor returns who the token stands for, or CodeUnauthorized.
	Actor(ctx context.Context, token string) (chat.Actor, error)
}

// Options are what a Gate needs. PublicURL is the server's address as browsers
// know it; Trusted are the networks of reverse proxies.
type Options struct {
	Service   *chat.Service
	Kinds     []Kind
	Trusted   []netip.Prefix
	PublicURL string
	Throttle  *Throttle
}

// Gate knows every credential of the installation.
type Gate struct {
	Options
	publicHost string
}

// NewGate makes the gate. It fails on a public URL that is none.
func NewGate(o Options) (*Gate, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, chat.Invalid("public_url", "it can't be read as a URL")
	}
	return &Gate{Options: o, publicHost: u.Host}, nil
}

// maxToken is the longest bearer token, in bytes.
const maxToken = 1024

// Bearer returns the actor behind the Authorization header. Errors:
// CodeUnauthorized without a valid bearer token; CodeForbidden for the token of
// a read-only link, which may make no calls.
func (g *Gate) Bearer(r *http.Request) (chat.Actor, error) {
	token := bearerToken(r)
	if token == "" {
		return chat.Actor{}, chat.Errorf(chat.CodeUnauthorized, "no credential was sent; send Authorization: Bearer <token>")
	}
	return g.Actor(r.Context(), token)
}

// Actor returns who a bearer token stands for. Errors as for Bearer.
func (g *Gate) Actor(ctx context.Context, token string) (chat.Actor, error) {
	for _, kind := range g.Kinds {
		if kind.Owns(token) {
			return kind.Actor(ctx, token)
		}
	}
	if k := g.Service.Catalog().APIKeyByHash(chat.HashToken(token)); k != nil {
		return chat.Actor{Kind: chat.ActorAPIKey, TenantID: k.TenantID, ID: k.ID, Name: k.Name, Scopes: k.Scopes}, nil
	}
	switch {
	case isHex(token, 48):
		return g.operator(ctx, token)
	case isHex(token, 32):
		return chat.Actor{}, g.shareLink(ctx, token)
	}
	return chat.Actor{}, chat.Errorf(chat.CodeUnauthorized, "the token is not valid")
}

// operator returns the operator of a session.
func (g *Gate) operator(ctx context.Context, token string) (chat.Actor, error) {
	o, err := g.Service.OperatorByToken(ctx, token)
	if err != nil {
		return chat.Actor{}, err
	}
	return chat.Actor{Kind: chat.ActorOperator, TenantID: o.TenantID, ID: o.ID, Name: o.DisplayName(), Role: o.Role}, nil
}

// shareLink refuses the token of a read-only link by name, so that its holder
// sees that the link is no key (specs/selarti.md §6, E7).
func (g *Gate) shareLink(ctx context.Context, token string) error {
	_, err := g.Service.Shared(ctx, token)
	switch chat.ErrorCode(err) {
	case "":
		return chat.Errorf(chat.CodeForbidden, "this is the token of a read-only link; it may make no calls")
	case chat.CodeNotFound:
		return chat.Errorf(chat.CodeUnauthorized, "the token is not valid")
	default:
		return err
	}
}

// Try counts a login as failed until succeeded is called: see Throttle.Try.
func (g *Gate) Try(r *http.Request, login string) (succeeded func(), err error) {
	return g.Throttle.Try(RemoteAddr(r, g.Trusted), login)
}

// bearerToken returns the token of the one Authorization header, or "".
func bearerToken(r *http.Request) string {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 || len(headers[0]) > maxToken {
		return ""
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func isHex(text string, size int) bool {
	return len(text) == size && strings.Trim(text, "0123456789abcdef") == ""
}
