package dashboard

import (
	"encoding/json"
	"testing"

	"sundew/schema/event/eventtest"
)

// TestSimilarIssues shows those of the same project, and never the issue itself.
func TestSimilarIssues(t *testing.T) {
	s := newSite(t, nil)
	for _, text := range []string{"Payment of order 1 declined", "Payment of order 2 declined twice", "Stock is low", "Payment 100% off_"} {
		payload, err := json.Marshal(map[string]any{"platform": "other", "message": text, "fingerprint": []string{text}})
		if err != nil {
			t.Fatal(err)
		}
		s.digest(eventtest.Payload{Name: text, JSON: payload}, testNow)
	}
	page := s.mustGet("/issues/1")
	mustContain(t, page, "Similar issues", `<a href="/issues/2">Payment of order 2 declined twice</a>`, "similar words")
	mustLack(t, page, `<a href="/issues/1">Payment`, `<a href="/issues/3">`)
	mustLack(t, s.mustGet("/issues/3"), "Similar issues")
}
