package dashboard

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"sundew/digester/erasure/eraser"
	"sundew/schema/event/eventtest"
)

// erase does what the program does in the background.
func (s *site) erase() {
	s.t.Helper()
	if err := eraser.Round(s.t.Context(), eraser.Config{Replica: s.replica, DB: s.db}); err != nil {
		s.t.Fatal(err)
	}
}

func TestPersonalData(t *testing.T) {
	s := newSite(t, nil)
	for i, email := range []string{"ann@example.com", "bob@example.com", "ann@example.com"} {
		s.digest(eventtest.Payload{Name: fmt.Sprint(i), JSON: fmt.Appendf(nil, `{"message":"no such user","user":{"email":%q}}`, email)}, testNow)
	}
	mustContain(t, s.mustReturn("/projects/1/settings/person", url.Values{"kind": {"email"}, "value": {"ann"}}), "A mail address looks like name@example.com.", `value="ann"`)
	s.mustPost("/projects/1/settings/person", url.Values{"kind": {"email"}, "value": {"ann@example.com"}})
	mustContain(t, s.mustGet("/projects/1/settings/person"), "0% of all events are looked at", "Look again")
	s.erase()
	page := s.mustGet("/projects/1/settings/person")
	mustContain(t, page, "Found: 2 events, 0 feedback, 0 attachments", "Remove all of it")
	mustLack(t, page, "Look again")
	mustLack(t, s.mustGet("/person"), "ann@example.com") // another page's

	var export struct {
		Complete bool
		Events   []struct {
			Payload struct{ User struct{ Email string } }
		}
	}
	if err := json.Unmarshal([]byte(s.mustGet("/projects/1/settings/person/1/export")), &export); err != nil {
		t.Fatal(err)
	}
	if len(export.Events) != 2 || !export.Complete || export.Events[1].Payload.User.Email != "ann@example.com" {
		t.Errorf("export: %+v", export)
	}
	s.mustPost("/projects/1/settings/person/1/remove", nil)
	mustContain(t, s.mustGet("/projects/1/settings/person"), "Being removed: 2 events")
	s.erase()
	page = s.mustGet("/projects/1/settings/person")
	mustContain(t, page, "Removed ", "2 events, 0 feedback", "sha256:")
	mustLack(t, page, "ann@example.com")
	log := s.mustGet("/projects/1/audit")
	mustContain(t, log, "searched for data of", "had removed the data of", "Removed is all data of", "sha256:")
	mustLack(t, log, "ann@example.com")
	mustLack(t, s.mustGet("/issues/1"), "ann@example.com")
	mustContain(t, s.mustGet("/issues/1"), "bob@example.com")
}

// A request belongs to the page that it was made on.
func TestPersonalDataOfOthers(t *testing.T) {
	s := newSite(t, nil)
	s.mustPost("/person", url.Values{"kind": {"id"}, "value": {"42"}})
	s.erase()
	mustContain(t, s.mustGet("/person"), "Nothing is found.")
	for _, path := range []string{"/projects/1/settings/person/1/remove", "/projects/1/settings/person/1/withdraw"} {
		if resp := s.post(path, ""); resp.StatusCode != 404 {
			t.Errorf("%s answers %d", path, resp.StatusCode)
		}
	}
	s.mustPost("/person/1/withdraw", nil)
	page := s.mustGet("/person")
	mustContain(t, page, "Withdrawn ")
	mustLack(t, page, "<strong class=\"break\">42")
}
