package chat

import "slices"

// ActorKind says what kind of credential stands behind a call.
type ActorKind string

// The kinds of actors.
const (
	ActorSystem   ActorKind = "system"   // the server itself: timers, deliveries, start-up
	ActorAdmin    ActorKind = "admin"    // whoever may open the admin socket; bound to no tenant
	ActorAPIKey   ActorKind = "api_key"  // an API key of the tenant
	ActorChannel  ActorKind = "channel"  // a caller who knows a channel's token
	ActorBot      ActorKind = "bot"      // a bot
	ActorOperator ActorKind = "operator" // a person
)

// Actor is who acts. Every use case takes one; a dialect makes it from a
// credential with package auth and never invents one.
type Actor struct {
	Kind     ActorKind
	TenantID ID
	ID       ID // of the key, channel, bot or operator
	Name     string
	Role     Role     // of an operator
	Scopes   []string // of an API key
}

// Role is what an operator may do.
type Role string

// The roles, each including the ones before it.
const (
	RoleOperator   Role = "operator"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
)

// Scopes of an API key.
const (
	ScopeMessagesWrite     = "messages:write"
	ScopeConversationsRead = "conversations:read"
	ScopeConversations     = "conversations:write"
	ScopeDeliveries        = "deliveries:write"
	ScopeSettings          = "settings:write"
)

// Scopes lists every scope that a key may carry.
func Scopes() []string {
	return []string{ScopeMessagesWrite, ScopeConversationsRead, ScopeConversations, ScopeDeliveries, ScopeSettings}
}

// SystemActor acts for the server inside one tenant.
func SystemActor(tenant ID) Actor { return Actor{Kind: ActorSystem, TenantID: tenant} }

// Require returns CodeForbidden unless the actor may do what scope names.
// Operators work with conversations and read; deliveries and settings are for
// admins among them.
func (a Actor) Require(scope string) error {
	switch a.Kind {
	case ActorSystem, ActorAdmin:
		return nil
	case ActorAPIKey:
		if slices.Contains(a.Scopes, scope) {
			return nil
		}
		return Errorf(CodeForbidden, "this API key lacks the scope %s; add it to the key's scopes in the setup file", scope)
	case ActorOperator:
		if a.Role == RoleAdmin || scope == ScopeConversations || scope == ScopeConversationsRead {
			return nil
		}
		return Errorf(CodeForbidden, "only an admin may do this; you are signed in as %s", a.Role)
	default:
		return Errorf(CodeForbidden, "a %s may not do this", a.Kind)
	}
}

// leads says whether the actor answers for others: a supervisor or an admin.
func (a Actor) leads() bool {
	return a.Kind == ActorOperator && (a.Role == RoleSupervisor || a.Role == RoleAdmin)
}
