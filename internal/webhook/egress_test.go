package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"code.dny.dev/ssrf"
)

// unresolved stands for a host that Go takes neither for an address nor for a name.
const unresolved = "no such host"

// hostile lists URLs that try to reach the inside, with the address each comes down to; "" where
// the URL itself is refused. PORT is the trap's. Names all resolve to 127.0.0.1 and ::1.
var hostile = []struct{ url, addr string }{
	// IPv4, plain and in disguise
	{"http://127.0.0.1:PORT/", "127.0.0.1"},
	{"https://127.0.0.1:PORT/", "127.0.0.1"},
	{"HTTP://127.0.0.1:PORT/", "127.0.0.1"},
	{"http://127.0.0.1/", "127.0.0.1"},
	{"https://127.0.0.1/", "127.0.0.1"},
	{"http://127.1.2.3:PORT/", "127.1.2.3"},
	{"http://127.255.255.255:PORT/", "127.255.255.255"},
	{"http://127.0.0.1.:PORT/", unresolved},
	{"http://127.1:PORT/", unresolved},
	{"http://127.0.1:PORT/", unresolved},
	{"http://2130706433:PORT/", unresolved},
	{"http://02130706433:PORT/", unresolved},
	{"http://0x7f000001:PORT/", "127.0.0.1"},
	{"http://0x7f.0.0.1:PORT/", "127.0.0.1"},
	{"http://0x7f.0x0.0x0.0x1:PORT/", "127.0.0.1"},
	{"http://017700000001:PORT/", unresolved},
	{"http://0177.0.0.1:PORT/", unresolved},
	{"http://0177.00.00.01:PORT/", unresolved},
	{"http://127.000.000.001:PORT/", unresolved},
	{"http://4294967297:PORT/", unresolved},
	{"http://%31%32%37.0.0.1:PORT/", ""},
	{"http://１２７.０.０.１:PORT/", "127.0.0.1"},
	{"http://①②⑦.⓪.⓪.①:PORT/", "127.0.0.1"},
	{"http://127。0。0。1:PORT/", "127.0.0.1"},
	{"http://0.0.0.0:PORT/", "0.0.0.0"},
	{"http://0:PORT/", unresolved},
	{"http://0.1.2.3:PORT/", "0.1.2.3"},
	// private, shared, reserved
	{"http://10.0.0.1:PORT/", "10.0.0.1"},
	{"http://172.16.0.1:PORT/", "172.16.0.1"},
	{"http://172.31.255.255:PORT/", "172.31.255.255"},
	{"http://192.168.1.1:PORT/", "192.168.1.1"},
	{"http://100.64.0.1:PORT/", "100.64.0.1"},
	{"http://192.0.0.192:PORT/", "192.0.0.192"},
	{"http://192.0.2.1:PORT/", "192.0.2.1"},
	{"http://198.18.0.1:PORT/", "198.18.0.1"},
	{"http://224.0.0.1:PORT/", "224.0.0.1"},
	{"http://239.255.255.250:PORT/", "239.255.255.250"},
	{"http://240.0.0.1:PORT/", "240.0.0.1"},
	{"http://255.255.255.255:PORT/", "255.255.255.255"},
	// metadata services
	{"http://169.254.169.254/latest/meta-data/", "169.254.169.254"},
	{"http://169.254.170.2/v2/credentials", "169.254.170.2"},
	{"http://100.100.100.200/latest/meta-data/", "100.100.100.200"},
	{"http://168.63.129.16/machine", "168.63.129.16"},
	{"http://[fd00:ec2::254]/latest/meta-data/", "fd00:ec2::254"},
	{"http://[::ffff:169.254.169.254]/", "169.254.169.254"},
	{"http://metadata.google.internal:PORT/", "127.0.0.1"},
	// IPv6
	{"http://[::1]:PORT/", "::1"},
	{"http://[0:0:0:0:0:0:0:1]:PORT/", "::1"},
	{"http://[0000::1]:PORT/", "::1"},
	{"http://[::]:PORT/", "::"},
	{"http://[::ffff:127.0.0.1]:PORT/", "127.0.0.1"},
	{"http://[::ffff:7f00:1]:PORT/", "127.0.0.1"},
	{"http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/", "127.0.0.1"},
	{"http://[::127.0.0.1]:PORT/", "::7f00:1"},
	{"http://[::ffff:0:127.0.0.1]:PORT/", "::ffff:0:7f00:1"},
	{"http://[64:ff9b::127.0.0.1]:PORT/", "64:ff9b::7f00:1"},
	{"http://[64:ff9b:1::7f00:1]:PORT/", "64:ff9b:1::7f00:1"},
	{"http://[2002:7f00:1::]:PORT/", "2002:7f00:1::"},
	{"http://[2001:0:7f00:1::]:PORT/", "2001:0:7f00:1::"},
	{"http://[2001:db8::1]:PORT/", "2001:db8::1"},
	{"http://[100::1]:PORT/", "100::1"},
	{"http://[fc00::1]:PORT/", "fc00::1"},
	{"http://[fd12:3456::1]:PORT/", "fd12:3456::1"},
	{"http://[fe80::1]:PORT/", "fe80::1"},
	{"http://[fe80::1%25lo]:PORT/", "fe80::1"},
	{"http://[::1%25lo]:PORT/", "::1"},
	{"http://[fec0::1]:PORT/", "fec0::1"},
	{"http://[ff02::1]:PORT/", "ff02::1"},
	// names
	{"http://localhost:PORT/", "127.0.0.1"},
	{"http://LOCALHOST:PORT/", "127.0.0.1"},
	{"http://localhost.:PORT/", "127.0.0.1"},
	{"http://foo.localhost:PORT/", "127.0.0.1"},
	{"http://localhost.localdomain:PORT/", "127.0.0.1"},
	{"http://ip6-loopback:PORT/", "::1"},
	{"http://127.0.0.1.nip.io:PORT/", "127.0.0.1"},
	{"http://hooks.example.com:PORT/", "127.0.0.1"},
	{"https://hooks.example.com/", "127.0.0.1"},
	{"http://bücher.example:PORT/", "127.0.0.1"},
	// userinfo, paths and queries that look like hosts
	{"http://example.com@127.0.0.1:PORT/", "127.0.0.1"},
	{"http://example.com:80@127.0.0.1:PORT/", "127.0.0.1"},
	{"http://user:pass@127.0.0.1:PORT/", "127.0.0.1"},
	{"http://127.0.0.1:PORT@localhost:PORT/", "127.0.0.1"},
	{"http://example.com%40@127.0.0.1:PORT/", "127.0.0.1"},
	{"http://127.0.0.1:PORT/?x=@example.com/", "127.0.0.1"},
	{"http://127.0.0.1:PORT#@example.com/", "127.0.0.1"},
	{"http://127.0.0.1:PORT/https://example.com", "127.0.0.1"},
	// URLs that are refused as such
	{"", ""},
	{"http://", ""},
	{"http:///path", ""},
	{"http://:PORT/", ""},
	{"http:127.0.0.1:PORT", ""},
	{"//127.0.0.1:PORT/", ""},
	{"127.0.0.1:PORT", ""},
	{"/etc/passwd", ""},
	{"file:///etc/passwd", ""},
	{"ftp://127.0.0.1:PORT/", ""},
	{"gopher://127.0.0.1:PORT/_x", ""},
	{"dict://127.0.0.1:PORT/", ""},
	{"unix:///var/run/docker.sock", ""},
	{"javascript:alert(1)", ""},
	{"ws://127.0.0.1:PORT/", ""},
	{"http://127.0.0.1:0/", ""},
	{"http://127.0.0.1:65616/", ""},
	{"http://127.0.0.1:PORT:80/", ""},
	{"http://127.0.0.1:PORT\r\nHost: x/", ""},
	{"http://127.0.0.1\t:PORT/", ""},
	{"http://[::1/", ""},
	{"http://::1:PORT/", ""},
	{"http://example.com\\@127.0.0.1:PORT/", ""},
	{" http://127.0.0.1:PORT/", ""},
	{"http://127.0.0.1:PORT/%zz", ""},
	{"http://" + strings.Repeat("a", 9000) + "/", ""},
}

// trap listens on every address of the machine and tells, at the end, whether anybody came.
type trap struct {
	listener net.Listener
	port     uint16
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &trap{l, netip.MustParseAddrPort(l.Addr().String()).Port()}
}

// mustBeUntouched connects itself: were anybody before us in the queue, he would be accepted first.
func (tr *trap) mustBeUntouched(t *testing.T) {
	t.Helper()
	own, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", tr.port))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	first, err := tr.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if netip.MustParseAddrPort(first.RemoteAddr().String()).Port() != netip.MustParseAddrPort(own.LocalAddr().String()).Port() {
		t.Errorf("somebody connected to the trap: %v", first.RemoteAddr())
	}
}

func TestHostileURLsReachNothing(t *testing.T) {
	trap := newTrap(t)
	sender := newSender(t, Policy{
		Ports:    []uint16{trap.port}, // so that the port is not what saves us
		Resolver: names([]string{"127.0.0.1", "::1"}),
	})
	for _, tt := range hostile {
		url := strings.ReplaceAll(tt.url, "PORT", fmt.Sprint(trap.port))
		reply := sender.Send(context.Background(), request(url))
		if reply.Class != Retry || reply.Status != 0 || reply.Err == nil {
			t.Errorf("%q: %v %d %v, want a refusal to be tried again", url, reply.Class, reply.Status, reply.Err)
			continue
		}
		checkRefusal(t, url, tt.addr, reply.Err)
	}
	trap.mustBeUntouched(t)
}

func checkRefusal(t *testing.T, url, addr string, err error) {
	t.Helper()
	var (
		refused *RefusedError
		dns     *net.DNSError
	)
	switch isRefused := errors.As(err, &refused); {
	case addr == "":
		if isRefused || CheckURL(url) == nil {
			t.Errorf("%q: %v, want the URL itself refused", url, err)
		}
	case addr == unresolved:
		if !errors.As(err, &dns) {
			t.Errorf("%q: %v, want a name that can't be resolved", url, err)
		}
	case !isRefused:
		t.Errorf("%q: %v, want a refused address", url, err)
	case addr == "127.0.0.1" && refused.Addr.Addr().IsLoopback():
		// Names have both loopback addresses, and which is tried first is the system's affair.
	case refused.Addr.Addr().WithZone("") != netip.MustParseAddr(addr):
		t.Errorf("%q: refused %v, want %s", url, refused.Addr, addr)
	}
}

// The C library reads 127.1 and 0x7f000001 as addresses where Go does not; whichever is asked here,
// nobody arrives.
func TestNumericHostsReachNothingWithTheSystemsResolver(t *testing.T) {
	trap := newTrap(t)
	sender := newSender(t, Policy{Ports: []uint16{trap.port}})
	for _, tt := range hostile {
		if tt.addr != unresolved {
			continue
		}
		url := strings.ReplaceAll(tt.url, "PORT", fmt.Sprint(trap.port))
		if reply := sender.Send(context.Background(), request(url)); reply.Class != Retry || reply.Err == nil {
			t.Errorf("%q: %v %v", url, reply.Class, reply.Err)
		}
	}
	trap.mustBeUntouched(t)
}

func TestPortsOfPublicAddresses(t *testing.T) {
	sender := newSender(t, Policy{Resolver: names([]string{"93.184.216.34"})})
	for _, url := range []string{
		"http://93.184.216.34:22/", "https://93.184.216.34:8443/", "http://hooks.example.com:6379/", "http://hooks.example.com:65535/",
	} {
		reply := sender.Send(context.Background(), request(url))
		if !errors.Is(reply.Err, ssrf.ErrProhibitedPort) || reply.Class != Retry {
			t.Errorf("%s: %v %v, want a forbidden port", url, reply.Class, reply.Err)
		}
	}
}

func TestAllowedNetworkIsReached(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	sender := newSender(t, Policy{Allow: loopback().Allow, Resolver: names([]string{"127.0.0.1"})})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "hooks.example.com", "user:pass@127.0.0.1"} {
		if reply := sender.Send(context.Background(), request("http://"+host+":"+port+"/")); reply.Class != Delivered {
			t.Errorf("%s: %v %v", host, reply.Class, reply.Err)
		}
	}
}

func TestReboundNameIsRefused(t *testing.T) {
	var hits atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.Header().Set("Connection", "close") // the next call has to dial anew
	})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	// The name first leads to where it may; then to an address beside it.
	sender := newSender(t, Policy{
		Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Resolver: names([]string{"127.0.0.1"}, []string{"127.0.0.2"}),
	})
	url := "http://hooks.example.com.:" + port + "/"
	if reply := sender.Send(context.Background(), request(url)); reply.Class != Delivered {
		t.Fatalf("first call: %v", reply.Err)
	}
	var refused *RefusedError
	if reply := sender.Send(context.Background(), request(url)); !errors.As(reply.Err, &refused) {
		t.Fatalf("second call: %v %v, want a refused address", reply.Class, reply.Err)
	}
	if hits.Load() != 1 {
		t.Errorf("%d calls arrived, want 1", hits.Load())
	}
}

func TestNameWithOneAllowedAddress(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	sender := newSender(t, Policy{
		Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Resolver: names([]string{"10.0.0.1", "127.0.0.1"}),
	})
	if reply := sender.Send(context.Background(), request("http://hooks.example.com:"+port+"/")); reply.Class != Delivered {
		t.Errorf("%v %v", reply.Class, reply.Err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	trap := newTrap(t)
	for _, location := range []string{
		fmt.Sprintf("http://127.0.0.1:%d/", trap.port), fmt.Sprintf("//127.0.0.1:%d/", trap.port), "http://169.254.169.254/", "http://[bad", "",
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			reply := newSender(t, loopback()).Send(context.Background(), request(server.URL))
			if reply.Status != status || reply.Class != Retry || reply.Err != nil {
				t.Errorf("%d to %q: %d %v %v", status, location, reply.Status, reply.Class, reply.Err)
			}
			if !strings.Contains(reply.Problem(), "not followed") {
				t.Errorf("the owner is not told that redirects are not followed: %q", reply.Problem())
			}
		}
	}
	trap.mustBeUntouched(t)
}

// The environment is read once a process, so a fresh one has to try.
func TestNoProxyFromTheEnvironment(t *testing.T) {
	const probe = "WEBHOOK_TEST_PROXY_PROBE"
	if os.Getenv(probe) != "" {
		for _, url := range []string{"http://10.1.2.3/", "https://10.1.2.3/"} {
			reply := newSender(t, loopback()).Send(context.Background(), request(url))
			var refused *RefusedError
			if !errors.As(reply.Err, &refused) || refused.Addr.Addr().String() != "10.1.2.3" {
				t.Errorf("%s: %v, want the target itself refused", url, reply.Err)
			}
		}
		return
	}
	trap := newTrap(t)
	again := exec.Command(os.Args[0], "-test.run=^TestNoProxyFromTheEnvironment$")
	again.Env = append(os.Environ(), probe+"=1", "NO_PROXY=", "no_proxy=")
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		again.Env = append(again.Env, fmt.Sprintf("%s=http://127.0.0.1:%d", name, trap.port))
	}
	accepted := trap.hangUpOnAll()
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if trap.listener.Close(); <-accepted != 0 {
		t.Error("somebody connected to the proxy")
	}
}

// hangUpOnAll counts who comes until the listener is closed, and keeps nobody waiting.
func (tr *trap) hangUpOnAll() (accepted <-chan int) {
	total := make(chan int, 1)
	go func() {
		for n := 0; ; n++ {
			conn, err := tr.listener.Accept()
			if err != nil {
				total <- n
				return
			}
			conn.Close()
		}
	}()
	return total
}
