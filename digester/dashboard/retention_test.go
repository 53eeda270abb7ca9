package dashboard

import (
	"net/url"
	"testing"

	"sundew/digester/retention"
)

func TestRetentionSettings(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.Retention = retention.Policy{Days: 90, Events: 100_000} })
	s.message("it broke", testNow)
	page := s.mustGet("/projects/1/settings/retention")
	mustContain(t, page, "1 event of this project is stored", "as the installation has it: 90 days", "100,000 events", `name="days" value="" checked`, `name="events" value="" checked`)
	mustLack(t, page, "over the limit")

	s.mustPost("/projects/1/settings/retention", url.Values{"days": {"own"}, "days-own": {"30"}, "events": {"none"}})
	page = s.mustGet("/projects/1/settings/retention")
	mustContain(t, page, `name="days-own" value="30"`, `name="events" value="none" checked`)
	mustContain(t, s.mustGet("/projects/1/audit"), "changed what is kept of", "30 days, all events")

	for _, form := range []url.Values{
		{"days": {"own"}, "days-own": {"0"}}, {"days": {"own"}, "days-own": {"a week"}}, {"events": {"own"}, "events-own": {"99"}}, {"events": {"own"}},
	} {
		mustContain(t, s.mustReturn("/projects/1/settings/retention", form), "has to be from")
	}
	mustContain(t, s.mustGet("/projects/1/settings/retention"), `name="days-own" value="30"`)
}
