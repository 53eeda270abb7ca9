package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// persona is one of those who knock at every door. The project, the issue, the event
// and the team of the routes are of team 1; "stranger" owns another team.
type persona struct {
	name string
	team access.Role // in team 1
	rank access.Role // in the installation
}

const (
	nobody   = "nobody"   // not signed in
	guest    = "guest"    // signed in, without any role
	stranger = "stranger" // owns team 2
)

func personas() []persona {
	all := []persona{{name: nobody}, {name: guest}, {name: stranger}}
	for _, role := range access.Roles() {
		all = append(all, persona{name: "team " + role.String(), team: role})
	}
	return append(all, persona{name: "installation admin", rank: access.Admin}, persona{name: "installation owner", rank: access.Owner})
}

// door is what a route answers to whom.
type door struct {
	path string // with ids of team 1; {…} as in doorIDs
	form string // what is sent to it
	want func(p persona) int
	once bool // the form goes through once only
}

// everybody gets the same answer.
func everybody(status int) func(persona) int { return func(persona) int { return status } }

// members have to be signed in.
func members(status int) func(persona) int {
	return func(p persona) int {
		if p.name == nobody {
			return http.StatusUnauthorized
		}
		return status
	}
}

// team asks for a role in team 1: those without any do not learn that there is
// anything.
func team(least access.Role, status int) func(persona) int {
	return func(p persona) int {
		switch has := max(p.team, p.rank); {
		case p.name == nobody:
			return http.StatusUnauthorized
		case has == access.None:
			return http.StatusNotFound
		case has < least:
			return http.StatusForbidden
		}
		return status
	}
}

// installation asks for a role in the installation.
func installation(least access.Role, status int) func(persona) int {
	return func(p persona) int {
		switch {
		case p.name == nobody:
			return http.StatusUnauthorized
		case p.rank < least:
			return http.StatusForbidden
		}
		return status
	}
}

// but is another answer to some.
func but(want func(persona) int, other int, names ...string) func(persona) int {
	return func(p persona) int {
		if slices.Contains(names, p.name) {
			return other
		}
		return want(p)
	}
}

// building is a site with everything that a door may lead to, and who knocks.
type building struct {
	*site
	keys map[string]string // sessions by persona
	ids  *strings.Replacer // in paths
}

func newBuilding(t *testing.T) *building {
	t.Helper()
	b := &building{site: newSite(t, func(cfg *Config) { cfg.PublicURL = "http://localhost:8000" }), keys: map[string]string{nobody: ""}}
	ev := b.message("it broke", testNow)
	b.attach(ev.ID, "report.txt", "text/plain", []byte("it broke"))
	b.upload(store.BundleArtifacts, "it broke")
	var invitation, colleague int64
	channel, message := b.makeChannel()
	b.mustWrite(func(tx *store.Tx) error {
		for _, name := range []string{"Ours", "Theirs"} {
			if _, err := tx.CreateTeam(name); err != nil {
				return err
			}
		}
		if err := tx.SetProjectTeam(1, 1); err != nil {
			return err
		}
		theirs, err := tx.CreateProject("Their project")
		if err != nil {
			return err
		}
		if err := tx.SetProjectTeam(theirs.ID, 2); err != nil {
			return err
		}
		other, err := tx.CreateUser("colleague@example.com", "Colleague", "", access.None)
		if err != nil {
			return err
		}
		colleague = other.ID
		if err := tx.SetTeamMember(1, colleague, access.Viewer); err != nil {
			return err
		}
		owner, err := tx.UserByEmail("owner@example.com")
		if err != nil {
			return err
		}
		if err := tx.SaveSearch(store.SavedSearch{UserID: owner.ID, Place: store.SearchPlace{Project: 1}, Shared: true, Name: "Ours", Query: "is:unresolved"}); err != nil {
			return err
		}
		if _, err := tx.SaveQuery(store.SavedQuery{UserID: owner.ID, TeamID: 1, Name: "Ours", Statement: "SELECT 1"}); err != nil {
			return err
		}
		if err := tx.MailLink(store.Link{Kind: store.LinkInvitation, TeamID: 1, TeamRole: access.Viewer, CreatedBy: owner.ID}, store.Mail{To: "x@example.com"}); err != nil {
			return err
		}
		open, err := tx.Invitations(tx.Now())
		if err != nil {
			return err
		}
		invitation = open[0].ID
		mails, err := tx.TakeMail(1)
		if err != nil {
			return err
		}
		return tx.MailDone(mails[0].ID, store.ErrInvalid, true)
	})
	b.ids = strings.NewReplacer("{event}", ev.ID.String(), "{colleague}", strconv.FormatInt(colleague, 10), "{invitation}", strconv.FormatInt(invitation, 10),
		"{channel}", strconv.FormatInt(channel, 10), "{message}", strconv.FormatInt(message, 10))
	for _, p := range personas()[1:] {
		user := b.signInAs(strings.ReplaceAll(p.name, " ", ".")+"@example.com", p.rank)
		b.keys[p.name] = b.session
		b.mustWrite(func(tx *store.Tx) error {
			switch {
			case p.name == stranger:
				return tx.SetTeamMember(2, user.ID, access.Owner)
			case p.team > access.None:
				return tx.SetTeamMember(1, user.ID, p.team)
			}
			return nil
		})
	}
	return b
}

// makeChannel makes a channel of the project with a message that was given up.
func (b *building) makeChannel() (channel, message int64) {
	b.t.Helper()
	b.mustWrite(func(tx *store.Tx) error {
		c, err := tx.AddChannel(1, store.Channel{Kind: notify.Webhook, Name: "Room", Config: notify.Config{URL: "https://hooks.example.com/a", Secret: "secret"}})
		if err != nil {
			return err
		}
		if err := tx.QueueNotification(c.ID, notify.Message{Kind: notify.KindNew, Issue: notify.Issue{Title: "it broke"}}); err != nil {
			return err
		}
		d, err := tx.TakeNotification(c.ID)
		channel, message = c.ID, d.ID
		if err != nil {
			return err
		}
		return tx.NotificationDone(d, store.Attempt{Failure: "no", Final: true})
	})
	return channel, message
}

// knock sends a persona to a door.
func (b *building) knock(p persona, method string, d door) *http.Response {
	b.t.Helper()
	b.session = b.keys[p.name]
	b.dash.attempts = attempts{}
	if path := b.ids.Replace(d.path); method == http.MethodPost {
		return b.post(path, d.form)
	} else {
		return b.get(path)
	}
}

// changes returns how much the audit log has of people, without those who sign in.
func (b *building) changes() int {
	b.t.Helper()
	var entries []store.AuditEntry
	storetest.MustRead(b.t, b.replica, func(rx *store.Rx) (err error) {
		entries, err = rx.AuditLog(store.AuditQuery{Limit: maxErrands})
		return err
	})
	return len(entries)
}

// TestRoutes has everybody knock at every door: who may not gets nothing and changes
// nothing, and what changes something is in the audit log.
func TestRoutes(t *testing.T) {
	all := doors()
	shared := newBuilding(t)
	for _, pattern := range shared.dash.patterns {
		if _, known := all[pattern]; !known {
			t.Errorf("%q has no entry in doors: say who may have it", pattern)
		}
	}
	for pattern, d := range all {
		if !slices.Contains(shared.dash.patterns, pattern) {
			t.Errorf("%q is in doors, and there is no such route", pattern)
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			method, _, _ := strings.Cut(pattern, " ")
			var own *building
			for _, p := range personas() {
				b, want := shared, d.want(p)
				allowed := want < 400
				if method == http.MethodPost && allowed { // it changes something
					if own == nil || d.once {
						own = newBuilding(t)
					}
					b = own
				}
				before := b.changes()
				resp := b.knock(p, method, d)
				if resp.StatusCode != want {
					t.Errorf("%s: status %d, want %d", p.name, resp.StatusCode, want)
				}
				if changed := b.changes() > before; method == http.MethodPost && changed != allowed && !silent(pattern, p) {
					t.Errorf("%s: in the audit log: %v, want %v", p.name, changed, allowed)
				}
				if !allowed && (p.name == stranger || p.name == guest) {
					mustLack(t, bodyOf(t, resp), "it broke", "Web shop", "Ours", "colleague@")
				}
			}
		})
	}
}

// silent reports whether a form that is let through changes nothing worth noting.
func silent(pattern string, p persona) bool {
	switch pattern {
	case "POST /sql", "POST /forgot": // it changes nothing; later, if at all
		return true
	case "POST /sign-out":
		return p.name == nobody
	case "POST /account/security/authenticator", "POST /account/security/authenticator/confirm", "POST /account/security/authenticator/remove",
		"POST /account/security/codes", "POST /account/security/passkeys/options", "POST /sign-in/passkey/options": // nothing is done yet
		return true
	case "POST /projects/{id}/settings/grouping/try", "POST /projects/{id}/settings/privacy/try", "POST /projects/{id}/quiet", "POST /issues/{id}/reopen", "POST /dead-letters/retry": // nothing to do
		return true
	}
	return false
}

// Ids of another team open nothing, wherever they stand.
func TestForeignIDs(t *testing.T) {
	b := newBuilding(t)
	b.session = b.keys[stranger] // owns team 2, whose project is 2
	for path, form := range map[string]string{
		"/teams/2/members/{colleague}":               "role=owner",
		"/teams/2/invitations/{invitation}/withdraw": "",
		"/teams/2/members/999":                       "role=viewer",
	} {
		mustStatus(t, b.post(b.ids.Replace(path), form), http.StatusNotFound)
	}
	for _, action := range []string{"", "/test", "/disable", "/delete", "/secret", "/messages/{message}/retry"} {
		mustStatus(t, b.post(b.ids.Replace("/projects/2/settings/channels/{channel}"+action), "name=x"), http.StatusNotFound)
	}
	for _, path := range []string{"/projects/1/audit", "/projects/1/issues", "/issues/1", "/ledger?project=1", "/audit?project=1", "/teams/1", "/events/{event}"} {
		resp := b.get(b.ids.Replace(path))
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
		mustLack(t, bodyOf(t, resp), "it broke", "Web shop")
	}
	mustLack(t, b.mustGet("/"), "/projects/1/")
	mustLack(t, b.mustGet("/teams"), "Ours")
	mustStatus(t, b.post("/projects", "name=Mine&team=1"), http.StatusForbidden)
	mustLack(t, b.mustGet("/projects/2/audit?user=1&project=1"), "it broke", "owner@example.com")
	// Their own admin is nobody's above them.
	for _, form := range []string{"role=owner", "role=nonsense", ""} {
		resp := b.post("/teams/2/members", fmt.Sprintf("email=%s&%s", url.QueryEscape("owner@example.com"), form))
		if want := map[string]int{"role=owner": 303}[form]; want == 0 && resp.StatusCode != http.StatusBadRequest || want != 0 && resp.StatusCode != want {
			t.Errorf("%q: status %d", form, resp.StatusCode)
		}
	}
}
