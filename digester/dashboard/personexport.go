package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// exportPerson is GET …/person/{request}/export: what a search has found.
func (d *Dashboard) exportPerson(rx *store.Rx, r *http.Request) (reply, error) {
	_, request, err := pathRequest(rx, r)
	if err != nil {
		return reply{}, err
	}
	export, err := deed.ExportPerson(rx, request)
	if err != nil {
		return reply{}, err
	}
	body, err := json.MarshalIndent(export, "", "  ")
	return reply{document: &document{
		contentType: "application/json", filename: fmt.Sprintf("person-%d.json", request.ID), body: body, download: true,
	}}, err
}
