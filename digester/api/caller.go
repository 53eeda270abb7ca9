package api

import (
	"context"
	"net/http"
	"net/url"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// What a token needs one of, for those who ask by other means than a route.
const (
	ToRead  = readEvents
	ToWrite = writeEvents
)

// Caller is who asks by other means than a route, with the same tokens, limits and
// questions. It is for one request and one goroutine.
type Caller struct{ r *request }

// Caller returns who sends a request with some headers from an address.
func (a *API) Caller(header http.Header, address string) *Caller {
	plain := &http.Request{Method: http.MethodPost, URL: &url.URL{}, Header: header, RemoteAddr: address}
	return &Caller{&request{Request: plain, api: a, out: make(http.Header)}}
}

// Admit asks whether the token works, counts the request, and says in headers what is
// left. Its error is for Explain.
func (c *Caller) Admit(ctx context.Context, h http.Header) error {
	err := c.r.api.cfg.Replica.Read(ctx, func(rx *store.Rx) error { return c.r.api.enter(rx, c.r, anyToken, anyone) })
	c.r.limit(h)
	return err
}

// Admitted is the caller of a part of a request that was counted already.
func (c *Caller) Admitted() *Caller {
	c.r.quota.most = 1
	return c
}

// Read runs a read transaction for the caller, who needs one of some scopes.
func (c *Caller) Read(ctx context.Context, scopes access.Scopes, do func(rx *store.Rx) error) error {
	a := c.r.api
	return a.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		if err := a.enter(rx, c.r, scopes, anyone); err != nil {
			return err
		}
		return do(rx)
	})
}

// Write runs a write transaction for the caller, after a Read that asks the same of the
// token. why names it.
func (c *Caller) Write(ctx context.Context, why string, scopes access.Scopes, do func(tx *store.Tx) error) error {
	a := c.r.api
	if err := c.Read(ctx, scopes, func(*store.Rx) error { return nil }); err != nil {
		return err
	}
	if a.cfg.DB == nil {
		return errReadOnly
	}
	return a.cfg.DB.Write(ctx, why, func(tx *store.Tx) error {
		if err := a.enter(&tx.Rx, c.r, scopes, anyone); err != nil {
			return err
		}
		return do(tx)
	})
}

// Issue returns an issue by number or short id; the caller needs a role in its project.
func (c *Caller) Issue(rx *store.Rx, name string, least access.Role) (store.Issue, error) {
	issue, err := issueNamed(rx, name)
	if err != nil {
		return issue, err
	}
	return issue, enough(c.r.person.In(issue.ProjectID), least)
}

// Projects returns the projects that the caller sees, by name.
func (c *Caller) Projects(rx *store.Rx) ([]store.Project, error) { return visible(rx, c.r) }

// In returns the caller's role in an event's project.
func (c *Caller) In(ev store.Event) access.Role { return c.r.person.In(ev.ProjectID) }

// Search finds issues by what an address of a list would say (listParams), and says
// whether there are more.
func (c *Caller) Search(rx *store.Rx, values url.Values) (store.Found, error) {
	c.r.URL = &url.URL{RawQuery: values.Encode()}
	projects, err := chosenProjects(rx, c.r)
	if err != nil {
		return store.Found{}, err
	}
	s, err := c.r.api.newSearch(c.r, projects, "is:unresolved")
	if err != nil {
		return store.Found{}, err
	}
	found, err := rx.Find(s)
	return found, searchProblem(err)
}

// Do does something to an issue that the caller may do it to.
func (c *Caller) Do(tx *store.Tx, a deed.Action, issue store.Issue) (deed.Done, error) {
	return doAll(tx, c.r, a, []int64{issue.ID})
}

// Comment adds a comment to an issue that the caller may comment on.
func (c *Caller) Comment(tx *store.Tx, issue store.Issue, text string) error {
	_, err := deed.Comment(tx, c.r.by(), issue, text)
	return err
}

// Assignee is who is meant by user:1, team:1, #team, me or a mail address; empty:
// nobody.
func (c *Caller) Assignee(rx *store.Rx, name string) (store.Assignee, error) {
	return assigneeNamed(rx, c.r, name)
}

// Link is an address of the dashboard.
func (c *Caller) Link(path string) string { return c.r.link(path) }

// Explain turns an error into a status and words for whoever asked. What it does not
// know is internal, and for the log.
func Explain(err error) (status int, words string) { return explain(err) }
