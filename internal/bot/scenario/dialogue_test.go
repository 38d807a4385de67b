package scenario

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// dialogue plays a conversation with one bot, keeping what the core keeps between the turns.
type dialogue struct {
	t            testing.TB
	sc           *Scenario
	fx           Effects
	state        string
	vars, client map[string]any
}

func newDialogue(t testing.TB, sc *Scenario, fx Effects) *dialogue {
	return &dialogue{t: t, sc: sc, fx: fx, vars: map[string]any{}, client: map[string]any{}}
}

// play runs one turn and keeps what came of it.
func (d *dialogue) play(in Input) Outcome {
	d.t.Helper()
	in.State, in.Vars, in.Client = d.state, d.vars, d.client
	out := playWith(d.t, d.sc, in, d.fx)
	keep(d.vars, out.Vars)
	keep(d.client, out.Client)
	d.state = out.State
	if out.Close {
		d.state = ""
	}
	return out
}

func keep(kept, changed map[string]any) {
	for name, v := range changed {
		kept[name] = v
		if v == nil {
			delete(kept, name)
		}
	}
}

func describe(out Outcome) string {
	if out.Silent {
		return "silent"
	}
	var parts []string
	for _, r := range out.Replies {
		text := r.Text + r.Markdown
		if r.Attachment != nil {
			text += fmt.Sprintf(" <%s %s>", r.Attachment.Kind, r.Attachment.URL)
		}
		for _, b := range r.Buttons {
			text += fmt.Sprintf(" [%s]", strings.TrimSpace(b.Text+" "+b.URL))
		}
		if r.After > 0 {
			text += " after " + r.After.String()
		}
		parts = append(parts, text)
	}
	line := fmt.Sprintf("%s (%s %v)", strings.Join(parts, " | "), out.Class, out.Confidence)
	for _, flag := range out.Flags {
		line += " +" + flag
	}
	if out.Handover != nil {
		line += " handover"
	}
	if out.Close {
		line += " close"
	}
	return line
}

func TestTheWholeExample(t *testing.T) {
	var slept time.Duration
	orders := serve(func(call *sent) canned {
		if call.method == "GET" && call.url == "http://127.0.0.1:9704/orders/42" && call.header.Get("Idempotency-Key") == "k" {
			return canned{status: 200, kind: "application/json", body: `{"state":"в пути"}`}
		}
		return canned{status: 404, body: "no such order"}
	})
	d := newDialogue(t, shop(t), Effects{Key: "k", HTTP: orders, Sleep: func(_ context.Context, d time.Duration) error {
		slept += d
		return nil
	}})
	const hello = "! Чем помочь? [Доставка] [Оператор] (/Start 1)"
	for i, c := range []struct {
		in   Input
		want string
	}{
		{Input{Event: "start"}, "Здравствуйте, гость" + hello},
		{Input{Text: "/start"}, "Здравствуйте, гость" + hello},
		{Input{Text: "Привет, бот!"}, "Здравствуйте, гость" + hello},
		{Input{Text: "HELLO"}, "Здравствуйте, гость" + hello},
		{Input{Text: "hi there"}, "Скажите боту что-то осмысленное (/CatchAll 0)"},
		{Input{Text: "А доставку до дома делаете?"}, "В какой город доставить? (/Delivery 1)"},
		{Input{Event: "fileEvent", Data: map[string]any{"eventData": []any{map[string]any{"name": "план.pdf", "url": "https://a/b"}}}},
			"Файл получен: план.pdf (/fileEvent 1)"},
		{Input{Text: "Нижний Новгород"}, "Доставим в Нижний Новгород за 3 дня. (/Delivery/City 1) +interest"},
		{Input{Text: "ля-ля"}, "Скажите боту что-то осмысленное (/CatchAll 0)"},
		{Input{Text: "delivery"}, "В какой город доставить? (/Delivery 1)"},
		{Input{Text: "пока"}, "Доставим в пока за 3 дня. (/Delivery/City 1) +interest"},
		{Input{Text: "мой номер +7 (999) 123-45-67, звоните"}, "Записал номер +7 (999) 123-45-67. (/Contact 1) +get_contact"},
		{Input{Text: "покажи меню"}, "Выберите раздел [Доставка] [Возврат https://example.com/returns] | Карта <image https://example.com/map.png> (/Buttons 1)"},
		{Input{Text: "Позже."}, "Хорошо, напомню. | Напоминаю! after 1s (/Later 1)"},
		{Input{Text: "slow"}, "done (/Slow 1)"},
		{Input{Text: "echo  Как  дела? "}, " Как  дела? (/Echo 1)"},
		{Input{Text: "count"}, "1 (/Count 1)"},
		{Input{Text: "Count!"}, "2 (/Count 1)"},
		{Input{Text: "order 42"}, "Заказ 42: в пути (/Lookup 1)"},
		{Input{Text: "order 43"}, "Не нашёл такой заказ. (/Lookup 1)"},
		{Input{Event: "noLivechatOperatorsOnline"}, "silent"},
		{Input{Text: "Bye"}, "До свидания! (/Bye 1) +success close"},
		{Input{Text: "дайте человека"}, "Переключаю на оператора (/Operator 1) handover"},
		{Input{Text: "OPERATOR"}, "Переключаю на оператора (/Operator 1) handover"},
	} {
		if got := describe(d.play(c.in)); got != c.want {
			t.Errorf("%d: %s%s\ngot  %s\nwant %s", i, c.in.Text, c.in.Event, got, c.want)
		}
	}
	if slept != 700*time.Millisecond {
		t.Errorf("slept %s", slept)
	}
	if got := fmt.Sprint(d.vars, d.client); got != "map[city:пока n:2] map[phone:+7 (999) 123-45-67]" {
		t.Errorf("remembered %s", got)
	}
	d.client["name"] = "Вася"
	if got, want := describe(d.play(Input{Text: "привет"})), "Здравствуйте, Вася"+hello; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
