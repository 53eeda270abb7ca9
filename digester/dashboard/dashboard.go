// Package dashboard is what people see: server-rendered pages about projects,
// issues and events.
//
// It exists to show hostile data safely. Rules: a page reads through a
// store.Rx and cannot write, because its handler is never given anything else;
// a form writes in one store.Tx around its whole handler and answers with a
// redirect. Two things are not of that kind: a queue is no database, and is asked
// before the page's transaction; and what a form can only find out by a long read
// is a Read first, then several short Writes that assert what it found
// (quiet.go). Handlers return a reply, which is rendered into a buffer after the
// transaction has ended, or an error, which one function turns into a status.
// Whatever comes from an event reaches a page only through html/template's
// escaping, cut to a budget. Every page works without JavaScript, and under a
// Content-Security-Policy without anything inline.
//
// A page is a file with its handler and its typed struct, and a template of the
// same name.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/highlight"
	"sundew/digester/ledger"
	"sundew/digester/passkey"
	"sundew/digester/password"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/digester/symbolicate/scripts"
	"sundew/digester/vitals"
)

// Config says what a dashboard shows and how it is reached.
type Config struct {
	Replica   *store.Replica   // where pages read
	DB        *store.DB        // where forms write; nil with Copy
	Copy      *Copy            // nil: Replica reads the primary
	PublicURL string           // how browsers and SDKs reach this installation, e.g. "https://errors.example.com/sundew"; its path goes in front of every link
	Now       func() time.Time // the clock that "5 min ago" is counted from; nil: time.Now
	Log       zerolog.Logger   // for errors that a page does not explain
	Version   string           // at the foot of each page

	Passwords *password.Hasher           // nil with Copy: the primary checks passwords
	Mail      func()                     // told that there is mail in the outbox; nil: nobody takes mail, and links are handed over
	Courier   func()                     // told that there are messages for channels; nil with Copy
	CheckURL  func(string) error         // says why a channel's address cannot be called, as far as its text tells; nil: it can
	Address   func(*http.Request) string // where a request comes from, for the audit log; nil: the connection's other end
	Provider  Provider                   // signs people in who have an account there; nil: nobody, or the primary knows

	// Ledger reads the books for their page, from the database and the queue; it is
	// called outside of any transaction. nil: there is no such page, unless it is the
	// primary's.
	Ledger func(context.Context) (*ledger.Books, error)

	// Vitals reads whether the installation is well; it is called outside of any
	// transaction. nil: as above.
	Vitals func(context.Context) vitals.Vitals

	// Dead are the queues whose dead letters are shown and put back; they are asked
	// outside of any transaction. Empty: as above.
	Dead deadletter.Queues

	Snapshot func(context.Context) (*Snapshot, error) // makes a copy of the whole database to download; nil: there is no file, or as above

	Scripts   Scripts          // finds source maps; nil: it looks for them in Replica itself
	Retention retention.Policy // of projects that say nothing themselves; only the primary knows it
}

// hasPrimary reports whether there is somebody to hand things to.
func (c Config) hasPrimary() bool { return c.Copy != nil && c.Copy.Primary != nil }

// hasLedger reports whether there are books to show, here or at the primary.
func (c Config) hasLedger() bool { return c.Ledger != nil || c.hasPrimary() }

// hasDeadLetters is hasLedger for dead letters.
func (c Config) hasDeadLetters() bool { return len(c.Dead) > 0 || c.hasPrimary() }

// hasSystem is hasLedger for the page of the system.
func (c Config) hasSystem() bool { return c.Vitals != nil || c.hasPrimary() }

// Dashboard serves the pages. It is safe for concurrent use.
type Dashboard struct {
	cfg     Config
	links   links
	pages   pages
	mux     *http.ServeMux
	all     http.Handler // mux behind everything that is true of each request
	forward http.Handler // to the primary; nil: there is none to hand anything to

	languages *highlight.Languages

	patterns []string // of all routes, as the mux knows them
	sealer   *sealer
	passkeys *passkey.Registry // nil: browsers have none at our address

	uses     uses        // of sessions and tokens
	attempts attempts    // to sign in
	resets   attempts    // to get a link for a password
	errands  chan errand // what Run does
}

// New returns a dashboard. Its error says what is wrong with cfg.
func New(cfg Config) (*Dashboard, error) {
	public, err := parsePublicURL(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Scripts == nil {
		cfg.Scripts = scripts.New(scripts.Config{From: cfg.Replica, Now: cfg.Now})
	}
	if cfg.Address == nil {
		cfg.Address = connectionAddress
	}
	if cfg.Copy == nil && cfg.Passwords == nil {
		return nil, errors.New("a primary's dashboard needs something to check passwords with")
	}
	files, err := loadAssets()
	if err != nil {
		return nil, err
	}
	d := &Dashboard{
		cfg: cfg, links: links{base: public.Path}, mux: http.NewServeMux(), languages: highlight.NewLanguages(),
		errands: make(chan errand, maxErrands),
	}
	if d.sealer, err = newSealer(); err != nil {
		return nil, err
	}
	if d.passkeys, err = passkey.New(cfg.PublicURL); err != nil && !errors.Is(err, passkey.ErrAddress) {
		return nil, err
	}
	if d.pages, err = loadPages(d.links, files, cfg); err != nil {
		return nil, err
	}
	d.routes(files)
	d.forward = d.newForward()

	csrf := http.NewCrossOriginProtection()
	// A proxy that rewrites Host would make our own forms look foreign.
	if err := csrf.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, errCrossOrigin)
	}))
	d.all = secure(csrf.Handler(http.HandlerFunc(d.dispatch)))
	return d, nil
}

// parsePublicURL returns the address without a slash at the end of its path.
func parsePublicURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("public URL %q: it must be http(s)://host[:port][/path]", raw)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	switch first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/"); first {
	case "projects", "issues", "events", "ledger", "dead-letters", "static", "s", "sign-in", "sign-out", "setup",
		"account", "audit", "docs", "forgot", "mcp", "organizations", "invitations", "mail", "password", "person", "searches", "sql", "system", "teams", "users":
		return nil, fmt.Errorf("public URL %q: a path that begins with %q is the dashboard's own", raw, first)
	}
	return u, nil
}

// routes is the list of all pages and forms, each with who may have it.
func (d *Dashboard) routes(files assets) {
	d.handle("GET /static/{file}", files.ServeHTTP)
	d.get("/sign-in", open, d.showSignIn)
	d.form("/sign-in", d.signIn)
	d.form("/sign-out", d.signOut)
	d.factorRoutes()
	d.tokenRoutes()
	d.get("/setup/{secret}", open, d.showOwner)
	d.form("/setup/{secret}", d.makeOwner)

	d.peopleRoutes()
	d.adminRoutes()
	d.quotaRoutes()

	d.get("/{$}", signedIn, d.showProjects)
	d.post("/projects", "create project", signedIn, d.createProject) // it asks for more itself: in which team?
	d.get("/projects/{id}/setup", ofProject(access.Viewer), d.showSetup)
	d.get("/projects/{id}/setup/status", ofProject(access.Viewer), d.setupStatus)
	d.settingsRoutes()
	d.personRoutes()
	d.releaseRoutes()
	d.sqlRoutes()
	d.get("/projects/{id}", ofProject(access.Viewer), d.showProject)
	d.get("/projects/{id}/issues", ofProject(access.Viewer), d.showIssues)
	d.get("/teams/{id}/issues", ofTeam(access.Viewer), d.showTeamIssues)
	d.get("/issues", signedIn, d.showAllIssues)
	d.post("/searches", "save search", signedIn, d.saveSearch)                 // whose list it is for it asks itself,
	d.post("/searches/{id}/delete", "delete search", signedIn, d.deleteSearch) // and whose search it is
	d.get("/projects/{id}/quiet", ofProject(access.Member), d.showQuiet)
	d.form("/projects/{id}/quiet", d.guarded(ofProject(access.Member), d.resolveQuiet))
	d.get("/projects/{id}/feedback", ofProject(access.Viewer), d.showFeedback)
	d.getByToken("/projects/{id}/attachments/{attachment}", access.ReadEvents, ofProject(access.Viewer), d.downloadAttachment)
	d.get("/issues/{id}", ofIssue(access.Viewer), d.showIssue)
	d.actRoutes()
	d.get("/issues/{id}/events", ofIssue(access.Viewer), d.showEvents)
	d.get("/issues/{id}/events/{number}", ofIssue(access.Viewer), d.showEvent)
	d.getByToken("/issues/{id}/events/{number}/json", access.ReadEvents, ofIssue(access.Viewer), d.showEventJSON)
	d.getByToken("/issues/{id}/events/{number}/markdown", access.ReadEvents, ofIssue(access.Viewer), d.showEventMarkdown)
	d.get("/events", signedIn, d.findEvent) // it leads to an issue's page, which asks
	d.get("/events/{event}", signedIn, d.findEvent)
	if d.cfg.hasLedger() {
		d.page("/ledger", d.guarded(ofLedger, d.serveLedger))
	}
	if d.cfg.hasSystem() {
		d.page("/system", d.guarded(ofInstallation(access.Admin), d.serveSystem))
	}
	if d.cfg.hasDeadLetters() {
		ops := ofInstallation(access.Admin) // a dead letter may be of any project
		d.page("/dead-letters", d.guarded(ops, d.serveDeadLetters))
		d.page("/dead-letters/letter", d.guarded(ops, d.serveDeadLetter))
		d.form("/dead-letters/retry", d.guarded(ops, d.retryDeadLetters))
	}
}

// peopleRoutes are the routes of accounts and teams.
func (d *Dashboard) peopleRoutes() {
	d.primary("/forgot", open, d.showForgot)
	d.form("/forgot", d.forgot)
	d.get("/password/{secret}", open, d.showResetPassword)
	d.form("/password/{secret}", d.resetPassword)
	d.get("/invitations/{secret}", open, d.showInvitation)
	d.form("/invitations/{secret}", d.guarded(open, d.acceptInvitation))

	d.get("/account", signedIn, d.showAccount)
	d.post("/account/name", "rename user", signedIn, d.rename)
	d.form("/account/email", d.guarded(signedIn, d.changeEmail))
	d.form("/account/password", d.guarded(signedIn, d.changePassword))
	d.get("/account/sessions", signedIn, d.showSessions)
	d.post("/account/sessions/{id}/end", "end session", signedIn, d.endSession)
	d.post("/account/sessions/end-others", "end sessions", signedIn, d.endOtherSessions)

	d.get("/teams", signedIn, d.showTeams)
	d.post("/teams", "create team", ofInstallation(access.Admin), d.createTeam)
	d.get("/teams/{id}", ofTeam(access.Viewer), d.showTeam)
	d.post("/teams/{id}/rename", "rename team", ofTeam(access.Admin), d.renameTeam)
	d.post("/teams/{id}/delete", "delete team", ofTeam(access.Owner), d.deleteTeam)
	d.post("/teams/{id}/leave", "leave team", ofTeam(access.Viewer), d.leaveTeam)
	d.post("/teams/{id}/members", "add member", ofTeam(access.Admin), d.addMember)
	d.post("/teams/{id}/members/{user}", "change member", ofTeam(access.Admin), d.changeMember)
	d.primary("/teams/{id}/invite", ofTeam(access.Admin), d.showInvite)
	d.post("/teams/{id}/invite", "invite", ofTeam(access.Admin), d.invite)
	d.post("/teams/{id}/invitations/{invitation}/withdraw", "withdraw invitation", ofTeam(access.Admin), d.withdraw)
}

// adminRoutes are those of the installation's admins.
func (d *Dashboard) adminRoutes() {
	admin := ofInstallation(access.Admin)
	d.get("/users", admin, d.showUsers)
	d.primary("/users/{id}", admin, d.showUser)
	d.post("/users/{id}/role", "change role", admin, d.setUserRole)
	d.post("/users/{id}/disable", "disable user", admin, d.disableUser)
	d.post("/users/{id}/enable", "enable user", admin, d.enableUser)
	d.post("/users/{id}/sign-out", "sign user out", admin, d.signUserOut)
	d.post("/users/{id}/password", "link for a password", admin, d.linkUser)
	d.primary("/users/invite", admin, d.showInvite)
	d.post("/users/invite", "invite", admin, d.invite)
	d.post("/users/invitations/{invitation}/withdraw", "withdraw invitation", admin, d.withdraw)
	d.get("/audit", admin, d.showAudit)
	d.get("/projects/{id}/audit", ofProject(access.Admin), d.showAudit)
	d.get("/mail", admin, d.showOutbox)
	d.post("/mail/{id}/retry", "try mail again", admin, d.retryMail)
}

// handle adds a route.
func (d *Dashboard) handle(pattern string, handle http.HandlerFunc) {
	d.patterns = append(d.patterns, pattern)
	d.mux.HandleFunc(pattern, handle)
}

// primary adds a page that says what only the primary knows of its configuration.
func (d *Dashboard) primary(path string, may guard, handle reader) {
	d.page(path, func(w http.ResponseWriter, r *http.Request) { d.read(w, r, may, handle) })
}

// guarded is a handler of more than the database behind a guard, which reads before
// it.
func (d *Dashboard) guarded(may guard, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v visitor
		err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
			entered, err := d.enter(rx, r, may)
			v = visitorOf(entered)
			return err
		})
		r = as(r, v)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		handle(w, r)
	}
}

// page adds a page that is about more than the database; of a copy the primary
// answers it.
func (d *Dashboard) page(path string, handle http.HandlerFunc) {
	if d.cfg.Copy != nil {
		handle = d.handOnPage
	}
	d.handle("GET "+path, handle)
}

// form adds a form; of a copy the primary answers it.
func (d *Dashboard) form(path string, handle http.HandlerFunc) {
	if d.cfg.Copy != nil {
		handle = d.handOnForm
	}
	d.handle("POST "+path, handle)
}

// ServeHTTP answers one request.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.all.ServeHTTP(w, r) }

// secure sets the headers that every answer carries.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurity(w.Header())
		next.ServeHTTP(w, r)
	})
}

func setSecurity(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: under it browsers send "Origin: null" with forms, and
	// over plain HTTP the origin is all that tells ours from foreign ones.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
}

// dispatch hands a request to its route. The path in front of the dashboard is
// taken off if it is there: proxies differ in whether they do.
func (d *Dashboard) dispatch(w http.ResponseWriter, r *http.Request) {
	r = d.withoutBase(r)
	if clean := path.Clean("/" + r.URL.Path); clean != r.URL.Path && isRead(r) {
		to := url.URL{Path: d.links.base + clean, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
		return
	}
	if _, pattern := d.mux.Handler(r); pattern == "" {
		why := d.whyNoRoute(r)
		d.guarded(open, func(w http.ResponseWriter, r *http.Request) { d.fail(w, r, why) })(w, r)
		return
	}
	d.mux.ServeHTTP(w, r)
}

func isRead(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

func (d *Dashboard) withoutBase(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.Path, d.links.base)
	if d.links.base == "" || !ok || rest != "" && rest[0] != '/' {
		return r
	}
	if rest == "" {
		rest = "/"
	}
	short := r.Clone(r.Context())
	short.URL.Path, short.URL.RawPath = rest, ""
	return short
}

// whyNoRoute tells a path that does not exist from one that another method
// would find.
func (d *Dashboard) whyNoRoute(r *http.Request) error {
	other := r.Clone(r.Context())
	for _, other.Method = range []string{http.MethodGet, http.MethodPost} {
		if _, pattern := d.mux.Handler(other); pattern != "" {
			return errMethod
		}
	}
	return store.ErrNotFound
}

// writer is the handler of a form. All it does is one transaction, which may
// run more than once before it commits.
type writer func(tx *store.Tx, r *http.Request) (reply, error)

// maxForm bounds a form's body; the largest has one line of text.
const maxForm = 64 << 10

// parseForm reads a form into r.PostForm; its error is errForm.
func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	return nil
}

// post adds a form that is one transaction. why names it.
func (d *Dashboard) post(path, why string, may guard, handle writer) {
	d.form(path, func(w http.ResponseWriter, r *http.Request) {
		// Before the transaction: a slow client must not hold the write lock.
		if err := parseForm(w, r); err != nil {
			d.fail(w, r, err)
			return
		}
		var rep reply
		r, err := d.write(w, r, why, may, func(tx *store.Tx, r *http.Request) (err error) {
			rep, err = handle(tx, r)
			return err
		})
		if kind := store.KindOf(err); kind.Holds() || kind == store.KindUnknown {
			d.failWith(w, r, err, typedIn(r.PostForm), "")
			return
		}
		d.answer(w, r, rep, err)
	})
}

// write runs a form's transaction, with the question whether it may be in it. The
// request that it returns knows who sent it.
func (d *Dashboard) write(w http.ResponseWriter, r *http.Request, why string, may guard, change func(tx *store.Tx, r *http.Request) error) (*http.Request, error) {
	var v visitor
	var position int64
	err := d.cfg.DB.Write(r.Context(), why, func(tx *store.Tx) error {
		position = tx.Position()
		entered, err := d.enter(&tx.Rx, r, may)
		v = visitorOf(entered)
		if err == nil {
			err = change(tx, entered)
		}
		return err
	})
	if err == nil {
		d.rememberPosition(w, position)
	}
	return as(r, v), err
}
