package chat

import "strings"

// Client is the end user. LastAt is the highest At given to any event of the
// client, so that the next one is higher.
type Client struct {
	ID           ID
	TenantID     ID
	CreatedAt    Micros
	LastAt       Micros
	Profile      map[string]string // name, first_name, last_name, middle_name, phone, email, username, contact …
	Metadata     map[string]any    // whatever else the caller sent along
	Segmentation map[string]string
}

// ExternalID is a client's id in a caller's system. Scope is the channel that
// knows it, 0 for the ids that all authorised channels of the tenant share.
type ExternalID struct {
	Scope      ID
	ExternalID string
}

// Title is the client's full name, "" when unknown.
func (c *Client) Title() string {
	if name := c.Profile["name"]; name != "" {
		return name
	}
	return joinKnown(c.Profile, " ", "last_name", "first_name", "middle_name")
}

// Contacts is how the client can be reached, the known ways joined by ", ".
func (c *Client) Contacts() string {
	return joinKnown(c.Profile, ", ", "contact", "phone", "email", "username")
}

func joinKnown(from map[string]string, sep string, keys ...string) string {
	var known []string
	for _, k := range keys {
		if v := from[k]; v != "" {
			known = append(known, v)
		}
	}
	return strings.Join(known, sep)
}
