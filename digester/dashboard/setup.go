package dashboard

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/store"
)

// setupPage says how an application reports to a project.
type setupPage struct {
	shell
	Project   store.Project
	Areas     []tab
	DSN       string
	Test      string // what sends a first event by hand
	Status    string // what the page's script asks
	Again     string // this page's own address
	Platforms []tab
	Name      string // of the platform shown
	Note      string // for users of frameworks; may be empty
	Steps     []setupStep
}

// setupStep is one thing to do, with what to copy.
type setupStep struct {
	Title   string
	File    string // where the code goes; empty: a terminal
	Code    string
	Instead bool // of the numbered step before it: it has no number
}

// Waiting reports whether the project has not heard from its application.
func (p setupPage) Waiting() bool { return p.Project.Events == 0 }

func (d *Dashboard) showSetup(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	guides := setupGuides()
	shown := guideOf(guides, cmp.Or(r.URL.Query().Get("platform"), project.Platform))
	page := setupPage{
		shell: shell{Title: "Set up " + project.Name, Trail: d.trail()},
		Areas: d.areas(r, project, areaSetup), Status: d.links.setupStatus(project.ID),
		Test:    d.fillIn(curlGuide().steps, project)[0].Code,
		Project: project, DSN: d.dsn(project), Again: d.links.setup(project.ID, shown.key),
		Name: shown.name, Note: shown.note, Steps: d.fillIn(shown.steps, project),
	}
	for _, g := range guides {
		page.Platforms = append(page.Platforms, tab{
			Text: g.name, URL: d.links.setup(project.ID, g.key), Current: g.key == shown.key,
		})
	}
	return show("setup", page), nil
}

// guideOf returns the guide for a platform, which may say more than we have one for, as
// python-django does. Without any it is the first.
func guideOf(guides []setupGuide, platform string) setupGuide {
	family, _, _ := strings.Cut(platform, "-")
	for _, g := range guides {
		if g.key == family {
			return g
		}
	}
	return guides[0]
}

// fillIn puts the project's addresses into a guide's steps.
func (d *Dashboard) fillIn(steps []setupStep, p store.Project) []setupStep {
	key := ""
	if len(p.Keys) > 0 {
		key = p.Keys[0]
	}
	id := strconv.FormatInt(int64(p.ID), 10)
	values := strings.NewReplacer(
		"{dsn}", d.dsn(p),
		"{key}", key,
		"{store}", strings.TrimRight(d.cfg.PublicURL, "/")+"/api/"+id+"/store/",
	)
	filled := make([]setupStep, len(steps))
	for i, s := range steps {
		filled[i] = setupStep{Title: s.Title, File: s.File, Code: values.Replace(s.Code)}
	}
	return filled
}
