package dashboard

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/artifact"
	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	// sourceMapsPart is the page's place in the settings.
	sourceMapsPart = "sourcemaps"

	// bundlesPerPage, debugFilesShown and filesPerPage bound its lists.
	bundlesPerPage  = 50
	debugFilesShown = 50
	filesPerPage    = 200
)

// sourceMapRoutes are the routes of what build tools uploaded. Whoever sees the project
// may look: a stack that cannot be read sends people here.
func (d *Dashboard) sourceMapRoutes() {
	const list = "/projects/{id}/settings/" + sourceMapsPart
	d.get(list, ofProject(access.Viewer), d.showSourceMaps)
	d.get(list+"/{bundle}", ofProject(access.Viewer), d.showBundle)
	d.post(list+"/{bundle}/delete", "delete an upload", ofProject(access.Admin), d.deleteBundle)
}

// sourceMaps leads to a project's uploads.
func (l links) sourceMaps(id event.ProjectID) string { return l.settingsPart(id, sourceMapsPart) }

// bundle leads to one of them.
func (l links) bundle(id event.ProjectID, bundle int64) string {
	return l.sourceMaps(id) + "/" + strconv.FormatInt(bundle, 10)
}

// sourceMapFuncs are what templates of uploads may call.
func (l links) sourceMapFuncs() template.FuncMap {
	return template.FuncMap{"sourceMapsURL": l.sourceMaps, "bundleURL": l.bundle}
}

// sourceMapsPage lists a project's uploads.
type sourceMapsPage struct {
	settingsFrame
	Bundles    []bundleView
	Pager      pager
	Later      bool // there may be more in front
	DebugFiles []bundleView
	MoreDebug  bool
	Stored     string // how much room the project's uploads take up
	Commands   string // with which to upload
	Tokens     string // where to make a token; empty: who asks may not
	Admin      bool   // who asks may delete
}

// bundleView is an upload as pages show it.
type bundleView struct {
	store.Bundle
	Size  string
	Used  string // when it was last used, to the day
	ID32  string // the debug id as tools write it
	State channelState
}

func newBundleView(b store.Bundle, now time.Time) bundleView {
	view := bundleView{Bundle: b, Size: formatSize(b.Size), Used: dayWords(b.UsedAt, now), ID32: artifact.FormatDebugID(b.DebugID)}
	switch b.State {
	case store.BundleReady:
		view.State = channelState{Text: "ready", Class: "state state-resolved"}
	case store.BundleFailed:
		view.State = channelState{Text: "failed", Class: "note note-unhandled", Fails: true}
	default:
		view.State = channelState{Text: "being assembled", Class: "note"}
	}
	return view
}

// dayWords says on which day something was that is noted to the day.
func dayWords(at, now time.Time) string {
	today := now.UTC().Truncate(24 * time.Hour)
	switch day := at.UTC().Truncate(24 * time.Hour); {
	case !day.Before(today):
		return "today"
	case day.Equal(today.Add(-24 * time.Hour)):
		return "yesterday"
	default:
		return day.Format("2 Jan 2006")
	}
}

// sourceMapsFrame frames a page about uploads. Who may only look has no other settings.
func (d *Dashboard) sourceMapsFrame(r *http.Request, p store.Project) settingsFrame {
	frame := d.settingsFrame(r, p, sourceMapsPart)
	if frame.Title = "Source maps of " + p.Name; who(r).In(p.ID) < access.Admin {
		frame.Parts = nil
	}
	return frame
}

func (d *Dashboard) showSourceMaps(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	before := queryNumber(r, "before", 1<<53, 0)
	page := sourceMapsPage{
		settingsFrame: d.sourceMapsFrame(r, p), Later: before > 0, Commands: d.uploadCommands(p), Admin: who(r).In(p.ID) >= access.Admin,
		Pager: pager{NewerText: "Newest", OlderText: "Older"},
	}
	if page.Admin {
		page.Tokens = d.links.projectTokens(p.ID) + "?for=" + forTools + "#new"
	}
	bundles, more, err := rx.Bundles(p.ID, false, before, bundlesPerPage)
	if err != nil {
		return reply{}, err
	}
	page.Bundles = d.viewBundles(bundles)
	if before > 0 {
		page.Pager.Newer = d.links.sourceMaps(p.ID)
	}
	if more {
		page.Pager.Older = d.links.sourceMaps(p.ID) + "?before=" + strconv.FormatInt(bundles[len(bundles)-1].ID, 10)
	}
	files, moreFiles, err := rx.Bundles(p.ID, true, 0, debugFilesShown)
	if err != nil {
		return reply{}, err
	}
	page.DebugFiles, page.MoreDebug = d.viewBundles(files), moreFiles
	stored, err := rx.ProjectArtifactBytes(p.ID)
	page.Stored = formatSize(stored)
	return show("sourcemaps", page), err
}

func (d *Dashboard) viewBundles(bundles []store.Bundle) []bundleView {
	views := make([]bundleView, len(bundles))
	for i, b := range bundles {
		views[i] = newBundleView(b, d.cfg.Now())
	}
	return views
}

// uploadCommands are what to type to upload source maps of a project, as beside a new
// token.
func (d *Dashboard) uploadCommands(p store.Project) string {
	steps := d.toolGuide("", p.Slug)
	return steps[0].Code + "\n\n" + steps[1].Code
}

// bundlePage shows the files of an upload.
type bundlePage struct {
	settingsFrame
	Bundle bundleView
	Files  []bundleFileView
	From   int // the number of the first
	Pager  pager
	Admin  bool
}

// bundleFileView is a file of an upload.
type bundleFileView struct {
	store.ArtifactFile
	Name string // its URL, or its path
	Kind string
	Size string
	ID32 string
}

func (d *Dashboard) showBundle(rx *store.Rx, r *http.Request) (reply, error) {
	p, b, err := pathBundle(rx, r)
	if err != nil {
		return reply{}, err
	}
	from := int(queryNumber(r, "from", 1<<30, 0))
	files, more, err := rx.BundleFiles(b.ID, from, filesPerPage)
	if err != nil {
		return reply{}, err
	}
	page := bundlePage{settingsFrame: d.sourceMapsFrame(r, p), Bundle: newBundleView(b, d.cfg.Now()), From: from, Admin: who(r).In(p.ID) >= access.Admin,
		Pager: pager{NewerText: "Before", OlderText: "Next"}}
	for _, f := range files {
		page.Files = append(page.Files, newBundleFileView(f))
	}
	at := d.links.bundle(p.ID, b.ID) + "?from="
	if from > 0 {
		page.Pager.Newer = at + strconv.Itoa(max(0, from-filesPerPage))
	}
	if more {
		page.Pager.Older = at + strconv.Itoa(from+filesPerPage)
	}
	return show("bundle", page), nil
}

func newBundleFileView(f store.ArtifactFile) bundleFileView {
	view := bundleFileView{ArtifactFile: f, Name: f.URL, Size: formatSize(f.Size), ID32: artifact.FormatDebugID(f.DebugID)}
	if view.Name == "" {
		view.Name = f.Path
	}
	switch f.Type {
	case artifact.TypeMinified:
		view.Kind = "script"
	case artifact.TypeSourceMap:
		view.Kind = "source map"
	case artifact.TypeSource:
		view.Kind = "source"
	case artifact.TypeDebugFile:
		view.Kind = "debug file"
	default:
		view.Kind = strings.ReplaceAll(string(f.Type), "_", " ")
	}
	return view
}

// deleteBundle is POST /projects/{id}/settings/sourcemaps/{bundle}/delete.
func (d *Dashboard) deleteBundle(tx *store.Tx, r *http.Request) (reply, error) {
	p, b, err := pathBundle(&tx.Rx, r)
	if err == nil {
		err = tx.RemoveBundle(p.ID, b.ID)
	}
	if err == nil {
		err = d.noteSetting(tx, r, p, "artifact.delete", bundleWords(b))
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.sourceMaps(p.ID), "bundle-deleted")), nil
}

// bundleWords is what the audit log calls an upload.
func bundleWords(b store.Bundle) string {
	switch {
	case b.Name != "":
		return b.Name
	case b.Release != "":
		return fmt.Sprintf("bundle %d of %s", b.ID, b.Release)
	}
	return fmt.Sprintf("bundle %d", b.ID)
}

// pathBundle loads the project and its upload that the path names.
func pathBundle(rx *store.Rx, r *http.Request) (store.Project, store.Bundle, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return p, store.Bundle{}, err
	}
	id, err := pathNumber(r, "bundle")
	if err != nil {
		return p, store.Bundle{}, err
	}
	b, err := rx.Bundle(p.ID, id)
	return p, b, err
}
