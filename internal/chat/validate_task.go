package chat

import (
	"fmt"
	"regexp"
	"time"
)

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	selartiForm = regexp.MustCompile(`^\d{13}x\d{15,18}$`)
)

func (v *validator) task(path string, t *Task) {
	if t.Channel == "" {
		v.add(path+".channel", "is missing; where do the task's clients come from?")
	} else {
		v.names.ref(v, path+".channel", KindChannel, t.Channel)
	}
	if t.UUID != "" && !uuidForm.MatchString(t.UUID) {
		v.add(path+".uuid", "%q is not a UUID in lower case", t.UUID)
	}
	if t.SelartiID != "" && !selartiForm.MatchString(t.SelartiID) {
		v.add(path+".selarti_id", "%q is not of the form 1721129985149x478019552540622850", t.SelartiID)
	}
	v.oneOf(path+".type", t.Type, "web")
	v.oneOf(path+".work", t.Work, "incoming", "outgoing", "both")
	v.oneOf(path+".status", string(t.Status),
		string(TaskInProgress), string(TaskAwaiting), string(TaskPaused), string(TaskStopped), string(TaskCompleted))
	v.oneOf(path+".when_nobody", t.WhenNobody, "queue", "tell_bot")
	v.taskRoute(path, t)
	if t.Manager != "" {
		v.names.ref(v, path+".manager", KindManager, t.Manager)
	}
	v.refs(path+".integrations", KindIntegration, t.Integrations)
	if t.SessionTTL != nil && time.Duration(*t.SessionTTL) > MaxSessionTTL {
		v.add(path+".session_ttl", "is over 12h")
	}
	if t.Limit != nil && t.Limit.Messages < 1 {
		v.add(path+".limit.messages", "is missing or not above 0")
	}
	for i := range t.Reminders {
		v.reminder(fmt.Sprintf("%s.reminders[%d]", path, i), &t.Reminders[i])
	}
	for i, l := range t.Lists {
		if l.Kind != "white" && l.Kind != "black" {
			v.add(fmt.Sprintf("%s.lists[%d].kind", path, i), "%q is not one of white, black", l.Kind)
		}
	}
}

func (v *validator) taskRoute(path string, t *Task) {
	if t.Bot != "" {
		v.names.ref(v, path+".bot", KindBot, t.Bot)
		if !t.Route.IsZero() {
			v.add(path+".route", "bot is short for a route; give one of the two")
		}
	}
	if t.Route.Name != "" {
		v.names.ref(v, path+".route", KindRoute, t.Route.Name)
	}
	v.points(path+".route", t.Route.Points)
}

func (v *validator) reminder(path string, r *Reminder) {
	if r.After <= 0 {
		v.add(path+".after", "is missing; say how long a silence it waits for")
	}
	if r.Type != ReminderStatic && r.Type != ReminderSmart {
		v.add(path+".type", "%q is not one of static, smart", r.Type)
	}
	if r.Text == "" {
		v.add(path+".text", "is missing")
	}
	for i, name := range r.CancelledBy {
		v.oneOf(fmt.Sprintf("%s.cancelled_by[%d]", path, i), name, flagNames[:]...)
	}
}

// points checks the stops of a route: one thing each, anyone last.
func (v *validator) points(path string, points []Point) {
	for i, p := range points {
		at := fmt.Sprintf("%s[%d]", path, i)
		if n := p.things(); n != 1 {
			v.add(at, "has %d of bot, operators, supervisors, units, skills, personal_manager and anyone; give exactly one", n)
		}
		if p.Bot != "" {
			v.names.ref(v, at+".bot", KindBot, p.Bot)
		}
		v.refs(at+".operators", KindOperator, p.Operators)
		v.refs(at+".supervisors", KindOperator, p.Supervisors)
		v.refs(at+".units", KindUnit, p.Units)
		v.refs(at+".skills", KindSkill, p.Skills)
		if p.Anyone && i != len(points)-1 {
			v.add(at+".anyone", "must be the last point: nothing after it is ever reached")
		}
	}
}

func (p *Point) things() int {
	n := 0
	for _, given := range []bool{
		p.Bot != "", p.Operators != nil, p.Supervisors != nil, p.Units != nil, p.Skills != nil, p.PersonalManager, p.Anyone,
	} {
		if given {
			n++
		}
	}
	return n
}

func (v *validator) bot(path string, b *Bot) {
	switch b.Kind {
	case BotScenario:
		if b.Scenario == "" {
			v.add(path+".file", "is missing; name the scenario file, beside this one")
		}
	case BotWebhook:
		if b.MessageURL == "" {
			v.add(path+".message_url", "is missing; where does the bot take messages?")
		}
	case BotLLM:
		if b.BaseURL == "" {
			v.add(path+".base_url", "is missing; name an OpenAI-compatible endpoint, up to /v1")
		}
		if b.Model == "" {
			v.add(path+".model", "is missing")
		}
	case "":
		v.add(path+".kind", "is missing; use scenario, webhook or llm")
	default:
		v.add(path+".kind", "%q is not one of scenario, webhook, llm", b.Kind)
	}
	v.botCalls(path, b)
	v.oneOf(path+".duplicate_answers", b.DuplicateAnswers, "soft", "strict")
	if b.Temperature != nil && (*b.Temperature < 0 || *b.Temperature > 2) {
		v.add(path+".temperature", "is out of 0 to 2")
	}
}

// botCalls checks where and how long a bot is called.
func (v *validator) botCalls(path string, b *Bot) {
	v.httpURL(path+".message_url", b.MessageURL)
	v.httpURL(path+".init_url", b.InitURL)
	v.httpURL(path+".contact_url", b.ContactURL)
	v.httpURL(path+".hints_url", b.HintsURL)
	v.httpURL(path+".base_url", b.BaseURL)
	v.notZero(path+".call_timeout", b.CallTimeout)
	v.notZero(path+".answer_timeout", b.AnswerTimeout)
	v.notZero(path+".completion_timeout", b.CompletionTimeout)
}

func (v *validator) notZero(path string, timeout *Duration) {
	if timeout != nil && *timeout == 0 {
		v.add(path, "is 0, so that the bot could never answer; leave it out for the default")
	}
}
