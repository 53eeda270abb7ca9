package dashboard

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
)

// reply is what a handler answers with: exactly one of a page, a redirect and a
// document. It holds values only, so that it outlives the transaction.
type reply struct {
	status   int    // of a page or document; zero: 200
	page     string // a page's template
	data     any    // what the page shows
	location string // where a redirect leads
	document *document
	fresh    *freshness // of the copy it was read from; nil: it was no copy
}

// document is an answer that is not a page.
type document struct {
	contentType string
	filename    string // to save it under
	body        []byte
	download    bool // it is only ever saved
}

// show replies with a page.
func show(page string, data any) reply { return reply{page: page, data: data} }

// redirect replies with 303: the browser asks for the other address with GET.
func redirect(to string) reply { return reply{location: to} }

// returned is a form that comes back with what is wrong with it.
func returned(page string, data any) reply {
	return reply{status: http.StatusUnprocessableEntity, page: page, data: data}
}

// answer sends what a handler returned.
func (d *Dashboard) answer(w http.ResponseWriter, r *http.Request, rep reply, err error) {
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if rep.status == 0 {
		rep.status = http.StatusOK
	}
	switch {
	case rep.location != "":
		http.Redirect(w, r, rep.location, http.StatusSeeOther)
	case rep.document != nil:
		d.sendDocument(w, rep.status, rep.document)
	default:
		d.sendPage(w, r, rep)
	}
}

// sendPage renders into a buffer first, so that a template that fails halfway
// is an error page and not half a page.
func (d *Dashboard) sendPage(w http.ResponseWriter, r *http.Request, rep reply) {
	var buf bytes.Buffer
	if err := d.pages.render(&buf, rep.page, framed{Page: rep.data, Fresh: rep.fresh, Who: who(r), Section: sectionOf(r.URL.Path)}); err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, rep.status, buf.Bytes())
}

// sendDocument sends something that a browser must not take for a page of ours.
func (d *Dashboard) sendDocument(w http.ResponseWriter, status int, doc *document) {
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", doc.contentType)
	how := "inline"
	if doc.download {
		how = "attachment"
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": doc.filename}))
	send(w, status, doc.body)
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}
