package dashboard

import (
	"net/http"

	"github.com/mileusna/useragent"

	"sundew/digester/store"
)

// sessionsPage lists where somebody is signed in.
type sessionsPage struct {
	shell
	Tabs     []tab
	Sessions []sessionRow
	Done     string
}

// sessionRow is one browser.
type sessionRow struct {
	store.Session
	Browser string // in words
	This    bool   // it is the one that shows the page
}

// showSessions is GET /account/sessions.
func (d *Dashboard) showSessions(rx *store.Rx, r *http.Request) (reply, error) {
	v := visitorOf(r)
	page := sessionsPage{shell: shell{Title: "Sessions"}, Tabs: d.accountTabs(d.links.sessions()), Done: doneWords(r)}
	sessions, err := rx.Sessions(v.ID, d.cfg.Now())
	for _, s := range sessions {
		if s.Factors == store.FactorAll {
			page.Sessions = append(page.Sessions, sessionRow{Session: s, Browser: browserName(s.Agent), This: s.ID == v.Session})
		}
	}
	return show("sessions", page), err
}

// browserName says in a few words what a User-Agent header stands for.
func browserName(agent string) string {
	ua := useragent.Parse(agent)
	switch {
	case ua.Name != "" && ua.OS != "":
		return ua.Name + " on " + ua.OS
	case ua.Name != "":
		return ua.Name
	}
	return "Unknown browser"
}

// endSession is POST /account/sessions/{id}/end.
func (d *Dashboard) endSession(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	if err := tx.EndSession(who(r).ID, id); err != nil {
		return reply{}, err
	}
	err = d.audit(tx, r, store.AuditEntry{Action: "session.end", Subject: who(r).Email})
	return redirect(d.links.done(d.links.sessions(), "ended")), err
}

// endOtherSessions is POST /account/sessions/end-others.
func (d *Dashboard) endOtherSessions(tx *store.Tx, r *http.Request) (reply, error) {
	if err := tx.EndSessions(who(r).ID, visitorOf(r).Session); err != nil {
		return reply{}, err
	}
	err := d.audit(tx, r, store.AuditEntry{Action: "session.end", Subject: who(r).Email, Detail: "all others"})
	return redirect(d.links.done(d.links.sessions(), "ended")), err
}
