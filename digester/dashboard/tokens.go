package dashboard

import (
	"net/http"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// tokensPage is the tokens of a person, or of a project, and a form for another.
type tokensPage struct {
	shell
	Tabs    []tab         // of the account, if they are the person's own
	Project store.Project // zero: they are the person's own
	Action  string        // where the form goes
	Tokens  []tokenRow
	Made    string      // a new token's text, shown once
	Steps   []setupStep // what to do with it, if it is for tools
	Kinds   []tab       // what a new one is for
	Tools   bool        // it is for sentry-cli and bundlers
	Name    string      // as typed, when the form comes back
	Chosen  access.Scopes
	Scopes  []scopeChoice
	Lives   []tokenLife
	Error   string
}

// tokenRow is one token of the list.
type tokenRow struct {
	store.Token
	Expired bool
	Revoke  string // where the form to revoke it goes
}

// scopeChoice is a scope in the form.
type scopeChoice struct {
	Name    string
	Text    string
	Checked bool
}

// tokenLife is for how long a token can be made.
type tokenLife struct {
	Name string
	Text string
	Life time.Duration // 0: for ever
}

func tokenLives() []tokenLife {
	const day = 24 * time.Hour
	return []tokenLife{
		{"90", "90 days", 90 * day}, {"30", "30 days", 30 * day}, {"7", "7 days", 7 * day}, {"365", "1 year", 365 * day}, {"never", "Never", 0},
	}
}

// scopeChoices are the scopes in words; personal: of a person's token, not a project's.
func scopeChoices(chosen access.Scopes, personal bool) []scopeChoice {
	all := []scopeChoice{
		{Name: "event:read", Text: "Read issues and events"},
		{Name: "event:write", Text: "Resolve, assign and comment on issues"},
		{Name: "event:admin", Text: "Delete issues"},
		{Name: "project:read", Text: "Read projects, their keys and settings"},
		{Name: "project:write", Text: "Change projects: keys, settings, alerts"},
		{Name: "project:admin", Text: "Make and delete projects"},
		{Name: "project:releases", Text: "Upload releases and their files"},
		{Name: "org:read", Text: "List projects, teams and people"},
	}
	if personal {
		all = append(all,
			scopeChoice{Name: "org:write", Text: "Change teams, and invite people"},
			scopeChoice{Name: "org:admin", Text: "Manage users and the installation"})
	}
	for i, c := range all {
		all[i].Checked = chosen.Has(access.ParseScopes(c.Name))
	}
	return all
}

// tokenOwner is whose tokens a request is about: of the person who asks, or of the
// project in the path.
type tokenOwner struct {
	user    int64
	project store.Project
	list    string // the page's address
}

func (d *Dashboard) ownTokens(_ *store.Rx, r *http.Request) (tokenOwner, error) {
	return tokenOwner{user: who(r).ID, list: d.links.tokens()}, nil
}

func (d *Dashboard) projectTokens(rx *store.Rx, r *http.Request) (tokenOwner, error) {
	p, err := pathProject(rx, r)
	return tokenOwner{project: p, list: d.links.projectTokens(p.ID)}, err
}

// tokensOf finds out whose tokens a request is about.
type tokensOf func(rx *store.Rx, r *http.Request) (tokenOwner, error)

// forTools is what a form and its address say where a token is for sentry-cli and the
// plugins of bundlers.
const forTools = "tools"

// tokensPage reads what a page shows. tools is whether its form makes a token for them.
func (d *Dashboard) tokensPage(rx *store.Rx, of tokenOwner, tools bool) (tokensPage, error) {
	page := tokensPage{
		shell: shell{Title: "API tokens"}, Project: of.project, Action: of.list, Lives: tokenLives(), Scopes: scopeChoices(access.ReadEvents, of.user != 0), Tools: tools,
		Kinds: []tab{
			{Text: "For the API", URL: of.list + "#new", Current: !tools},
			{Text: "For sentry-cli, bundlers", URL: of.list + "?for=" + forTools + "#new", Current: tools},
		},
	}
	if tools {
		page.Scopes = scopeChoices(access.Releases, of.user != 0)
	}
	var tokens []store.Token
	var err error
	if of.user != 0 {
		page.Tabs = d.accountTabs(d.links.tokens())
		tokens, err = rx.UserTokens(of.user)
	} else {
		page.Title += " of " + of.project.Name
		page.Trail = []crumb{{"Projects", d.links.home()}, {of.project.Name, d.links.openIssues(of.project.ID)}}
		tokens, err = rx.ProjectTokens(of.project.ID)
	}
	for _, t := range tokens {
		page.Tokens = append(page.Tokens, tokenRow{
			Token: t, Expired: !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(d.cfg.Now()), Revoke: d.links.revokeToken(of.list, t.ID),
		})
	}
	return page, err
}

// showTokens is GET /account/tokens and GET /projects/{id}/tokens.
func (d *Dashboard) showTokens(whose tokensOf) reader {
	return func(rx *store.Rx, r *http.Request) (reply, error) {
		of, err := whose(rx, r)
		if err != nil {
			return reply{}, err
		}
		page, err := d.tokensPage(rx, of, r.URL.Query().Get("for") == forTools)
		return show("tokens", page), err
	}
}

// createToken is POST to the same addresses. The answer shows the token: only its
// hash is kept.
func (d *Dashboard) createToken(whose tokensOf) writer {
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		of, err := whose(&tx.Rx, r)
		if err != nil {
			return reply{}, err
		}
		var chosen access.Scopes
		for _, name := range r.PostForm["scope"] {
			chosen |= access.ParseScopes(name)
		}
		t := store.Token{
			Name: r.PostFormValue("name"), UserID: of.user, Project: of.project.ID, Scopes: chosen, CreatedBy: who(r).ID,
			ExpiresAt: expiry(r.PostFormValue("expires"), tx.Now()),
		}
		plain, tools := store.NewToken(), r.PostFormValue("for") == forTools
		if tools {
			plain = store.NewOrgToken(d.cfg.PublicURL, tx.Now())
		}
		made, err := tx.CreateToken(t, plain)
		if words := formWords(err); words != "" {
			page, err := d.tokensPage(&tx.Rx, of, tools)
			page.Name, page.Scopes, page.Error = t.Name, scopeChoices(chosen, of.user != 0), words
			return returned("tokens", page), err
		}
		if err == nil {
			err = d.audit(tx, r, store.AuditEntry{Action: "token.create", Project: of.project.ID, Subject: made.Name, Detail: made.Scopes.String()})
		}
		if err != nil {
			return reply{}, err
		}
		page, err := d.tokensPage(&tx.Rx, of, tools)
		if page.Made = plain; tools {
			page.Steps = d.toolGuide(plain, of.project.Slug)
		}
		return show("tokens", page), err
	}
}

// expiry is when a token ends that is made now. What is not on the form's list is
// taken for the shortest.
func expiry(name string, now time.Time) time.Time {
	for _, l := range tokenLives() {
		switch {
		case l.Name == name && l.Life == 0:
			return time.Time{}
		case l.Name == name:
			return now.Add(l.Life)
		}
	}
	return now.Add(7 * 24 * time.Hour)
}

// revokeToken is POST …/tokens/{token}/revoke.
func (d *Dashboard) revokeToken(whose tokensOf) writer {
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		of, err := whose(&tx.Rx, r)
		if err != nil {
			return reply{}, err
		}
		id, err := pathNumber(r, "token")
		if err != nil {
			return reply{}, err
		}
		gone, err := tx.RevokeToken(of.user, of.project.ID, id)
		if err == nil {
			err = d.audit(tx, r, store.AuditEntry{Action: "token.revoke", Project: of.project.ID, Subject: gone.Name})
		}
		return redirect(of.list), err
	}
}

// tokenRoutes are the pages and forms of tokens.
func (d *Dashboard) tokenRoutes() {
	for _, of := range []struct {
		path  string
		may   guard
		whose tokensOf
	}{
		{"/account/tokens", signedIn, d.ownTokens},
		{"/projects/{id}/tokens", ofProject(access.Admin), d.projectTokens},
	} {
		d.get(of.path, of.may, d.showTokens(of.whose))
		d.post(of.path, "create token", of.may, d.createToken(of.whose))
		d.post(of.path+"/{token}/revoke", "revoke token", of.may, d.revokeToken(of.whose))
	}
}

// projectTokens leads to the tokens of a project.
func (l links) projectTokens(id event.ProjectID) string { return l.project(id) + "/tokens" }
