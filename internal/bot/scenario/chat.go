package scenario

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxLine bounds one line of the terminal.
const maxLine = 64 << 10

// Chat talks to a scenario in a terminal until /quit, the end of in, or the end of ctx: what the client types goes
// in, one message a line, and replies, buttons, flags, changes of state, late answers and the handover come out.
// A number picks the button that was shown under it. /event NAME JSON sends an event, /vars shows what the bot
// remembers, /reset begins a new conversation. The bot's state lives in memory. fx is used as in a turn, except that
// Chat numbers the turns for fx.Key.
// A goroutine reads in and ends with it: a caller that goes on after ctx ended closes in.
func Chat(ctx context.Context, sc *Scenario, in io.Reader, out io.Writer, fx Effects) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, failed := readLines(ctx, in)
	c := &conversation{scenario: sc, out: out, fx: fx, due: time.NewTimer(0)}
	defer c.due.Stop()
	c.say("%s: %d states. Type a message, /event NAME JSON, /vars, /reset or /quit.", sc.file, len(sc.states))
	c.reset(ctx)
	for c.err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.due.C:
			c.deliver()
		case line, more := <-lines:
			if !more {
				return cmp.Or(c.err, <-failed)
			}
			if line == "/quit" {
				return nil
			}
			c.hear(ctx, line)
		}
	}
	return c.err
}

// readLines reads lines until in or ctx ends; failed gives one verdict after the lines.
func readLines(ctx context.Context, in io.Reader) (lines <-chan string, failed <-chan error) {
	read, verdict := make(chan string), make(chan error, 1)
	go func() {
		defer close(read)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			select {
			case read <- strings.TrimSpace(scanner.Text()):
			case <-ctx.Done():
				verdict <- nil
				return
			}
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("scenario: a line is longer than 64 KiB; send shorter ones")
		}
		verdict <- err
	}()
	return read, verdict
}

// conversation is what a bot and its client share in the terminal.
type conversation struct {
	scenario *Scenario
	out      io.Writer
	fx       Effects
	turns    int
	state    string
	vars     map[string]any
	client   map[string]any
	buttons  []Button // shown last
	silenced string   // why the bot no longer answers
	later    []laterReply
	due      *time.Timer
	err      error // of writing, or of a turn that was cut short
}

// laterReply is an answer that waits for its time.
type laterReply struct {
	at    time.Time
	reply Reply
}

// say writes a line. Control characters that came with a text would command the terminal, so they are replaced.
func (c *conversation) say(format string, args ...any) {
	if c.err != nil {
		return
	}
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...))
	_, c.err = io.WriteString(c.out, line+"\n")
}

// reset begins a new conversation, as a client who opens the chat.
func (c *conversation) reset(ctx context.Context) {
	c.state, c.vars, c.client = "", map[string]any{}, map[string]any{}
	c.buttons, c.later, c.silenced = nil, nil, ""
	c.turn(ctx, Input{Event: startEvent})
}

// hear acts on one line.
func (c *conversation) hear(ctx context.Context, line string) {
	command, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "":
	case line == "/vars":
		c.show("  [vars %s]", c.vars)
		c.show("  [client %s]", c.client)
	case line == "/reset":
		c.say("  [a new conversation]")
		c.reset(ctx)
	case command == "/event":
		c.event(ctx, strings.TrimSpace(rest))
	default:
		c.press(ctx, line)
	}
}

func (c *conversation) show(format string, values map[string]any) {
	text, err := jsonOf(values)
	if err != nil {
		c.err = err
		return
	}
	c.say(format, text)
}

func (c *conversation) event(ctx context.Context, line string) {
	name, data, _ := strings.Cut(line, " ")
	if name == "" {
		c.say("  [write /event NAME, and its data as JSON after it]")
		return
	}
	in := Input{Event: name}
	if data = strings.TrimSpace(data); data != "" {
		var err error
		if in.Data, err = decodeJSON([]byte(data)); err != nil {
			c.say("  [the data of the event: %v; write it like {\"a\": 1}]", err)
			return
		}
	}
	c.turn(ctx, in)
}

// press turns a number into the button that was shown under it, and says anything else as it is.
func (c *conversation) press(ctx context.Context, line string) {
	n, err := strconv.Atoi(line)
	if err != nil || n < 1 || n > len(c.buttons) {
		c.turn(ctx, Input{Text: line})
		return
	}
	pressed := c.buttons[n-1]
	if pressed.URL != "" {
		c.say("  [this button opens %s]", pressed.URL)
		return
	}
	c.say("  [pressed %s]", pressed.Text)
	c.turn(ctx, Input{Text: pressed.Text})
}

// turn runs one turn and shows and keeps what came of it.
func (c *conversation) turn(ctx context.Context, in Input) {
	if c.silenced != "" {
		c.say("  [%s; /reset begins anew]", c.silenced)
		return
	}
	c.turns++
	in.State, in.Vars, in.Client, in.Now = c.state, c.vars, c.client, time.Now()
	fx := c.fx
	fx.Key = "terminal-" + strconv.Itoa(c.turns)
	fx.Sleep = c.typing
	outcome, err := c.scenario.Turn(ctx, in, fx)
	if err != nil {
		c.err = err
		return
	}
	c.keep(outcome)
	c.print(in, outcome)
	c.end(outcome)
}

// typing shows that the bot types while it waits.
func (c *conversation) typing(ctx context.Context, d time.Duration) error {
	if c.fx.Sleep == nil {
		return nil
	}
	c.say("  [types for %s]", d)
	return c.fx.Sleep(ctx, d)
}

func (c *conversation) keep(o Outcome) {
	for target, changed := range map[*map[string]any]map[string]any{&c.vars: o.Vars, &c.client: o.Client} {
		for name, v := range changed {
			if v == nil {
				delete(*target, name)
			} else {
				(*target)[name] = v
			}
		}
	}
}

func (c *conversation) print(in Input, o Outcome) {
	shown := 0
	for _, r := range o.Replies {
		if r.After > 0 {
			c.later = append(c.later, laterReply{in.Now.Add(r.After), r})
			continue
		}
		shown++
		c.reply(r)
	}
	switch {
	case o.Silent:
		c.say("  [the scenario doesn't listen to this event]")
	case shown == 0:
		c.say("  [no reply]")
	}
	if !o.Silent && (o.State != c.state || o.Class != o.State) {
		c.say("  [%s, state %s]", o.Class, cmp.Or(o.State, "none"))
	}
	c.state = o.State
	if len(o.Flags) > 0 {
		c.say("  [flags %s]", strings.Join(o.Flags, ", "))
	}
	for _, note := range o.Notes {
		c.say("  [log %s]", note)
	}
	c.schedule()
}

// end shows what ends the bot's part, and drops the late answers with it.
func (c *conversation) end(o Outcome) {
	switch {
	case o.Handover != nil:
		c.silenced = "people have taken over"
		to := slices.Concat(o.Handover.Skills, o.Handover.Units, o.Handover.Users)
		c.say("  [handover to %s]", cmp.Or(strings.Join(to, ", "), "the usual route"))
	case slices.Contains(o.Flags, "close"):
		c.silenced = "the flag close mutes the bot"
	case o.Close:
		c.state = ""
		c.say("  [the session is closed; the next message opens another]")
	default:
		return
	}
	c.later = nil
}

func (c *conversation) reply(r Reply) {
	if text := cmp.Or(r.Text, r.Markdown); text != "" {
		c.say("bot: %s", strings.ReplaceAll(text, "\n", "\n     "))
	}
	if a := r.Attachment; a != nil {
		c.say("bot: [%s %s]", strings.TrimSpace(a.Kind+" "+a.Name), a.URL)
	}
	if r.Native != nil {
		c.show("bot: [native %s]", r.Native)
	}
	if len(r.Buttons) > 0 {
		c.buttons = r.Buttons
	}
	for i, b := range r.Buttons {
		c.say("     %d) %s", i+1, strings.TrimSpace(b.Text+" "+b.URL))
	}
}

// schedule sets the timer to the next late answer.
func (c *conversation) schedule() {
	slices.SortStableFunc(c.later, func(a, b laterReply) int { return a.at.Compare(b.at) })
	c.due.Stop()
	if len(c.later) > 0 {
		c.due.Reset(time.Until(c.later[0].at))
	}
}

// deliver shows the late answers whose time has come.
func (c *conversation) deliver() {
	for len(c.later) > 0 && time.Until(c.later[0].at) <= 0 {
		c.reply(c.later[0].reply)
		c.later = c.later[1:]
	}
	c.schedule()
}
