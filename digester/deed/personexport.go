package deed

import (
	"encoding/json"
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

// PersonExport is a person's data as they are handed over.
type PersonExport struct {
	Kind     string          `json:"kind"`
	Value    string          `json:"value"`
	Found    int64           `json:"events_found"`
	Complete bool            `json:"complete"` // false: there are more events than are exported
	Events   []ExportedEvent `json:"events"`
}

// ExportedEvent is one of its events.
type ExportedEvent struct {
	ID       string          `json:"event_id"`
	Project  event.ProjectID `json:"project"`
	RemoteIP string          `json:"remote_ip,omitempty"`
	SentAt   time.Time       `json:"sent_at,omitzero"`
	Payload  json.RawMessage `json:"payload"` // as it was sent
}

// ExportPerson returns what a search has found. store.ErrNotFound: it has not ended, or
// what it found is being removed.
func ExportPerson(rx *store.Rx, e store.Erasure) (PersonExport, error) {
	if e.State != store.ErasureFound {
		return PersonExport{}, store.ErrNotFound
	}
	export := PersonExport{Kind: string(e.Subject.Kind), Value: e.Subject.Value, Found: e.Events, Complete: true, Events: []ExportedEvent{}}
	size := 0
	for after, more := int64(0), true; more; {
		some, err := rx.EventsFound(e.ID, after, exportedAtOnce)
		if err != nil {
			return PersonExport{}, err
		}
		for _, found := range some {
			after = found.ID
			exported := newExportedEvent(found)
			size += len(exported.Payload)
			export.Events = append(export.Events, exported)
		}
		more = len(some) == exportedAtOnce
		if more && (len(export.Events) >= maxExported || size > exportedBytes) {
			more, export.Complete = false, false
		}
	}
	return export, nil
}

func newExportedEvent(e store.SearchedEvent) ExportedEvent {
	exported := ExportedEvent{
		ID: e.EventID.String(), Project: e.Project, RemoteIP: e.Body.Meta.RemoteIP, SentAt: e.Body.Meta.SentAt, Payload: e.Body.JSON,
	}
	if !json.Valid(exported.Payload) { // clients are not always right; then it is one text
		text, _ := json.Marshal(string(e.Body.JSON)) // a string always can be
		exported.Payload = text
	}
	return exported
}
