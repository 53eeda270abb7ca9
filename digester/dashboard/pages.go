package dashboard

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

//go:embed templates/*.html
var templateFiles embed.FS

// shell is what every page has around its content. Page structs embed it.
type shell struct {
	Title string
	Trail []crumb // from the project list down to the page above this one
}

// crumb is a link of the trail.
type crumb struct{ Text, URL string }

// pages are the templates by page, each parsed when it is first shown: a region's
// dashboard that has just started shows one page, and to parse all of them was most of
// its start. TestTemplates parses them.
type pages map[string]func() (*template.Template, error)

// loadPages makes templates/NAME.html the page NAME. Files whose names begin with an
// underscore are shared by all.
func loadPages(l links, files assets, cfg Config) (pages, error) {
	funcs := templateFuncs(l, cfg)
	maps.Copy(funcs, l.accountFuncs())
	maps.Copy(funcs, l.channelFuncs())
	maps.Copy(funcs, l.alertFuncs())
	maps.Copy(funcs, l.sqlFuncs())
	maps.Copy(funcs, l.sourceMapFuncs())
	funcs["asset"] = func(name string) (string, error) {
		served, err := files.served(name)
		return l.asset(served), err
	}
	shared, err := template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/_*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing templates: %w", err)
	}
	names, err := fs.Glob(templateFiles, "templates/[a-z]*.html")
	if err != nil {
		return nil, fmt.Errorf("listing templates: %w", err)
	}
	all := make(pages)
	for _, file := range names {
		all[strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")] = sync.OnceValues(func() (*template.Template, error) {
			t, err := shared.Clone()
			if err == nil {
				t, err = t.ParseFS(templateFiles, file)
			}
			return t, err
		})
	}
	return all, nil
}

// framed is what the layout shows: a page, how old it is, and whose it is.
type framed struct {
	Page  any // with a shell
	Fresh *freshness
	Who   access.Person

	Section section // where the page belongs
}

// section is one of the links of the page's head.
type section string

// sectionOf returns where a page belongs by its path; empty: nowhere.
func sectionOf(path string) section {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "projects":
		return "projects"
	case "issues", "teams", "sql":
		return section(first)
	}
	return ""
}

// render writes a page in its frame.
func (p pages) render(w io.Writer, name string, page framed) error {
	load, ok := p[name]
	if !ok {
		return fmt.Errorf("no page %q", name)
	}
	t, err := load()
	if err != nil {
		return fmt.Errorf("parsing templates: %w", err)
	}
	if err := t.ExecuteTemplate(w, "page", page); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	return nil
}

// step is a way from one event to another.
type step struct {
	Text string
	URL  string // empty: there is nothing to go to
	Key  string // that leads there too; empty: none does
}

func (l links) newStep(to store.EventRef, from store.Event, text string) step {
	if to.Number == 0 || to == (store.EventRef{Issue: from.IssueID, Number: from.Number}) {
		return step{Text: text}
	}
	s := step{Text: text, URL: l.event(to.Issue, to.Number)}
	switch text { // as in lists, where the newest is on top: down is j
	case "Previous":
		s.Key = "j"
	case "Next":
		s.Key = "k"
	}
	return s
}

// pager leads to the neighbours of a page of a list. An empty address: there is
// no such page.
type pager struct {
	Newer, NewerText string
	Older, OlderText string
	Text             string // where we are
}

// dsnBox is a DSN to copy.
type dsnBox struct {
	ID  string // of its element
	DSN string
}

func newDSNBox(project event.ProjectID, dsn string) dsnBox {
	return dsnBox{ID: fmt.Sprintf("dsn-%d", project), DSN: dsn}
}

// templateFuncs are what templates may call: addresses and formats.
func templateFuncs(l links, cfg Config) template.FuncMap {
	return template.FuncMap{
		"homeURL":        l.home,
		"projectsURL":    l.projects,
		"signInURL":      l.signIn,
		"signOutURL":     l.signOut,
		"teamsURL":       l.teams,
		"teamURL":        l.team,
		"memberURL":      l.teamMember,
		"inviteURL":      l.invite,
		"withdrawURL":    l.withdraw,
		"invitationURL":  l.invitation,
		"passwordURL":    l.resetPassword,
		"forgotURL":      l.forgot,
		"accountURL":     l.account,
		"sessionsURL":    l.sessions,
		"endSessionURL":  l.endSession,
		"usersURL":       l.users,
		"userURL":        l.user,
		"auditURL":       l.audit,
		"personURL":      l.person,
		"outboxURL":      l.outbox,
		"limitsURL":      l.limits,
		"retryMailURL":   l.retryMail,
		"ownerURL":       l.owner,
		"findURL":        l.find,
		"setupURL":       l.setup,
		"settingsURL":    l.settings,
		"settingsPart":   l.settingsPart,
		"keyURL":         l.keyAction,
		"roleURL":        l.projectMember,
		"deletedURL":     l.deletedProjects,
		"restoreURL":     l.restoreProject,
		"deploysURL":     l.deploys,
		"undeployURL":    l.removeDeploy,
		"environment":    environmentName,
		"issueURL":       l.issue,
		"actURL":         l.act,
		"bulkURL":        l.bulk,
		"shortURL":       l.short,
		"commentsURL":    l.comments,
		"commentURL":     l.comment,
		"editCommentURL": l.editComment,
		"mergeURL":       l.merge,
		"shortcutsURL":   l.shortcuts,
		"apiDocsURL":     l.apiDocs,
		"tokensURL":      l.tokens,
		"eventsURL":      l.events,
		"eventURL":       l.event,
		"eventAsURL":     l.eventAs,
		"eventJSONURL":   l.eventJSON,
		"markdownURL":    l.eventMarkdown,
		"feedbackURL":    l.feedback,
		"quietURL":       l.quiet,
		"ledgerURL":      l.ledger,
		"deadLettersURL": l.deadLetters,
		"deadLetterURL":  l.deadLetter,
		"retryURL":       l.retryDead,
		"hasDeadLetters": cfg.hasDeadLetters,
		"hasLedger":      cfg.hasLedger,
		"hasSystem":      cfg.hasSystem,
		"systemURL":      l.system,
		"version":        func() string { return cfg.Version },
		"passages":       passages,
		"count":          formatCount,
		"counted":        formatCounted,
		"shortID":        shortID,
		"levelClass":     levelClass,
		"issuesURL":      l.openIssues,
		"tagURL":         l.tagged,
		"shares":         newShares,
		"allIssuesURL":   l.allIssues,
		"searchesURL":    l.searches,
		"unsearchURL":    l.deleteSearch,
		"stamp":          func(t time.Time) stamp { return newStamp(t, cfg.Now()) },
		"clock":          formatClock,
		"step":           l.newStep,
		"dsnBox":         newDSNBox,
		"second":         func(t time.Time) string { return t.UTC().Format("15:04:05") },
	}
}
