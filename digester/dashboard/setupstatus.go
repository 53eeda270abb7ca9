package dashboard

import (
	"encoding/json"
	"net/http"

	"sundew/digester/store"
	"sundew/schema/event"
)

// setupStatus is GET /projects/{id}/setup/status: what the script of a set-up page
// that waits for the first event asks.
func (d *Dashboard) setupStatus(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	answer := struct {
		Events int64  `json:"events"`
		Next   string `json:"next,omitempty"` // where to look at what came
	}{Events: p.Events}
	if p.Events > 0 {
		if answer.Next, err = d.newestIssue(rx, p); err != nil {
			return reply{}, err
		}
	}
	body, err := json.Marshal(answer)
	return reply{document: &document{contentType: "application/json", filename: "status.json", body: body}}, err
}

// newestIssue leads to the issue that was seen last, or to the list.
func (d *Dashboard) newestIssue(rx *store.Rx, p store.Project) (string, error) {
	found, err := rx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Limit: 1, Now: d.cfg.Now()})
	if err != nil || len(found.Issues) == 0 {
		return d.links.openIssues(p.ID), err
	}
	return d.links.issue(found.Issues[0].ID), nil
}
