package api

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
)

// eventTextRoutes are about events as people read them elsewhere.
func (a *API) eventTextRoutes() {
	const tag = "Events"
	const at = "/projects/{org}/{project}/events/{event}/"
	raw[None, None](a, "GET", at+"json/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "What the client sent of an event, as JSON",
		Text: "As it was stored: with what is scrubbed left out. What is not JSON is a string in an object."}, a.eventJSON)
	raw[None, None](a, "GET", at+"markdown/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "An event as Markdown, for a tracker, a chat or a prompt",
		Text: "Without what tends to hold secrets: variables, headers, cookies, bodies, queries, users. Sundew's own."}, a.eventMarkdown)
}

// eventJSON is GET …/json/ of an event.
func (a *API) eventJSON(w http.ResponseWriter, r *request) error {
	return a.sendText(w, r, "application/json", func(rx *store.Rx, stored store.Event) ([]byte, error) {
		body, err := rx.EventBody(stored.ID)
		if err != nil || a.cfg.EventJSON == nil {
			return body.JSON, err
		}
		return a.cfg.EventJSON(body.JSON), nil
	})
}

// eventMarkdown is GET …/markdown/ of an event.
func (a *API) eventMarkdown(w http.ResponseWriter, r *request) error {
	return a.sendText(w, r, "text/markdown; charset=utf-8", func(rx *store.Rx, stored store.Event) ([]byte, error) {
		if a.cfg.EventMarkdown == nil {
			return nil, store.ErrNotFound
		}
		issue, err := wholeIssue(rx, stored.IssueID)
		if err != nil {
			return nil, err
		}
		return a.cfg.EventMarkdown(rx, issue, stored)
	})
}

// sendText answers with what is written of the project's event that {event} names.
func (a *API) sendText(w http.ResponseWriter, r *request, kind string, write func(rx *store.Rx, stored store.Event) ([]byte, error)) error {
	var text []byte
	err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		stored, err := eventOf(rx, r)
		if err != nil {
			return err
		}
		text, err = write(rx, stored)
		return err
	})
	if err != nil {
		return err
	}
	r.limit(w.Header())
	w.Header().Set("Content-Type", kind)
	w.Write(text) // an error means that the client has gone
	return nil
}
