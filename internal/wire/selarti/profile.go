package selarti

import (
	"regexp"
	"strings"
)

var (
	phoneForm    = regexp.MustCompile(`^\+?[0-9][0-9 ().-]*$`)
	emailForm    = regexp.MustCompile(`^[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+$`)
	usernameForm = regexp.MustCompile(`^@[\pL\pN_.-]+$`)
)

// profile takes what the caller says of the client under the names of
// specs/selarti.md §3.3: the name feeds the webhook's title, the others its
// contacts.
func (c *call) profile() (map[string]string, error) {
	profile := map[string]string{}
	name, err := c.first("name", "title", "fio", "full_name")
	if err != nil {
		return nil, err
	}
	set(profile, "name", name)
	for _, field := range []string{"username", "phone", "email"} {
		value, err := c.first(field)
		if err != nil {
			return nil, err
		}
		set(profile, field, value)
	}
	for _, param := range []string{"contact", "contacts"} {
		value, err := c.first(param)
		if err != nil {
			return nil, err
		}
		field := contactField(value)
		if profile[field] != "" && profile[field] != value {
			field = "contact" // the field's own parameter has said otherwise
		}
		set(profile, field, value)
	}
	return profile, nil
}

func set(profile map[string]string, field, value string) {
	if value != "" {
		profile[field] = value
	}
}

// contactField says what kind of contact a text looks like.
func contactField(text string) string {
	text = strings.TrimSpace(text)
	digits := len(text) - len(strings.Map(dropDigit, text))
	switch {
	case usernameForm.MatchString(text):
		return "username"
	case emailForm.MatchString(text):
		return "email"
	case phoneForm.MatchString(text) && digits >= 7 && digits <= 15: // E.164
		return "phone"
	}
	return "contact"
}

func dropDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}
