package scenario

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Schemes of addresses: what a server fetches or shows is a web page, what a person presses may also be a contact.
var (
	webSchemes   = []string{"http", "https"}
	pressSchemes = []string{"http", "https", "mailto", "tel"}
)

// openHost is the beginning of an address that has its host complete, so that no value can become part of it.
var openHost = regexp.MustCompile(`^(?i)(https?://[^/?#\s]+[/?#]|mailto:|tel:)`)

// address reads a URL with templates. Only an address that people see may be one {{ }} as a whole.
func (p *parser) address(n *yaml.Node, what, into string, schemes []string, wholly bool) *template {
	t := p.template(n, what, into)
	if t == nil || wholly && t.whole() != nil {
		return t
	}
	if len(t.parts) == 0 {
		p.refuse(t.at, what+" is empty", "write an address that begins with https://")
		return nil
	}
	first := t.parts[0]
	if first.expr != nil || len(t.parts) > 1 && !openHost.MatchString(first.text) {
		p.refuse(t.at, what+" must begin with its scheme and host as plain text", "write https://host/ before the first {{")
		return nil
	}
	literal := first.text
	if len(t.parts) > 1 {
		literal = openHost.FindString(first.text) // a value may stand in the middle of what follows
	}
	if err := checkAddress(literal, schemes); err != nil {
		p.refuse(t.at, what+": "+err.Error(), "write it like https://example.com/path")
		return nil
	}
	return t
}

// checkAddress refuses what isn't a full address of one of the schemes.
func checkAddress(raw string, schemes []string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("this isn't an address")
	case !slices.Contains(schemes, strings.ToLower(u.Scheme)):
		return errors.New("the address must begin with " + strings.Join(schemes, ":, ") + ":")
	case slices.Contains(webSchemes, strings.ToLower(u.Scheme)) && u.Hostname() == "":
		return errors.New("the address has no host")
	}
	return nil
}

// address renders an address; ok is false when no usable one came out, which is noted.
func (t *turn) address(tm *template, schemes []string) (address string, ok bool) {
	if e := tm.whole(); e != nil {
		address = strings.TrimSpace(textOf(t.eval(e)))
	} else {
		address = t.url(tm)
	}
	if address == "" || len(address) > maxAddress || checkAddress(address, schemes) != nil {
		t.note(tm.at, "this gave no usable address and was left out")
		return "", false
	}
	return address, true
}

// climbs tells whether the path of an address holds a segment "." or "..", plain or encoded: servers resolve these
// to another path than the one the author wrote.
func climbs(u *url.URL) bool {
	return slices.ContainsFunc(strings.Split(u.Path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}
