package api

import (
	"fmt"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// auditLogRoutes are about who changed what.
func (a *API) auditLogRoutes() {
	read(a, "/organizations/{org}/audit-logs/", writeOrg|writeProjects, auditReaders, Doc{Tag: "Audit log", Summary: "Who changed what, the newest first", Paged: true,
		Text: "For the installation's admins, with the scope org:write. With project for who administers that project, too. options are the events that there are words for.",
		Query: []Param{
			{Name: "event", Text: "only one kind of entry, such as team.create"}, {Name: "actor", Text: "only what one person did: their number, or me"},
			{Name: "project", Text: "only what is about one project: its slug or number"},
			{Name: "start", Text: "only from a time on (ISO 8601)"}, {Name: "end", Text: "only up to a time (ISO 8601)"}, {Name: "statsPeriod", Text: "only the last e.g. 24h, 14d or 2w"},
		}}, a.auditLog)
}

// auditReaders lets in the admins of the project that is asked about, or of the
// installation; the project is put into the request.
func auditReaders(rx *store.Rx, r *request) (err error) {
	names := r.queries()["project"]
	switch {
	case len(names) > 1:
		return bad("project can be given once.")
	case len(names) == 1:
		if r.project, err = projectNamed(rx, names[0]); err != nil {
			return err
		}
		return enough(r.person.In(r.project.ID), access.Admin)
	}
	if err := ofInstallation(access.Admin)(rx, r); err != nil {
		return err
	}
	return r.needs(writeOrg)
}

// AuditLog is a page of the audit log.
type AuditLog struct {
	Rows    List[AuditRow] `json:"rows"`
	Options List[string]   `json:"options"`
}

// AuditRow is something that somebody changed.
type AuditRow struct {
	ID           string    `json:"id"`
	Actor        *User     `json:"actor"` // null: nobody was signed in, or a project's token did it
	Event        string    `json:"event"`
	IPAddress    string    `json:"ipAddress"`
	Note         string    `json:"note"` // in words
	TargetObject *int64    `json:"targetObject"`
	TargetUser   *User     `json:"targetUser"`
	Data         AuditData `json:"data"`
	DateCreated  Time      `json:"dateCreated"`
}

// AuditData is what else there is to say. It is Sundew's own.
type AuditData struct {
	Subject string `json:"subject,omitempty"` // what was changed: a short id, a name, a mail address
	Detail  string `json:"detail,omitempty"`
	Project string `json:"project,omitempty"` // its number
	Team    string `json:"team,omitempty"`    // its number
	Token   string `json:"token,omitempty"`   // the number of the API token that did it
}

func auditRow(e store.AuditEntry) AuditRow {
	row := AuditRow{ID: number(e.ID), Event: e.Action, IPAddress: e.Address, Note: deed.ActionWords(e.Action), DateCreated: Time{e.At}, Data: AuditData{Subject: e.Subject, Detail: e.Detail}}
	if e.UserID != 0 {
		row.Actor = &User{ID: number(e.UserID), Name: e.User, Username: e.Email, Email: e.Email, IsActive: true}
	}
	if e.Subject != "" {
		row.Note += " " + e.Subject
	}
	if e.Detail != "" {
		row.Note += " (" + e.Detail + ")"
	}
	for to, id := range map[*string]int64{&row.Data.Project: int64(e.Project), &row.Data.Team: e.TeamID, &row.Data.Token: e.TokenID} {
		if id != 0 {
			*to = number(id)
		}
	}
	return row
}

func (a *API) auditLog(rx *store.Rx, r *request) (AuditLog, error) {
	n, err := r.perPage(50, 100)
	if err != nil {
		return AuditLog{}, err
	}
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return AuditLog{}, err
	}
	q := store.AuditQuery{Project: r.project.ID, Action: r.query("event"), Before: at.Value, Limit: n + 1}
	if q.User, err = actorAsked(r); err != nil {
		return AuditLog{}, err
	}
	asked, err := newSpan(r, a.cfg.Now())
	if err != nil {
		return AuditLog{}, err
	}
	q.From, q.To = asked.from, asked.to
	entries, err := rx.AuditLog(q)
	if err != nil {
		return AuditLog{}, err
	}
	more := len(entries) > n
	answer := AuditLog{Options: deed.Actions()}
	after := cursor{}
	for _, e := range entries[:min(n, len(entries))] {
		answer.Rows = append(answer.Rows, auditRow(e))
		after.Value = e.ID
	}
	r.page(cursor{Back: true}, after, at.Value > 0, more)
	return answer, nil
}

// actorAsked is whose deeds are asked for; 0: everybody's.
func actorAsked(r *request) (int64, error) {
	text := r.query("actor")
	switch id, err := strconv.ParseInt(text, 10, 64); {
	case text == "":
		return 0, nil
	case text == "me" && r.person.ID != 0:
		return r.person.ID, nil
	case err != nil || id < 1:
		return 0, bad(fmt.Sprintf("actor %.40q: want the number of a person, or me.", text))
	default:
		return id, nil
	}
}
