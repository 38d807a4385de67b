package scenario

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// terminal is a chat whose input is typed line by line and whose output is read when nothing moves any more.
type terminal struct {
	t     *testing.T
	input *io.PipeWriter
	out   screen
	done  chan error
}

// screen keeps what was written since it was last read.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) read() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

// sit runs a chat in a bubble; the test types, and hangs up at the end.
func sit(t *testing.T, sc *Scenario, fx Effects, test func(*terminal)) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		term := &terminal{t: t, input: writer, done: make(chan error, 1)}
		go func() { term.done <- Chat(t.Context(), sc, reader, &term.out, fx) }()
		term.read()
		test(term)
		_ = writer.Close() // a pipe closes without an error
		if err := <-term.done; err != nil {
			t.Errorf("the chat ended with %v", err)
		}
		synctest.Wait()
	})
}

// read gives what was written since the last read.
func (term *terminal) read() string {
	synctest.Wait()
	return term.out.read()
}

func (term *terminal) types(line, want string) {
	term.t.Helper()
	if _, err := io.WriteString(term.input, line+"\n"); err != nil {
		term.t.Fatalf("%s: the chat has ended: %v", line, err)
	}
	if got := term.read(); got != want {
		term.t.Errorf("typed %s\ngot\n%swant\n%s", line, got, want)
	}
}

func TestChat(t *testing.T) {
	fx := Effects{Sleep: func(ctx context.Context, d time.Duration) error {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
		return ctx.Err()
	}}
	sit(t, shop(t), fx, func(term *terminal) {
		term.types("", "")
		term.types("привет", "bot: Здравствуйте, гость! Чем помочь?\n     1) Доставка\n     2) Оператор\n")
		term.types("1", "  [pressed Доставка]\nbot: В какой город доставить?\n  [/Delivery, state /Delivery]\n")
		term.types("Омск", "bot: Доставим в Омск за 3 дня.\n  [/Delivery/City, state /Delivery/City]\n  [flags interest]\n")
		term.types("хм", "bot: Скажите боту что-то осмысленное\n  [/CatchAll, state /Delivery/City]\n")
		term.types("/vars", "  [vars {\"city\":\"Омск\"}]\n  [client {}]\n")
		term.types("menu", "bot: Выберите раздел\n     1) Доставка\n     2) Возврат https://example.com/returns\nbot: Карта\nbot: [image https://example.com/map.png]\n  [/Buttons, state /Buttons]\n")
		term.types("2", "  [this button opens https://example.com/returns]\n")
		term.types("3", "bot: Скажите боту что-то осмысленное\n  [/CatchAll, state /Buttons]\n")
		term.types("slow", "  [types for 700ms]\n")
		time.Sleep(time.Second) // of the bubble's clock
		if got := term.read(); got != "bot: done\n  [/Slow, state /Slow]\n" {
			t.Errorf("after the delay: %s", got)
		}
		term.types("later", "bot: Хорошо, напомню.\n  [/Later, state /Later]\n")
		time.Sleep(999 * time.Millisecond)
		if got := term.read(); got != "" {
			t.Errorf("too early: %s", got)
		}
		time.Sleep(time.Millisecond)
		if got := term.read(); got != "bot: Напоминаю!\n" {
			t.Errorf("when due: %s", got)
		}
		term.types("order 1", "bot: Не нашёл такой заказ.\n  [/Lookup, state /Lookup]\n  [log shop.yaml:52:11: the HTTP call failed: HTTP calls are switched off here]\n")
		term.types("/event fileEvent {\"eventData\": [{\"name\": \"a.pdf\"}]}", "bot: Файл получен: a.pdf\n  [/fileEvent, state /Lookup]\n")
		term.types("/event nothing", "  [the scenario doesn't listen to this event]\n")
		term.types("/event", "  [write /event NAME, and its data as JSON after it]\n")
		term.types("/event a {", "  [the data of the event: this isn't JSON; write it like {\"a\": 1}]\n")
		term.types("later", "bot: Хорошо, напомню.\n  [/Later, state /Later]\n")
		term.types("bye", "bot: До свидания!\n  [/Bye, state /Bye]\n  [flags success]\n  [the session is closed; the next message opens another]\n")
		time.Sleep(time.Minute)
		if got := term.read(); got != "" {
			t.Errorf("a late answer of a closed session was shown: %s", got)
		}
		term.types("operator", "bot: Переключаю на оператора\n  [/Operator, state /Operator]\n  [handover to the usual route]\n")
		term.types("привет", "  [people have taken over; /reset begins anew]\n")
		term.types("/reset", "  [a new conversation]\nbot: Здравствуйте, гость! Чем помочь?\n     1) Доставка\n     2) Оператор\n  [/Start, state /Start]\n")
		term.types("/vars", "  [vars {}]\n  [client {}]\n")
	})
}

func TestChatShowsWhatElseABotDoes(t *testing.T) {
	sc := mustParse(t, `
states:
  - {name: /Mute, patterns: [mute], flags: [close], replies: []}
  - {name: /Sales, patterns: [sales], handover: {skills: [sales, vip]}}
  - {name: /Cards, patterns: [cards], replies: [{native: {type: carousel}}, {markdown: "*a*\n\e[31mb"}]}
  - {name: /Forget, patterns: [forget], set: {a: null}, replies: []}
  - {name: /Set, patterns: ["set *"], set: {a: "{{ match[1] }}"}, replies: []}
`)
	sit(t, sc, Effects{}, func(term *terminal) {
		term.types("cards", "bot: [native {\"type\":\"carousel\"}]\nbot: *a*\n     \uFFFD[31mb\n  [/Cards, state /Cards]\n")
		term.types("set  Big One", "  [no reply]\n  [/Set, state /Set]\n")
		term.types("/vars", "  [vars {\"a\":\"Big One\"}]\n  [client {}]\n")
		term.types("forget", "  [no reply]\n  [/Forget, state /Forget]\n")
		term.types("/vars", "  [vars {}]\n  [client {}]\n")
		term.types("sales", "  [no reply]\n  [/Sales, state /Sales]\n  [handover to sales, vip]\n")
		term.types("/reset", "  [a new conversation]\n  [the scenario doesn't listen to this event]\n")
		term.types("mute", "  [no reply]\n  [/Mute, state /Mute]\n  [flags close]\n")
		term.types("cards", "  [the flag close mutes the bot; /reset begins anew]\n")
	})
}

func TestChatEnds(t *testing.T) {
	var out strings.Builder
	if err := Chat(t.Context(), shop(t), strings.NewReader("hi\n/quit\nbye\n"), &out, Effects{}); err != nil {
		t.Errorf("/quit gave %v", err)
	}
	if strings.Contains(out.String(), "До свидания") {
		t.Error("lines after /quit were read")
	}
	if err := Chat(t.Context(), shop(t), strings.NewReader("bye"), &out, Effects{}); err != nil || !strings.Contains(out.String(), "До свидания") {
		t.Errorf("the end of the input gave %v; a last line without an end counts", err)
	}
	long := strings.NewReader(strings.Repeat("a", maxLine+1))
	if err := Chat(t.Context(), shop(t), long, io.Discard, Effects{}); err == nil || !strings.Contains(err.Error(), "64 KiB") {
		t.Errorf("a long line gave %v", err)
	}
	broken := errors.New("the screen is gone")
	if err := Chat(t.Context(), shop(t), strings.NewReader("hi\n"), writer(func([]byte) (int, error) { return 0, broken }), Effects{}); !errors.Is(err, broken) {
		t.Errorf("a broken output gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reader, typing := io.Pipe()
	cancel()
	if err := Chat(ctx, shop(t), reader, io.Discard, Effects{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the end of ctx gave %v", err)
	}
	_ = typing.Close() // a pipe closes without an error
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
