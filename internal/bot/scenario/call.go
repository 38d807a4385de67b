package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const (
	defaultTimeout = 5 * time.Second
	maxRequest     = 256 << 10
	maxResponse    = 64 << 10 // specs/delivery.md: a reply is read up to 64 KiB
	keyHeader      = "Idempotency-Key"
)

// Doer sends one HTTP request. The core gives the guarded client here; the engine has none of its own.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// call is the `http` of a body.
type call struct {
	at      position
	method  string
	url     *template
	headers []header
	json    *value
	timeout time.Duration
	into    string
}

type header struct {
	name  string
	value *template
}

var methods = []string{"get", "post", "put"}

// ownHeaders can't be set by a file: the transport owns them, or they would break the promise of specs/delivery.md.
var ownHeaders = []string{
	"Host", "Content-Length", "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", keyHeader, "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
}

// reserved are words that `into` can't be, because expressions give them a meaning.
var reserved = []string{
	"let", "if", "else", "in", "and", "or", "not", "nil", "true", "false", "matches", "contains", "startsWith", "endsWith",
}

func (p *parser) call(n *yaml.Node) *call {
	fields := p.record(n, "`http`", "get", "post", "put", "headers", "json", "timeout", "into")
	c := &call{at: place(n), timeout: defaultTimeout}
	for _, method := range methods {
		address := fields[method]
		switch {
		case address == nil:
		case c.method != "":
			p.refuse(place(address), "`http` has two methods, "+c.method+" and "+method, "keep one of get, post, put")
		default:
			c.method = method
			c.url = p.address(address, "the address of `"+method+"`", "", webSchemes, false)
		}
	}
	if c.method == "" {
		p.refuse(c.at, "`http` has no method", "write get, post or put with an address")
	}
	if headers := fields["headers"]; headers != nil {
		c.headers = p.headers(headers)
	}
	if body := fields["json"]; body != nil {
		c.json = p.value(body, "`json`", "", 1)
		if c.method == "get" {
			p.refuse(place(body), "a get carries no `json`", "use post or put, or put the values into the address")
		}
	}
	if timeout := fields["timeout"]; timeout != nil {
		c.timeout = p.duration(timeout, "`timeout`", maxTimeout)
	}
	if into := fields["into"]; into != nil {
		c.into = p.into(into)
	}
	return c
}

func (p *parser) into(n *yaml.Node) string {
	name, ok := p.scalar(n, "`into`")
	switch {
	case !ok:
		return ""
	case !identifier(name) || slices.Contains(reserved, name) || strings.HasPrefix(name, "_"):
		p.refuse(place(n), "`into` can't be "+quote(name), "write a name of letters, digits and _ that begins with a letter")
	case slices.Contains(baseNames, name):
		p.refuse(place(n), "`into` can't be "+quote(name)+", which expressions see already", "choose another name")
	default:
		return name
	}
	return ""
}

func (p *parser) headers(n *yaml.Node) []header {
	var headers []header
	for _, one := range p.pairs(n, "`headers`") {
		name := textproto.CanonicalMIMEHeaderKey(one.key)
		switch {
		case !token7230(one.key):
			p.refuse(one.at, quote(one.key)+" isn't a header name", "write letters, digits and - only")
		case slices.Contains(ownHeaders, name):
			p.refuse(one.at, "the header "+name+" is set by the server", "remove it")
		case slices.ContainsFunc(headers, func(h header) bool { return h.name == name }):
			p.refuse(one.at, "the header "+name+" stands twice", "remove one of them")
		default:
			headers = append(headers, header{name, p.template(one.value, "the header "+name, "")})
		}
	}
	return headers
}

// token7230 tells whether a name is a header name of RFC 7230.
func token7230(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return r >= 0x7f || r <= ' ' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// call makes the request and puts what came back into the turn's names. Failures stay in the names: the author
// decides what to say. Only the end of the turn itself is an error.
func (t *turn) call(c *call) error {
	answer := map[string]any{"status": 0, "body": nil, "error": ""}
	if c.into != "" {
		t.env[c.into] = answer
	}
	request, err := t.request(c)
	if err == nil {
		err = t.exchange(request, c.timeout, answer)
	}
	if ended := t.ctx.Err(); ended != nil {
		return ended
	}
	if err != nil {
		answer["error"] = err.Error()
		t.note(c.at, "the HTTP call failed: "+err.Error())
	}
	return nil
}

func (t *turn) request(c *call) (*http.Request, error) {
	address, err := url.Parse(t.url(c.url))
	switch {
	case err != nil || address.Host == "":
		return nil, errors.New("the address is malformed")
	case len(address.String()) > maxAddress:
		return nil, errors.New("the address is longer than 4,000 bytes")
	case climbs(address):
		return nil, errors.New("the address holds . or .. as a part of its path")
	}
	var body io.Reader
	if c.json != nil {
		value := t.value(c.json)
		if weigh(value, maxRequest) > maxRequest {
			return nil, errors.New("the json is longer than 256 KiB")
		}
		text, err := jsonOf(value)
		if err != nil {
			return nil, errors.New("the json can't be written")
		}
		body = strings.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.ctx, strings.ToUpper(c.method), address.String(), body)
	if err != nil {
		return nil, errors.New("the address is malformed")
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range c.headers {
		request.Header.Set(h.name, headerValue(t.text(h.value)))
	}
	if t.fx.Key != "" {
		request.Header.Set(keyHeader, t.fx.Key)
	}
	return request, nil
}

// headerValue replaces what would break a header line by a space.
func headerValue(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

// exchange sends the request and reads the answer within the timeout.
func (t *turn) exchange(request *http.Request, timeout time.Duration, answer map[string]any) error {
	if t.fx.HTTP == nil {
		return errors.New("HTTP calls are switched off here")
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	response, err := t.fx.HTTP.Do(request.WithContext(ctx))
	if err != nil {
		return callError(err)
	}
	defer func() { _ = response.Body.Close() }() // the body was read or is given up; there is nothing to do about it
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return callError(err)
	case len(body) > maxResponse:
		return errors.New("the answer is longer than 64 KiB")
	}
	answer["status"] = response.StatusCode
	answer["body"] = clean(string(body))
	if !looksLikeJSON(response.Header.Get("Content-Type"), body) {
		return nil
	}
	value, err := decodeJSON(body)
	if err != nil {
		return errors.New("the answer says it is JSON but isn't")
	}
	answer["body"] = value
	return nil
}

// looksLikeJSON trusts the content type, and without a telling one the first character.
func looksLikeJSON(contentType string, body []byte) bool {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return false
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && kind != "text/plain" && kind != "application/octet-stream" {
		return strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
	}
	return (body[0] == '{' || body[0] == '[') && body[len(body)-1] == body[0]+2
}

// callError says what failed without the address, which holds the client's words.
func callError(err error) error {
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return errors.New("no answer in time")
	}
	var network *net.OpError // names an operation and a network address only
	if errors.As(err, &network) {
		return fmt.Errorf("no connection: %s", oneLine(network.Error()))
	}
	return errors.New("no connection")
}
