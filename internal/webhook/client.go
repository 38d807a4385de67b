package webhook

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout       = 10 * time.Second
	idleTimeout       = 90 * time.Second
	headerLimit       = 64 << 10
	defaultHostConns  = 128
	idleConnsPerHost  = 32
	idleConnsTotal    = 1024
	streamBufferLimit = 256 << 10
	connBufferLimit   = 1 << 20
)

// Client is the one guarded HTTP client of the server: every outgoing call to an address that
// somebody typed in goes through it (specs/delivery.md, "Egress"). It is safe for concurrent use.
type Client struct {
	transport *http.Transport
}

// NewClient returns a Client that keeps to policy. It uses no proxy of the environment, verifies
// TLS (1.2 and newer), speaks HTTP/1.1 and HTTP/2, reads at most 64 KiB of answer headers and
// asks for no compression, so that a small answer can't unpack into a large one.
func NewClient(policy Policy) *Client {
	dialer := &net.Dialer{
		Timeout:        dialTimeout,
		Resolver:       policy.Resolver,
		ControlContext: newGuard(policy).control,
	}
	hostConns := policy.ConnsPerHost
	if hostConns <= 0 {
		hostConns = defaultHostConns
	}
	return &Client{transport: &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: policy.Roots},
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: headerLimit,
		MaxConnsPerHost:        hostConns,
		MaxIdleConnsPerHost:    min(hostConns, idleConnsPerHost),
		MaxIdleConns:           idleConnsTotal,
		IdleConnTimeout:        idleTimeout,
		HTTP2: &http.HTTP2Config{
			// A dead connection is noticed before all its requests run into their deadlines.
			SendPingTimeout:               dialTimeout,
			PingTimeout:                   dialTimeout,
			MaxReceiveBufferPerStream:     streamBufferLimit,
			MaxReceiveBufferPerConnection: connBufferLimit,
		},
	}}
}

// Do makes one exchange. A redirect is answered as it came, not followed. The request's context
// bounds the whole exchange with the body, which the caller reads to its own limit and closes;
// replies may stream. Userinfo of the URL becomes basic authentication unless the request has an
// Authorization. Errors are made to be shown: a *RefusedError for an address the policy forbids,
// else one that wraps its cause; none holds the query or the userinfo of the URL.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if err := checkTarget(req.URL); err != nil {
		return nil, errors.Join(err, closeBody(req))
	}
	// Not an http.Client: that one puts the URL into its errors and fails on a bad Location.
	resp, err := c.transport.RoundTrip(authorized(req))
	if err != nil {
		return nil, explain(req.Context(), err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// Such a body is the bare connection, which no context ends.
		return nil, errors.Join(errors.New("the endpoint tried to switch to another protocol"), resp.Body.Close())
	}
	return resp, nil
}

// Close ends the idle connections. Exchanges under way go on; call it after they have ended.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

func authorized(req *http.Request) *http.Request {
	user := req.URL.User
	if user == nil || req.Header.Get("Authorization") != "" {
		return req
	}
	password, _ := user.Password()
	req = req.Clone(req.Context())
	req.SetBasicAuth(user.Username(), password)
	return req
}

func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}
