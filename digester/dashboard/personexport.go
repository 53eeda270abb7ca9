package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	// maxExported bounds how many events a person's data have, and exportedBytes how
	// large they get: they are put together in memory.
	maxExported   = 2000
	exportedBytes = 32 << 20

	// exportedAtOnce is how many are read at a time.
	exportedAtOnce = 50
)

// personExport is a person's data as they are handed over.
type personExport struct {
	Kind     string          `json:"kind"`
	Value    string          `json:"value"`
	Found    int64           `json:"events_found"`
	Complete bool            `json:"complete"` // false: there are more events than are exported
	Events   []exportedEvent `json:"events"`
}

// exportedEvent is one of its events.
type exportedEvent struct {
	ID       string          `json:"event_id"`
	Project  event.ProjectID `json:"project"`
	RemoteIP string          `json:"remote_ip,omitempty"`
	SentAt   time.Time       `json:"sent_at,omitzero"`
	Payload  json.RawMessage `json:"payload"` // as it was sent
}

// exportPerson is GET …/person/{request}/export: what a search has found so far.
func (d *Dashboard) exportPerson(rx *store.Rx, r *http.Request) (reply, error) {
	_, request, err := pathRequest(rx, r)
	if err != nil {
		return reply{}, err
	}
	if request.State != store.ErasureFound {
		return reply{}, store.ErrNotFound
	}
	export := personExport{Kind: string(request.Subject.Kind), Value: request.Subject.Value, Found: request.Events, Complete: true, Events: []exportedEvent{}}
	size := 0
	for after, more := int64(0), true; more; {
		some, err := rx.EventsFound(request.ID, after, exportedAtOnce)
		if err != nil {
			return reply{}, err
		}
		for _, e := range some {
			after = e.ID
			exported := newExportedEvent(e)
			size += len(exported.Payload)
			export.Events = append(export.Events, exported)
		}
		more = len(some) == exportedAtOnce
		if more && (len(export.Events) >= maxExported || size > exportedBytes) {
			more, export.Complete = false, false
		}
	}
	body, err := json.MarshalIndent(export, "", "  ")
	return reply{document: &document{
		contentType: "application/json", filename: fmt.Sprintf("person-%d.json", request.ID), body: body, download: true,
	}}, err
}

func newExportedEvent(e store.SearchedEvent) exportedEvent {
	exported := exportedEvent{
		ID: e.EventID.String(), Project: e.Project, RemoteIP: e.Body.Meta.RemoteIP, SentAt: e.Body.Meta.SentAt, Payload: e.Body.JSON,
	}
	if !json.Valid(exported.Payload) { // clients are not always right; then it is one text
		text, _ := json.Marshal(string(e.Body.JSON)) // a string always can be
		exported.Payload = text
	}
	return exported
}
