package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// load reads a configuration the way the command does.
func load(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	var cli struct {
		Serve struct{ Config } `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Name("tolmach"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return cli.Serve.Config, err
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tolmach.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	got, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Storage: Storage{Data: "./data"},
		HTTP: HTTP{Listen: "127.0.0.1:8080", MaxBody: 256 << 10, MaxHeader: 32 << 10, MaxConnections: 20000,
			HeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, ShutdownTimeout: 10 * time.Second},
		Egress:   Egress{Ports: []int{80, 443}},
		Delivery: Delivery{Horizon: 72 * time.Hour, Retention: 30 * 24 * time.Hour, Lease: time.Minute},
		Login:    Login{SessionLife: 12 * time.Hour, Tries: 10, TriesPerAddress: 50, Window: 15 * time.Minute},
		Log:      Log{Format: "text", Level: "info"},
		Trace:    Trace{Sample: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

const everyKey = `
data: /var/lib/tolmach
database: postgres://u:p@db/tolmach
apply: [a.yaml, b.yaml]
listen: "[::1]:80"
public-url: https://chat.example.com
trusted-proxies: [10.0.0.0/8, 192.0.2.1, "2001:db8::/32"]
max-body: 1MiB
max-header: 8192
max-connections: 7
header-timeout: 1s
read-timeout: 2s
write-timeout: 5s
idle-timeout: 3s
shutdown-timeout: 4s
egress-allow: [127.0.0.0/8]
egress-ports: [80, 443, 8443]
delivery-horizon: 1h
delivery-retention: 2h
delivery-lease: 3m
session-life: 3h
login-tries: 3
login-tries-per-address: 4
login-window: 5m
log-format: json
log-level: debug
metrics-listen: 127.0.0.1:9090
trace-endpoint: https://collector.test:4318/otlp/v1/traces
trace-sample: 0.25
`

func networks(prefixes ...string) []Network {
	var all []Network
	for _, p := range prefixes {
		all = append(all, Network(netip.MustParsePrefix(p)))
	}
	return all
}

func TestFile(t *testing.T) {
	path := write(t, everyKey)
	got, err := load(t, "--config", path)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		File:    path,
		Storage: Storage{Data: "/var/lib/tolmach", Database: "postgres://u:p@db/tolmach"},
		Setup:   Setup{Apply: []string{"a.yaml", "b.yaml"}},
		HTTP: HTTP{Listen: "[::1]:80", PublicURL: "https://chat.example.com",
			TrustedProxies: networks("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"),
			MaxBody:        1 << 20, MaxHeader: 8192, MaxConnections: 7,
			HeaderTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: 3 * time.Second, ShutdownTimeout: 4 * time.Second},
		Egress:   Egress{Allow: networks("127.0.0.0/8"), Ports: []int{80, 443, 8443}},
		Delivery: Delivery{Horizon: time.Hour, Retention: 2 * time.Hour, Lease: 3 * time.Minute},
		Login:    Login{SessionLife: 3 * time.Hour, Tries: 3, TriesPerAddress: 4, Window: 5 * time.Minute},
		Log:      Log{Format: "json", Level: "debug"},
		Metrics:  Metrics{Listen: "127.0.0.1:9090"},
		Trace:    Trace{Endpoint: "https://collector.test:4318/otlp/v1/traces", Sample: 0.25},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, f := range fields() {
		if f.inFile() && !strings.Contains(everyKey, "\n"+f.name+": ") {
			t.Errorf("the file above lacks %s", f.name)
		}
	}
}

func TestPrecedence(t *testing.T) {
	path := write(t, "listen: :1\nlog-level: warn\negress-ports: [1]\napply: [file.yaml]\nsession-life: 1h")
	t.Setenv("TOLMACH_CONFIG", path)
	t.Setenv("TOLMACH_LOG_LEVEL", "error")
	t.Setenv("TOLMACH_LISTEN", ":2")
	t.Setenv("TOLMACH_EGRESS_ALLOW", "10.0.0.0/8,192.0.2.1")
	got, err := load(t, "--listen=:3", "--apply=x.yaml", "--apply=y.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{HTTP: HTTP{Listen: ":3"}, Log: Log{Level: "error"}, Setup: Setup{Apply: []string{"x.yaml", "y.yaml"}},
		Egress: Egress{Ports: []int{1}, Allow: networks("10.0.0.0/8", "192.0.2.1/32")}, Login: Login{SessionLife: time.Hour}}
	if got.HTTP.Listen != want.HTTP.Listen || got.Log.Level != want.Log.Level || !reflect.DeepEqual(got.Setup, want.Setup) ||
		!reflect.DeepEqual(got.Egress, want.Egress) || got.Login.SessionLife != want.Login.SessionLife {
		t.Errorf("got %+v", got)
	}
}

func TestFlagEqualToItsDefaultBeatsTheFile(t *testing.T) {
	got, err := load(t, "--config", write(t, "login-tries: 3"), "--login-tries=10")
	if err != nil || got.Login.Tries != 10 {
		t.Errorf("got %d, %v", got.Login.Tries, err)
	}
}

func TestRefusals(t *testing.T) {
	const file = "FILE"
	tests := []struct {
		name, file string
		args       []string
		want       []string
	}{
		{"unknown key", "listn: :1", nil, []string{file + `:1:1: listn: unknown key; did you mean "listen"?`}},
		{"unknown key with an underscore", "publi_url: http://a", nil, []string{file + `:1:1: publi_url: unknown key; did you mean "public-url"?`}},
		{"one key in two spellings", "public_url: http://a\nlisten: :1\npublic-url: http://b", nil, []string{
			file + ":3:1: public-url: is written twice, first on line 1 (_ and - are the same); remove one"}},
		{"one key in two spellings again", "log-level: info\nlog_level: info", nil, []string{
			file + ":2:1: log_level: is written twice, first on line 1 (_ and - are the same); remove one"}},
		{"the file in the file", "config: x", nil, []string{file + ":1:1: config: unknown key; the keys here are data, database, apply"}},
		{"wrong types", "listen: [a]\nmax-connections: many\negress-ports: 80\nheader-timeout: 10\nmax-body: big\ntrusted-proxies: [ten]", nil, []string{
			file + ":1:9: listen: must be text, not a list",
			file + `:2:18: max-connections: "many" is not a whole number; write digits only, without quotes`,
			file + ":3:15: egress-ports: must be a list, not a number",
			file + `:4:17: header-timeout: "10" has no unit; write it as 90s, 15m or 1h30m`,
			file + `:5:11: max-body: "big" is not a size; write it as 262144, 256KiB or 10MiB`,
			file + `:6:19: trusted-proxies[0]: "ten" is not a network; write it as 10.0.0.0/8 or as one address`,
		}},
		{"form and meaning together", "listn: x\nlog-level: loud", []string{"--listen=nowhere"}, []string{
			file + `:1:1: listn: unknown key; did you mean "listen"?`,
			`--listen: "nowhere" is not an address to listen on; write it as 127.0.0.1:8080 or :8080`,
			file + `:2:12: log-level: "loud" is unknown; write one of debug, info, warn, error`,
		}},
		{"two documents", "listen: :1\n---\nlisten: :2", nil, []string{file + ":3:1: a configuration file has one document; remove the --- and what follows"}},
		{"no YAML", "listen: [", nil, []string{file + ":2:1: did not find expected node content"}},
		{"no mapping", "- a", nil, []string{file + ":1:1: must be keys with values, not a list"}},
		{"times and amounts", "", []string{"--header-timeout=0s", "--read-timeout=-1s", "--login-tries=0", "--max-header=0", "--max-connections=-1"}, []string{
			"--max-header: 0 bytes are too few; write a size as 256KiB",
			"--max-connections: -1 is too small; write at least 1",
			"--header-timeout: 0s is no time to wait; write a positive one, as 30s",
			"--read-timeout: -1s is no time to wait; write a positive one, as 30s",
			"--login-tries: 0 is too small; write at least 1",
		}},
		{"small body", "", []string{"--max-body=64KiB"}, []string{"--max-body: 65536 bytes are too few for the longest message; write at least 128KiB"}},
		{"timeouts in the wrong order", "", []string{"--read-timeout=5s"}, []string{"--read-timeout: 5s is shorter than the header timeout of 10s; make it at least as long"}},
		{"retention", "delivery-retention: 1h", nil, []string{file + ":1:21: delivery-retention: 1h0m0s is shorter than the horizon of 72h0m0s"}},
		{"ports", "", []string{"--egress-ports=80,65536"}, []string{"--egress-ports: 65536 is not a port; write numbers from 1 to 65535"}},
		{"metrics", "", []string{"--metrics-listen=127.0.0.1:8080"}, []string{`--metrics-listen: "127.0.0.1:8080" is the address of the server itself; take another port`}},
		{"empty names", "data: ''\napply: ['']", nil, []string{
			file + ":1:7: data: is empty; name the directory of the data",
			file + ":2:8: apply: has an empty name in its list; remove it",
		}},
		{"flag of a bad network", "", []string{"--egress-allow=10.0.0.1/8"}, []string{`"10.0.0.1/8" has bits set beyond its mask; did you mean 10.0.0.0/8?`}},
		{"flag of a bad word", "", []string{"--log-format=xml"}, []string{`--log-format must be one of "text","json" but got "xml"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args, path := tt.args, ""
			if tt.file != "" {
				path = write(t, tt.file)
				args = append(args, "--config", path)
			}
			_, err := load(t, args...)
			if err == nil {
				t.Fatal("accepted")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Errorf("%d problems, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for i, want := range tt.want {
				if want = strings.Replace(want, file, path, 1); i < len(lines) && !strings.Contains(lines[i], want) {
					t.Errorf("line %d:\ngot  %s\nwant %s", i, lines[i], want)
				}
			}
		})
	}
}

func TestProblemOfAVariableNamesIt(t *testing.T) {
	t.Setenv("TOLMACH_LISTEN", "8080")
	_, err := load(t)
	if err == nil || !strings.HasPrefix(err.Error(), `TOLMACH_LISTEN: "8080" is not an address to listen on`) {
		t.Errorf("got %v", err)
	}
}

func TestMissingFile(t *testing.T) {
	_, err := load(t, "--config=missing.yaml")
	if err == nil || !strings.Contains(err.Error(), "the configuration file can't be read: open missing.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyFile(t *testing.T) {
	if _, err := load(t, "--config", write(t, "# nothing yet\n")); err != nil {
		t.Error(err)
	}
}

func TestPublicURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://chat.example.com":      "",
		"http://127.0.0.1:8080/":        "",
		"http://[::1]:8080":             "",
		"chat.example.com":              "not an absolute http or https address",
		"chat.example.com:443":          "not an absolute http or https address",
		"ftp://chat.example.com":        "not an absolute http or https address",
		"https://":                      "not an absolute http or https address",
		"https://:443":                  "not an absolute http or https address",
		"https://user:pw@example.com":   "holds a user or password",
		"https://example.com/chat":      "goes on after the host",
		"https://example.com?a=b":       "goes on after the host",
		"https://example.com?":          "goes on after the host",
		"https://example.com#top":       "goes on after the host",
		"https://exa mple.com":          "not an absolute http or https address",
		"https://user:hunter2@exa mple": "not an absolute http or https address",
	} {
		_, err := load(t, "--public-url="+url)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}

func TestTraceEndpoint(t *testing.T) {
	for url, want := range map[string]string{
		"":                                "",
		"http://127.0.0.1:4318":           "",
		"https://collector.test":          "",
		"http://[::1]:4318/otlp/traces":   "",
		"127.0.0.1:4318":                  "not an absolute http or https address",
		"grpc://collector.test:4317":      "not an absolute http or https address",
		"http://:4318":                    "not an absolute http or https address",
		"https://user:hunter2@exa mple":   "not an absolute http or https address",
		"https://user:hunter2@collector":  "OTEL_EXPORTER_OTLP_HEADERS",
		"https://collector/?key=hunter2":  "remove what stands after",
		"https://collector/v1/traces#top": "remove what stands after",
	} {
		_, err := load(t, "--trace-endpoint="+url)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}

func TestTraceSample(t *testing.T) {
	for _, sample := range []string{"0", "0.001", "1"} {
		if _, err := load(t, "--trace-sample="+sample); err != nil {
			t.Errorf("%s: %v", sample, err)
		}
	}
	for _, sample := range []string{"-0.1", "1.1", "10", "NaN", "+Inf"} {
		if _, err := load(t, "--trace-sample="+sample); err == nil || !strings.Contains(err.Error(), "--trace-sample") {
			t.Errorf("%s: got %v", sample, err)
		}
	}
}

// TestUnderscores stand for dashes in the keys of the file.
func TestUnderscores(t *testing.T) {
	got, err := load(t, "--config", write(t, "public_url: https://chat.example.com\nlogin-tries_per_address: 7\nlog_level: loud"))
	if err == nil || !strings.HasSuffix(err.Error(), `:3:12: log-level: "loud" is unknown; write one of debug, info, warn, error`) {
		t.Errorf("got %v", err)
	}
	if got.HTTP.PublicURL != "https://chat.example.com" || got.Login.TriesPerAddress != 7 {
		t.Errorf("got %+v", got)
	}
}

// TestDatabase: what is wrong with an address is said without it, since it
// holds a password.
func TestDatabase(t *testing.T) {
	for url, good := range map[string]bool{
		"postgres://u:hunter2@db/tolmach":                                   true,
		"postgresql://u@db:5432/tolmach?sslmode=verify-full":                true,
		"postgres://u:hunter2@a:5432,b:5432/t?target_session_attrs=primary": true,
		"mysql://u:hunter2@db/tolmach":                                      false,
		"postgres://u:hunter2@d b/tolmach":                                  false,
		"postgres:///tolmach?password=hunter2":                              false,
		"u:hunter2@db/tolmach":                                              false,
	} {
		_, err := load(t, "--database="+url)
		switch {
		case good && err != nil:
			t.Errorf("%s: %v", url, err)
		case !good && (err == nil || !strings.Contains(err.Error(), "--database: is not an address of PostgreSQL")):
			t.Errorf("%s: got %v, want it refused", url, err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("the error tells the password: %v", err)
		}
	}
	_, err := load(t, "--config", write(t, "database: [hunter2]"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a list for an address: got %v, want an error without it", err)
	}
}
