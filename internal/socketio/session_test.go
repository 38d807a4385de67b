package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/tolmach/tolmach/internal/engineio"
)

func asClosed(err error, end *wsutil.ClosedError) bool { return errors.As(err, end) }

// app is a namespace for tests: it greets, echoes, and reports who comes and goes.
type app struct {
	came chan *Socket
	gone chan Reason
}

func newApp() *app { return &app{came: make(chan *Socket, 100), gone: make(chan Reason, 100)} }

func (a *app) Connect(s *Socket, h Handshake) (Receiver, error) {
	switch h.Query.Get("as") {
	case "stranger":
		return nil, &ConnectError{Message: "no key", Data: map[string]int{"code": 7}}
	case "unlucky":
		return nil, errors.New("secret reason")
	case "panic":
		panic("asked for")
	}
	a.came <- s
	if h.Recovered {
		return resident{a, s}, s.Emit("welcome back")
	}
	return resident{a, s}, s.Emit("hello", h.Auth)
}

type resident struct {
	app *app
	s   *Socket
}

func (r resident) Event(e *Event) {
	switch e.Name {
	case "panic":
		panic("asked for")
	case "ack":
		_ = e.Ack(e.Args)
		_ = e.Ack("a second answer is not sent")
	case "leave me":
		r.s.Disconnect()
	case "join":
		var room string
		_ = e.Args.Decode(&room) // no room is a room too
		_ = e.Ack(fmt.Sprint(r.s.Join(room)))
	default:
		_ = r.s.Emit(e.Name+"-back", e.Args)
	}
}

func (r resident) Disconnected(reason Reason) { r.app.gone <- reason }

func TestRevision5(t *testing.T) {
	a := newApp()
	_, url := open(t, Config{}, map[string]Handler{"/": a, "/custom": newApp()})
	p := dial(t, url, "EIO=4")
	p.write("40")
	p.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	if s := receive(t, a.came); s.ID() == s.Conn().ID() || len(s.ID()) < 20 {
		t.Error("the socket's id has to be its own")
	}
	p.write(`40/custom,{"token":"жетон"}`)
	p.expect(`40/custom,{"sid":"*"}`, `42/custom,["hello",{"token":"жетон"}]`)
	p.write("40/random")
	p.expect(`44/random,{"message":"Invalid namespace"}`)
	p.write(`42["message",1,"2",{"3":[true]}]`)
	p.expect(`42["message-back",1,"2",{"3":[true]}]`)
	p.write(`42456["ack",1,"2"]`)
	p.expect(`43456[1,"2"]`)
	p.write(`42/custom,0["ack"]`)
	p.expect(`43/custom,0[]`)
	p.write(`452-789["ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	p.writeBinary("\x01\x02")
	p.writeBinary("")
	p.expect(`462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "\x01\x02", "")
	p.write("41/custom", `42/custom,["nobody hears"]`, `42["still"]`)
	p.expect(`42["still-back"]`)
	p.write("41")
	if got := receive(t, a.gone); got != ClientDisconnected {
		t.Error(got)
	}
	p.write("40")
	p.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	p.write(`42["leave me"]`)
	p.expect("41")
	if got := receive(t, a.gone); got != ServerDisconnected {
		t.Error(got)
	}
}

// specs/live.md §2.1
func TestRevision4(t *testing.T) {
	a := newApp()
	_, url := open(t, Config{}, map[string]Handler{"/": a, "/admin": a})
	p := dial(t, url, "EIO=3")
	p.expect("40", `42["hello",{}]`)
	if s := receive(t, a.came); s.ID() != s.Conn().ID() {
		t.Error("a client of revision 4 takes the connection's id for its own")
	}
	p.write("40/admin?token=1")
	p.expect("40/admin,", `42/admin,["hello",{}]`)
	if s := receive(t, a.came); s.ID() != "/admin#"+s.Conn().ID() {
		t.Error(s.ID())
	}
	p.write("40/random")
	p.expect(`44/random,"Invalid namespace"`)
	p.write(`420["ack","ё"]`)
	p.expect(`430["ё"]`)
	p.write("40/admin?token=1", `42["again"]`) // asked twice, answered once
	p.expect(`42["again-back"]`)
	refused := dial(t, url, "EIO=3&as=unlucky")
	refused.expect(`44"Connection refused"`)
}

func TestRefusedByTheHandler(t *testing.T) {
	_, url := open(t, Config{}, map[string]Handler{"/": newApp()})
	for query, want := range map[string]string{
		"EIO=4&as=stranger": `44{"data":{"code":7},"message":"no key"}`,
		"EIO=4&as=unlucky":  `44{"message":"Connection refused"}`,
	} {
		p := dial(t, url, query)
		p.write("40")
		p.expect(want)
	}
	p := dial(t, url, "EIO=4&as=panic")
	p.write("40")
	p.closed()
}

// Each of these ends its own connection; a bystander is asked after every one.
func TestOffences(t *testing.T) {
	_, url := open(t, Config{MaxEvent: 1000, MaxNamespaces: 2}, map[string]Handler{"/": newApp(), "/b": newApp(), "/c": newApp()})
	bystander := dial(t, url, "EIO=4")
	bystander.write("40")
	bystander.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	cases := map[string][]string{
		"an event first":            {`42["x"]`},
		"rubbish first":             {"4abc"},
		"unknown type":              {"40", "4abc"},
		"payload not an array":      {"40", "42{}"},
		"bad ack id":                {"40", `42abc["ack"]`},
		"empty array":               {"40", "42[]"},
		"deep nesting":              {"40", `42["x",` + strings.Repeat("[", 20_000)},
		"text amid attachments":     {"40", `451-["x",{"_placeholder":true,"num":0}]`, `42["x"]`},
		"attachment of nothing":     {"40", "bAQID"},
		"placeholder out of range":  {"40", `451-["x",{"_placeholder":true,"num":1}]`, "bAQID"},
		"negative placeholder":      {"40", `451-["x",{"_placeholder":true,"num":-1}]`, "bAQID"},
		"placeholder of no number":  {"40", `451-["x",{"_placeholder":true,"num":"0"}]`, "bAQID"},
		"too many attachments":      {"40", `4599-["x"]`},
		"event too big":             {"40", `451-["` + strings.Repeat("x", 990) + `"]`, "bAQIDBAUGBwgJAAECAwQFBgcICQABAgMEBQ=="},
		"namespace twice":           {"40", "40"},
		"too many namespaces":       {"40", "40/b", "40/c"},
		"namespace of 100 KB":       {"40/" + strings.Repeat("n", 100_000)},
		"CONNECT_ERROR by a client": {"40", `44{"message":"x"}`},
		"a panic":                   {"40", `42["panic"]`},
	}
	for name, packets := range cases {
		t.Run(name, func(t *testing.T) {
			p := dial(t, url, "EIO=4")
			p.write(packets...)
			p.closed()
			bystander.write(`42["well"]`)
			bystander.expect(`42["well-back"]`)
		})
	}
}

func TestHostileNamespaces(t *testing.T) {
	_, url := open(t, Config{}, map[string]Handler{"/": newApp()})
	p := dial(t, url, "EIO=4")
	p.write("40")
	p.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	for _, name := range []string{"/__proto__", "/../../etc", "/ё👋", "/\x1e", "/a\"b", "//", "/?x=1"} {
		spelled, _, _ := strings.Cut(name, "?")
		p.write("40" + name + ",")
		if spelled == "/" {
			p.closed() // the root by another spelling, and it is there already
			break
		}
		p.expect("44" + spelled + `,{"message":"Invalid namespace"}`)
	}
}

func TestConnectTimeout(t *testing.T) {
	_, url := open(t, Config{ConnectTimeout: 20 * time.Millisecond}, map[string]Handler{"/": newApp()})
	lazy := dial(t, url, "EIO=4")
	busy := dial(t, url, "EIO=4")
	busy.write("40")
	lazy.closed()
	busy.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	busy.write(`42["x"]`)
	busy.expect(`42["x-back"]`)
}

// specs/live.md §2.8
func TestAlias(t *testing.T) {
	const alias = "/operator/socket.io/"
	a := newApp()
	s, url := open(t, Config{Aliases: map[string]string{alias: "/"}}, map[string]Handler{"/": a})
	five := dial(t, url, "EIO=4")
	five.write("40" + alias + ",")
	five.expect("40"+alias+`,{"sid":"*"}`, "42"+alias+`,["hello",{}]`)
	four := dial(t, url, "EIO=3&key=K")
	four.expect("40", `42["hello",{}]`)
	four.write("40" + alias + "?key=K")
	four.expect("40"+alias+",", "42"+alias+`,["hello",{}]`)
	if got := receive(t, a.gone); got != ServerDisconnected { // the root nobody had asked for
		t.Error(got)
	}
	if err := s.namespaces["/"].All().Emit("news"); err != nil {
		t.Fatal(err)
	}
	five.expect("42" + alias + `,["news"]`)
	four.expect("42" + alias + `,["news"]`)
	four.write("42" + alias + `,["x"]`)
	four.expect("42" + alias + `,["x-back"]`) // and nothing twice
}

func TestRooms(t *testing.T) {
	a := newApp()
	s, url := open(t, Config{MaxRooms: 3}, map[string]Handler{"/": a})
	n := s.namespaces["/"]
	var peers []*peer
	var sockets []*Socket
	for range 3 {
		p := dial(t, url, "EIO=4")
		p.write("40")
		p.expect(`40{"sid":"*"}`, `42["hello",{}]`)
		peers = append(peers, p)
		sockets = append(sockets, receive(t, a.came))
	}
	for i, names := range [][]string{{"a", "b", "c"}, {"b"}, {"b", "c"}} {
		for _, name := range names {
			if err := sockets[i].Join(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := sockets[0].Join("d"); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
	sockets[0].Leave("b")
	sockets[0].Leave("nowhere")
	if got := fmt.Sprint(n.CountIn("a"), n.CountIn("b"), n.CountIn("c"), n.Count(), n.Socket(sockets[1].ID()) == sockets[1]); got != "1 2 2 3 true" {
		t.Error(got)
	}
	for _, target := range []Target{n.To("b"), n.To("a", "b", "c"), n.To("b", "c").Except(sockets[2]), n.All().Except(sockets[1])} {
		if err := target.Emit("x", len(target.rooms)); err != nil {
			t.Fatal(err)
		}
	}
	peers[0].expect(`42["x",3]`, `42["x",2]`, `42["x",0]`)
	peers[1].expect(`42["x",1]`, `42["x",3]`, `42["x",2]`)
	peers[2].expect(`42["x",1]`, `42["x",3]`, `42["x",0]`)
	_ = peers[2].conn.Close()
	receive(t, a.gone)
	if n.CountIn("b") != 1 || n.CountIn("c") != 1 || n.Count() != 2 || sockets[2].Join("a") != ErrDisconnected {
		t.Error("whoever left is still there")
	}
}

func TestAcksOfTheClient(t *testing.T) {
	a := newApp()
	_, url := open(t, Config{MaxAcks: 2}, map[string]Handler{"/": a})
	p := dial(t, url, "EIO=4")
	p.write("40")
	p.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	s := receive(t, a.came)
	answers := make(chan string, 10)
	ask := func(timeout time.Duration) error {
		return s.EmitAck("q", timeout, func(args Args, err error) {
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- fmt.Sprintf("%s %x", args.values, args.Attachments())
		})
	}
	if err := errors.Join(ask(patience), ask(patience)); err != nil {
		t.Fatal(err)
	}
	if err := ask(patience); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
	p.expect(`420["q"]`, `421["q"]`)
	p.write(`431["second"]`, `431["twice"]`, `4399["never asked"]`, `461-0[{"_placeholder":true,"num":0}]`)
	p.writeBinary("\x07")
	if got := receive(t, answers) + receive(t, answers); got != `["second"] [][{"_placeholder":true,"num":0}] [07]` {
		t.Error(got)
	}
	if err := ask(time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, answers); got != ErrTimeout.Error() {
		t.Error(got)
	}
	if err := ask(patience); err != nil {
		t.Fatal(err)
	}
	p.write("41")
	if got := receive(t, answers); got != ErrDisconnected.Error() {
		t.Error(got)
	}
	if err := ask(patience); !errors.Is(err, ErrDisconnected) {
		t.Error(err)
	}
}

// A lost socket comes back with its id, its rooms and what it missed; only to a client that asked for it.
func TestRecovery(t *testing.T) {
	a := newApp()
	s, url := open(t, Config{Recovery: Recovery{MaxAge: time.Minute}}, map[string]Handler{"/": a})
	n := s.namespaces["/"]
	plain := dial(t, url, "EIO=4")
	plain.write("40")
	plain.expect(`40{"sid":"*"}`, `42["hello",{}]`)
	receive(t, a.came)
	p := dial(t, url, "EIO=4&recovery=1")
	p.write("40")
	var greeting struct{ SID, PID string }
	if err := json.Unmarshal([]byte(p.next()[2:]), &greeting); err != nil || greeting.PID == "" {
		t.Fatal(greeting, err)
	}
	p.expect(`42["hello",{},"*"]`)
	socket := receive(t, a.came)
	if err := errors.Join(socket.Join("r"), n.To("r").Emit("one")); err != nil {
		t.Fatal(err)
	}
	var event []string
	if err := json.Unmarshal([]byte(p.next()[2:]), &event); err != nil || event[0] != "one" {
		t.Fatal(event, err)
	}
	_ = p.conn.Close()
	if got := receive(t, a.gone); got != Reason(engineio.TransportClosed) {
		t.Fatal(got)
	}
	if err := errors.Join(n.To("r").Emit("missed"), n.To("other").Emit("not mine"), n.All().Emit("all")); err != nil {
		t.Fatal(err)
	}
	plain.expect(`42["all"]`) // no offset for whoever did not ask
	claim := fmt.Sprintf(`{"pid":%q,"offset":%q}`, greeting.PID, event[1])
	p = dial(t, url, "EIO=4&recovery=1")
	p.write("40" + claim)
	p.expect(fmt.Sprintf(`40{"sid":%q,"pid":%q}`, greeting.SID, greeting.PID), `42["missed","*"]`, `42["all","*"]`, `42["welcome back","*"]`)
	if err := n.To("r").Emit("two"); err != nil {
		t.Fatal(err)
	}
	p.expect(`42["two","*"]`)
	thief := dial(t, url, "EIO=4&recovery=1") // a socket is given back once
	thief.write("40" + claim)
	thief.expect(`40{"sid":"*"}`, `42["hello",{"pid":"*`)
}

func TestJournalForgets(t *testing.T) {
	j := newJournal(Recovery{MaxAge: time.Minute, MaxBytes: 100, MaxSockets: 2}, "e")
	now := time.Unix(1000, 0)
	event := func() *publication {
		p, err := newEvent("x", []any{strings.Repeat("y", 40)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := j.append(record{publication: event()}, now)
	second := j.append(record{publication: event()}, now)
	third := j.append(record{publication: event()}, now)
	if _, ok := j.after(first); !ok { // what followed it is still here
		t.Error("the event behind the first is known")
	}
	j.append(record{publication: event()}, now)
	if _, ok := j.after(first); ok {
		t.Error("the bytes are not bounded")
	}
	if number, ok := j.after(second); !ok || j.offset(number) != third {
		t.Error("the second is lost")
	}
	for _, offset := range []string{"", "e", "e-", "f-0", "e-zzzz", "e--1", "e-99999999999999999999999"} {
		if _, ok := j.after(offset); ok {
			t.Errorf("offset %q was believed", offset)
		}
	}
	for i := range 3 {
		j.park(fmt.Sprint(i), parked{until: now.Add(time.Minute)}, now)
	}
	if len(j.parked) != 2 {
		t.Errorf("%d sockets parked", len(j.parked))
	}
	j.expire(now.Add(2 * time.Minute))
	if len(j.parked) != 0 || len(j.queue) != 0 {
		t.Error("nobody left")
	}
}
