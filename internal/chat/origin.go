package chat

import "strings"

// AllowsOrigin says whether a page of the origin may call: any, unless the
// channel names some. In a name, * stands for any run of characters but a slash,
// as in https://*.example.com or http://127.0.0.1:*.
func (c *Channel) AllowsOrigin(origin string) bool {
	if len(c.AllowedOrigins) == 0 {
		return true
	}
	for _, pattern := range c.AllowedOrigins {
		if matchOrigin(strings.ToLower(pattern), strings.ToLower(origin)) {
			return true
		}
	}
	return false
}

func matchOrigin(pattern, origin string) bool {
	before, after, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == origin
	}
	rest, ok := strings.CutPrefix(origin, before)
	if !ok {
		return false
	}
	for i := 0; i <= len(rest); i++ {
		if matchOrigin(after, rest[i:]) {
			return true
		}
		if i < len(rest) && rest[i] == '/' {
			return false
		}
	}
	return false
}
