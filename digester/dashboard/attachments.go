package dashboard

import (
	"net/http"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"sundew/digester/store"
	"sundew/schema/event"
)

// fileView is a file that a client sent.
type fileView struct {
	Name string // under which it is saved
	Type string // what the client says it is
	Size string
	URL  string
}

// attachedView is what came with an event or was written about it.
type attachedView struct {
	Files    []fileView
	Feedback []feedbackView
}

// viewAttached reads what belongs to an event.
func (d *Dashboard) viewAttached(rx *store.Rx, project event.ProjectID, id event.ID) (view attachedView, err error) {
	files, err := d.filesOf(rx, project, id)
	if err != nil {
		return view, err
	}
	view.Files = files[id]
	about, err := rx.EventFeedback(project, id)
	if err != nil {
		return view, err
	}
	view.Feedback, err = d.viewFeedback(rx, store.Project{ID: project}, about)
	for i := range view.Feedback {
		view.Feedback[i].EventURL = "" // it is the page itself
	}
	return view, err
}

// filesOf reads the files of events or feedback, by whose they are.
func (d *Dashboard) filesOf(rx *store.Rx, project event.ProjectID, of ...event.ID) (map[event.ID][]fileView, error) {
	all, err := rx.Attachments(project, of...)
	if err != nil {
		return nil, err
	}
	files := make(map[event.ID][]fileView)
	for _, a := range all {
		kind := a.ContentType
		if a.Type != "" && a.Type != "event.attachment" {
			kind = strings.TrimPrefix(a.Type, "event.") // such as a minidump: that says more
		}
		files[a.EventID] = append(files[a.EventID], fileView{
			Name: fileName(a.Name), Type: kind, Size: formatSize(a.Size), URL: d.links.attachment(project, a.ID),
		})
	}
	return files, nil
}

// downloadAttachment sends a file, to be saved and never to be shown: it is whatever
// somebody on the internet made it.
func (d *Dashboard) downloadAttachment(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProjectID(r)
	if err != nil {
		return reply{}, err
	}
	id, err := pathNumber(r, "attachment")
	if err != nil {
		return reply{}, err
	}
	a, content, err := rx.AttachmentContent(project, id)
	if err != nil {
		return reply{}, err
	}
	return reply{document: &document{contentType: "application/octet-stream", filename: fileName(a.Name), body: content, download: true}}, nil
}

const (
	// maxFileName bounds a name in bytes; file systems take 255.
	maxFileName = 150
	// maxExtension is how long an extension is that is kept when a name is cut.
	maxExtension = 20
)

// fileName makes a name to show, and to save a file under, of what a client says: no
// path, no character that a file system or a header takes for something else, none
// that cannot be seen or turns the writing round, and no file that is hidden or that
// one system calls otherwise than another.
func fileName(s string) string {
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		case strings.ContainsRune(`<>:"|?*%`, r):
			return '_'
		}
		return r
	}, s)
	s = strings.Trim(s, " .")
	if len(s) > maxFileName {
		extension := path.Ext(s)
		if len(extension) > maxExtension {
			extension = ""
		}
		end := maxFileName - len(extension)
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = strings.TrimRight(s[:end], " .") + extension
	}
	if s == "" {
		return "attachment"
	}
	return s
}
