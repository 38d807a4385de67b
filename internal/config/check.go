package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// minBody leaves room for the longest message, 64 KiB of text, in JSON.
const minBody = 128 << 10

// checker collects what is wrong with a configuration, by setting.
type checker struct {
	origins map[string]string
	found   map[string][]error
}

// refuse records a problem with a setting at the place where it was given.
func (k *checker) refuse(name, format string, args ...any) {
	origin, ok := k.origins[name]
	if !ok {
		origin = "--" + name
	}
	k.found[name] = append(k.found[name], fmt.Errorf("%s: %s", origin, fmt.Sprintf(format, args...)))
}

// all joins the problems in the order of the settings.
func (k *checker) all() error {
	var ordered []error
	for _, f := range fields() {
		ordered = append(ordered, k.found[f.name]...)
	}
	return errors.Join(ordered...)
}

// check says everything that is wrong with the values, one error joined of
// all problems. origins names where a setting was given.
func (c *Config) check(origins map[string]string) error {
	k := &checker{origins: origins, found: map[string][]error{}}
	for _, f := range fields() {
		k.checkField(f, f.of(c))
	}
	c.Storage.check(k)
	c.HTTP.check(k)
	for _, port := range c.Egress.Ports {
		if port < 1 || port > 65535 {
			k.refuse("egress-ports", "%d is not a port; write numbers from 1 to 65535", port)
		}
	}
	if c.Delivery.Retention < c.Delivery.Horizon {
		k.refuse("delivery-retention", "%s is shorter than the horizon of %s, so that events would go before they are parked; make it longer",
			c.Delivery.Retention, c.Delivery.Horizon)
	}
	if c.Metrics.Listen != "" {
		k.checkListen("metrics-listen", c.Metrics.Listen)
		if c.Metrics.Listen == c.HTTP.Listen {
			k.refuse("metrics-listen", "%q is the address of the server itself; take another port", c.Metrics.Listen)
		}
	}
	c.Trace.check(k)
	return k.all()
}

// checkField applies what holds for every setting of a type: amounts and times
// are positive, words are of their list, lists hold no empty names.
func (k *checker) checkField(f field, v reflect.Value) {
	switch value := v.Interface().(type) {
	case time.Duration:
		if value <= 0 {
			k.refuse(f.name, "%s is no time to wait; write a positive one, as 30s", value)
		}
	case int:
		if value < 1 {
			k.refuse(f.name, "%d is too small; write at least 1", value)
		}
	case Size:
		if value < 1 {
			k.refuse(f.name, "%d bytes are too few; write a size as 256KiB", int64(value))
		}
	case []string:
		if slices.Contains(value, "") {
			k.refuse(f.name, "has an empty name in its list; remove it")
		}
	case string:
		if f.enum != nil && !slices.Contains(f.enum, value) {
			k.refuse(f.name, "%q is unknown; write one of %s", value, strings.Join(f.enum, ", "))
		}
	}
}

func (s Storage) check(k *checker) {
	if s.Data == "" {
		k.refuse("data", "is empty; name the directory of the data")
	}
	if s.Database == "" {
		return
	}
	// The address holds a password, so neither it nor the parser's error is told.
	u, err := url.Parse(s.Database)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host == "" {
		k.refuse("database", "is not an address of PostgreSQL; write it as postgres://user:password@host/name")
	}
}

func (h HTTP) check(k *checker) {
	k.checkListen("listen", h.Listen)
	if h.PublicURL != "" {
		k.checkPublicURL(h.PublicURL)
	}
	if h.MaxBody > 0 && h.MaxBody < minBody {
		k.refuse("max-body", "%d bytes are too few for the longest message; write at least %dKiB", int64(h.MaxBody), minBody>>10)
	}
	if h.ReadTimeout > 0 && h.ReadTimeout < h.HeaderTimeout {
		k.refuse("read-timeout", "%s is shorter than the header timeout of %s; make it at least as long", h.ReadTimeout, h.HeaderTimeout)
	}
}

func (t Trace) check(k *checker) {
	if t.Endpoint != "" {
		k.checkTraceEndpoint(t.Endpoint)
	}
	if math.IsNaN(t.Sample) || t.Sample < 0 || t.Sample > 1 {
		k.refuse("trace-sample", "%v is no share; write a number from 0 to 1, as 0.1", t.Sample)
	}
}

func (k *checker) checkTraceEndpoint(address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		k.refuse("trace-endpoint", "is not an absolute http or https address; write it as http://127.0.0.1:4318")
	case u.User != nil:
		k.refuse("trace-endpoint", "holds a user or password; give the collector's headers in OTEL_EXPORTER_OTLP_HEADERS instead")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#"):
		k.refuse("trace-endpoint", "goes on after the path; remove what stands after the ? or #")
	}
}

func (k *checker) checkListen(name, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		k.refuse(name, "%q is not an address to listen on; write it as 127.0.0.1:8080 or :8080", address)
	}
}

func (k *checker) checkPublicURL(address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		k.refuse("public-url", "is not an absolute http or https address; write it as https://chat.example.com")
	case u.User != nil:
		k.refuse("public-url", "holds a user or password; remove what stands before the @")
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#"):
		k.refuse("public-url", "%q goes on after the host; the server needs a host of its own, so write https://host", address)
	}
}
