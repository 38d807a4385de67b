package selarti

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// The three pages of the dialect come with the web build. Until then each says
// so, in two languages, and shows no data: whoever holds a link learns that it
// is right, and what to do.

//go:embed page.html
var pageSource string

// page is what one of them says. Each text is in English and in Russian.
type page struct {
	Title, TitleRu string
	Text, TextRu   string
	Next, NextRu   string
}

type pages struct {
	template *template.Template
}

func (p *pages) parse() (err error) {
	p.template, err = template.New("page").Parse(pageSource)
	return err
}

func (d *Dialect) servePanel(w http.ResponseWriter, r *http.Request) {
	if refuseWriting(w, r, http.StatusMethodNotAllowed) {
		return
	}
	d.showPage(w, r, http.StatusOK, "'none'", page{
		Title: "The panel", TitleRu: "Панель",
		Text:   "Conversations are shown and answered here by the web console, which is not part of this build.",
		TextRu: "Здесь диалоги показывает веб-консоль, она же на них отвечает. В эту сборку она не входит.",
		Next:   "Until it is there, an operator answers by the API: POST /console/api/login, then POST /console/api/conversations/{id}/messages.",
		NextRu: "Пока её нет, оператор отвечает через API: POST /console/api/login, затем POST /console/api/conversations/{id}/messages.",
	})
}

func (d *Dialect) serveFrame(w http.ResponseWriter, r *http.Request) {
	if refuseWriting(w, r, http.StatusMethodNotAllowed) {
		return
	}
	d.showPage(w, r, http.StatusOK, "*", page{ // the page is made to be embedded
		Title: "Chat", TitleRu: "Чат",
		Text:   "The chat window is drawn by the web widget, which is not part of this build.",
		TextRu: "Окно чата рисует веб-виджет. В эту сборку он не входит.",
		Next:   "Until it is there, send messages by the API: POST /api/1.1/wf/send_external_message.",
		NextRu: "Пока его нет, сообщения отправляются через API: POST /api/1.1/wf/send_external_message.",
	})
}

// serveShare looks the token up, so that a wrong or revoked link is told from
// a right one. The link reads only: whatever else is asked of it is forbidden.
func (d *Dialect) serveShare(w http.ResponseWriter, r *http.Request) {
	if refuseWriting(w, r, http.StatusForbidden) {
		return
	}
	_, err := d.Service.Shared(r.Context(), r.PathValue("token"))
	switch {
	case chat.ErrorCode(err) == chat.CodeNotFound || r.PathValue("rest") != "":
		inbound.Note(r.Context(), chat.Errorf(chat.CodeNotFound, "there is no such link"))
		d.showPage(w, r, http.StatusNotFound, "'none'", page{
			Title: "No such link", TitleRu: "Нет такой ссылки",
			Text:   "This link leads to no conversation: it was mistyped, or revoked.",
			TextRu: "По этой ссылке нет диалога: в ней опечатка или её отозвали.",
			Next:   "Ask whoever sent it for a new one.", NextRu: "Попросите новую у того, кто её прислал.",
		})
	case err != nil:
		inbound.Note(r.Context(), err)
		http.Error(w, "the server can't read its database now; try again in a minute", http.StatusServiceUnavailable)
	default:
		d.showPage(w, r, http.StatusOK, "'none'", page{
			Title: "A shared conversation", TitleRu: "Диалог по ссылке",
			Text:   "The link is right. Shared conversations are shown by the web console, which is not part of this build.",
			TextRu: "Ссылка верна. Диалоги по ссылкам показывает веб-консоль. В эту сборку она не входит.",
			Next:   "Keep the link: it will show the conversation after the next update of the server.",
			NextRu: "Сохраните ссылку: она покажет диалог после следующего обновления сервера.",
		})
	}
}

// refuseWriting answers everything but reading with the status.
func refuseWriting(w http.ResponseWriter, r *http.Request, status int) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	inbound.Note(r.Context(), chat.Errorf(chat.CodeForbidden, "this page can only be read"))
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "this page can only be read", status)
	return true
}

// showPage writes a page that runs nothing, loads nothing and is kept out of
// search engines and caches. ancestors says who may embed it.
func (d *Dialect) showPage(w http.ResponseWriter, r *http.Request, status int, ancestors string, p page) {
	var body bytes.Buffer
	if err := d.pages.template.Execute(&body, p); err != nil {
		inbound.Note(r.Context(), err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors "+ancestors)
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		d.Log.DebugContext(r.Context(), "selarti.answer_lost", "error", err)
	}
}
