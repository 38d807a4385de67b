package server

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
)

// Report is what `apply` prints: every setting named in the documents with its
// ids, tokens that were made or given, and the address that a developer copies
// into an integration. The lists are never null (specs/setup.md).
type Report struct {
	Tenants      []ReportItem `json:"tenants"`
	Channels     []ReportItem `json:"channels"`
	Bots         []ReportItem `json:"bots"`
	Integrations []ReportItem `json:"integrations"`
	Managers     []ReportItem `json:"managers"`
	Units        []ReportItem `json:"units"`
	Skills       []ReportItem `json:"skills"`
	Tags         []ReportItem `json:"tags"`
	Operators    []ReportItem `json:"operators"`
	Segments     []ReportItem `json:"segments"`
	Routes       []ReportItem `json:"routes"`
	Tasks        []ReportItem `json:"tasks"`
	APIKeys      []ReportItem `json:"api_keys"`
	Warnings     []string     `json:"warnings"`
}

// ReportItem is one setting. Which fields are set depends on its kind; Login
// stands in for Name of operators.
type ReportItem struct {
	Tenant    string  `json:"tenant,omitempty"`
	Name      string  `json:"name,omitempty"`
	Login     string  `json:"login,omitempty"`
	ID        chat.ID `json:"id"`
	UUID      string  `json:"uuid,omitempty"`
	SelartiID string  `json:"selarti_id,omitempty"`
	Token     string  `json:"token,omitempty"`
	Key       string  `json:"key,omitempty"`
	URL       string  `json:"url,omitempty"`
	Change    string  `json:"change,omitempty"`
}

// report describes what Apply did, with addresses under the base URL.
func report(catalog *chat.Catalog, applied []chat.Applied, base string, formats map[string]bool) *Report {
	r := &Report{
		Tenants: []ReportItem{}, Channels: []ReportItem{}, Bots: []ReportItem{}, Integrations: []ReportItem{},
		Managers: []ReportItem{}, Units: []ReportItem{}, Skills: []ReportItem{}, Tags: []ReportItem{},
		Operators: []ReportItem{}, Segments: []ReportItem{}, Routes: []ReportItem{}, Tasks: []ReportItem{},
		APIKeys: []ReportItem{}, Warnings: []string{},
	}
	named := map[string]bool{}
	for _, a := range applied {
		if !named[a.Tenant] {
			named[a.Tenant] = true
			r.Tenants = append(r.Tenants, ReportItem{Name: a.Tenant, ID: a.TenantID})
		}
		r.add(catalog, a, base, formats)
	}
	return r
}

func (r *Report) list(kind chat.Kind) *[]ReportItem {
	return map[chat.Kind]*[]ReportItem{
		chat.KindChannel: &r.Channels, chat.KindBot: &r.Bots, chat.KindIntegration: &r.Integrations,
		chat.KindManager: &r.Managers, chat.KindUnit: &r.Units, chat.KindSkill: &r.Skills, chat.KindTag: &r.Tags,
		chat.KindOperator: &r.Operators, chat.KindSegment: &r.Segments, chat.KindRoute: &r.Routes,
		chat.KindTask: &r.Tasks, chat.KindAPIKey: &r.APIKeys,
	}[kind]
}

func (r *Report) add(catalog *chat.Catalog, a chat.Applied, base string, formats map[string]bool) {
	item := ReportItem{Tenant: a.Tenant, Name: a.Name, ID: a.ID, Change: string(a.Change)}
	list := r.list(a.Kind)
	if a.Change == chat.ChangeRemoved {
		*list = append(*list, item)
		return
	}
	switch a.Kind {
	case chat.KindChannel:
		c := catalog.Channel(a.TenantID, a.ID)
		item.Token, item.URL = c.Token, channelURL(c, base)
	case chat.KindBot:
		item.UUID, item.Token = catalog.Bot(a.TenantID, a.ID).UUID, a.Secret
		if b := catalog.Bot(a.TenantID, a.ID); b.Kind != chat.BotScenario {
			r.warn("bot %q: bots of kind %s are stored but not served by this version; routes pass it by", a.Name, b.Kind)
		}
	case chat.KindIntegration:
		if e, _ := catalog.Endpoint(a.TenantID, a.ID); !formats[e.Integration.Format] {
			r.warn("integration %q: the format %s is stored but not served by this version; nothing is sent to it", a.Name, e.Integration.Format)
		}
	case chat.KindTask:
		t := catalog.Task(a.TenantID, a.ID)
		item.UUID, item.SelartiID, item.URL = t.UUID, selarti.TaskID(t.Task), taskURL(t, base)
	case chat.KindAPIKey:
		item.Key = a.Secret
	case chat.KindOperator:
		item.Name, item.Login = "", a.Name
	}
	*list = append(*list, item)
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// channelURL is the address of the channel's dialect.
func channelURL(c *chat.Channel, base string) string {
	switch c.Kind {
	case chat.ChannelPageMessenger:
		return base + "/api/1.1/wf/send_external_message"
	case chat.ChannelChatAPI:
		return base + "/chatapi/" + c.Token
	default:
		return base + "/api/v1"
	}
}

// taskURL is what a caller who holds the task's id talks to.
func taskURL(t *chat.BoundTask, base string) string {
	if t.Channel.Kind == chat.ChannelWidget {
		return base + "/api/v1/chats/" + t.UUID + "/sessions"
	}
	return channelURL(t.Channel, base)
}

// WriteJSON prints the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, t := range r.Tenants {
		fmt.Fprintf(tw, "tenant\t%s\t%d\n", t.Name, t.ID)
	}
	for _, kind := range []chat.Kind{
		chat.KindChannel, chat.KindBot, chat.KindIntegration, chat.KindManager, chat.KindUnit, chat.KindSkill, chat.KindTag,
		chat.KindOperator, chat.KindSegment, chat.KindRoute, chat.KindTask, chat.KindAPIKey,
	} {
		for _, i := range *r.list(kind) {
			fmt.Fprintf(tw, "%s\t%s\t%d\t%s", kind, i.Name+i.Login, i.ID, i.Change)
			for _, extra := range []struct{ name, value string }{
				{"token", i.Token}, {"key", i.Key}, {"uuid", i.UUID}, {"selarti_id", i.SelartiID}, {"url", i.URL},
			} {
				if extra.value != "" {
					fmt.Fprintf(tw, "\t%s %s", extra.name, extra.value)
				}
			}
			fmt.Fprintln(tw)
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(tw, "note: %s\n", warning)
	}
	return tw.Flush()
}
