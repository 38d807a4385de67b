package webhook

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// urlLimit bounds a target before it is parsed.
const urlLimit = 8 << 10

// CheckURL reports whether raw can be a target of calls: an absolute http or https URL with a host.
// It says nothing of the address behind the name: that is checked at every connection. The error
// repeats no part of raw, which may hold secrets.
func CheckURL(raw string) error {
	_, err := parseTarget(raw)
	return err
}

func parseTarget(raw string) (*url.URL, error) {
	if len(raw) > urlLimit {
		return nil, errors.New("the URL is longer than 8192 bytes")
	}
	target, err := url.Parse(raw)
	if err != nil {
		// url.Parse quotes the URL, and with it passwords and tokens.
		return nil, errors.New("the URL can't be read: check its host, its port and its % signs")
	}
	return target, checkTarget(target)
}

func checkTarget(target *url.URL) error {
	switch strings.ToLower(target.Scheme) {
	case "http", "https":
	default:
		return errors.New("the URL must begin with http:// or https://")
	}
	if target.Hostname() == "" {
		return errors.New("the URL has no host")
	}
	if port := target.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("the port of the URL must be a number from 1 to 65535")
		}
	}
	return nil
}
