package api

import (
	"encoding/hex"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/store"
)

// attachmentRoutes are about files that came with events.
func (a *API) attachmentRoutes() {
	const tag = "Attachments"
	const at = "/projects/{org}/{project}/events/{event}/attachments/"
	read(a, at, readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The files that came with an event", Paged: true}, a.attachments)
	raw[None, Attachment](a, "GET", at+"{attachment}/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A file that came with an event",
		Query: []Param{{Name: "download", Text: "1: its content"}}}, a.attachment)
}

// Attachment is a file that a client sent. Its texts are the client's.
type Attachment struct {
	ID          string            `json:"id"`
	EventID     string            `json:"event_id"`
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	MIMEType    string            `json:"mimetype"`
	DateCreated Time              `json:"dateCreated"`
	Size        int64             `json:"size"`
	Headers     map[string]string `json:"headers"`
	SHA1        *string           `json:"sha1"`   // null: Sundew keeps sha256
	SHA256      string            `json:"sha256"` // Sundew's own
}

func attachmentView(f store.Attachment) Attachment {
	kind := f.Type
	if kind == "" {
		kind = "event.attachment"
	}
	return Attachment{
		ID: number(f.ID), EventID: f.EventID.String(), Type: kind, Name: f.Name, MIMEType: f.ContentType, DateCreated: Time{f.ReceivedAt}, Size: f.Size,
		Headers: map[string]string{"Content-Type": f.ContentType}, SHA256: hex.EncodeToString(f.SHA256[:]),
	}
}

func (a *API) attachments(rx *store.Rx, r *request) (List[Attachment], error) {
	stored, err := eventOf(rx, r)
	if err != nil {
		return nil, err
	}
	all, err := rx.Attachments(r.project.ID, stored.EventID)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Attachment], len(page))
	for i, f := range page {
		views[i] = attachmentView(f)
	}
	return views, err
}

// attachment answers with a file, to be saved and never to be shown: it is whatever
// somebody on the internet made it.
func (a *API) attachment(w http.ResponseWriter, r *request) error {
	var file store.Attachment
	var content []byte
	err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		stored, err := eventOf(rx, r)
		if err != nil {
			return err
		}
		all, err := rx.Attachments(r.project.ID, stored.EventID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(f store.Attachment) bool { return number(f.ID) == r.PathValue("attachment") })
		if at < 0 {
			return store.ErrNotFound
		}
		if file = all[at]; r.queries().Has("download") {
			_, content, err = rx.AttachmentContent(r.project.ID, file.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !r.queries().Has("download") {
		r.send(w, attachmentView(file))
		return nil
	}
	h := w.Header()
	r.limit(h)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "attachment-" + number(file.ID)}))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.Write(content) // an error means that the client has gone
	return nil
}
