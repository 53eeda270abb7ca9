package store

import (
	"errors"

	"sundew/digester/artifact"
	"sundew/schema/event"
)

// ScriptTrouble is where the way from a frame to its source map ends.
type ScriptTrouble string

// The troubles, from the first step to the last.
const (
	ScriptFound        ScriptTrouble = ""              // there is a map
	ScriptNoBundles    ScriptTrouble = "no-bundles"    // the project has none
	ScriptNoDebugID    ScriptTrouble = "no-debug-id"   // no bundle has the frame's debug id, and the event names no release
	ScriptNoName       ScriptTrouble = "no-name"       // the frame has no debug id, and the event names no release
	ScriptNoRelease    ScriptTrouble = "no-release"    // no bundle is of the event's release, see Script.Elsewhere
	ScriptNoDist       ScriptTrouble = "no-dist"       // bundles of the release are of other dists: Script.Dists
	ScriptNoURL        ScriptTrouble = "no-url"        // bundles of the release have no file with this URL, see Script.Near
	ScriptNoMapNamed   ScriptTrouble = "no-map-named"  // the script is there and names no map
	ScriptNoMap        ScriptTrouble = "no-map"        // the script is there and the map that it names is not: Script.MapURL
	ScriptStillComing  ScriptTrouble = "still-coming"  // nothing is found, and a bundle is being assembled
	ScriptUploadBroken ScriptTrouble = "upload-broken" // nothing is found, and the newest bundle could not be assembled: Script.Bundle.Detail
)

const (
	// maxScriptNear is how many similar URLs are told.
	maxScriptNear = 3

	// maxElsewhere is in how many bundles of other releases a URL is looked for.
	maxElsewhere = 50

	// scriptTypes are the types of files that frames are in.
	scriptTypes = `('minified_source', 'indexed_ram_bundle')`
)

// Script is what was found of a frame's script, and what was not.
type Script struct {
	Trouble       ScriptTrouble
	Bundle        Bundle        // which has the map, else the script; zero: there is none
	Minified      *ArtifactFile // nil: none
	Map           *ArtifactFile // nil: none
	ByDebugID     bool          // found by the debug id, else by release and URL
	MapURL        string        // how the script calls its map; empty: not at all
	DebugIDMissed bool          // the frame has a debug id that no bundle has
	Dists         []string      // of the release's bundles, of ScriptNoDist
	Near          []string      // URLs of the release that end alike, of ScriptNoURL
	Elsewhere     Elsewhere     // of ScriptNoRelease
}

// Elsewhere is a script of another release that has the URL which was looked for; zero:
// none of those used of late has.
type Elsewhere struct{ Release, URL string }

// FindScript looks for the script that a frame is in and for its source map: by debug id
// (clean, or empty), of which the newest upload counts; else by release, dist (the
// event's, then none) and URL, whose host, query and fragment do not count where the
// upload left out the host. What is missing is no error but Script.Trouble.
func (rx *Rx) FindScript(project event.ProjectID, debugID, release, dist, url string) (Script, error) {
	var s Script
	debugID = artifact.CleanDebugID(debugID)
	if debugID != "" {
		if err := rx.findByDebugID(&s, project, debugID); err != nil {
			return s, err
		}
		s.ByDebugID = s.Minified != nil || s.Map != nil
		s.DebugIDMissed = !s.ByDebugID
	}
	if s.Minified == nil && s.Map == nil && release != "" {
		var err error
		if s.Minified, err = rx.findByURL(project, release, dist, scriptTypes, artifact.Candidates(url)); err != nil {
			return s, err
		}
	}
	if s.Minified != nil && s.Map == nil {
		if err := rx.findMapOf(&s, project, release, dist); err != nil {
			return s, err
		}
	}
	if err := rx.nameBundle(&s, project); err != nil {
		return s, err
	}
	var err error
	s.Trouble, err = rx.scriptTrouble(&s, project, release, dist, url)
	return s, err
}

// findByDebugID takes the newest script and the newest map that have it.
func (rx *Rx) findByDebugID(s *Script, project event.ProjectID, debugID string) (err error) {
	find := func(t artifact.Type) (*ArtifactFile, error) {
		return first(rx.bundleFiles(fromFiles, `f.debug_id = ? AND f.debug_id <> '' AND f.type = ? AND b.project_id = ? ORDER BY f.bundle_id DESC, f.n LIMIT 1`,
			debugID, string(t), int64(project)))
	}
	if s.Minified, err = find(artifact.TypeMinified); err != nil {
		return err
	}
	s.Map, err = find(artifact.TypeSourceMap)
	return err
}

// first returns the first element, nil if there is none.
func first(all []ArtifactFile, err error) (*ArtifactFile, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// findByURL returns the newest file of a release that has one of the URLs, of which the
// first counts before the second.
func (rx *Rx) findByURL(project event.ProjectID, release, dist, types string, urls []string) (*ArtifactFile, error) {
	dists := []string{dist}
	if dist != "" {
		dists = append(dists, "")
	}
	for _, d := range dists {
		for _, u := range urls {
			// From the release's bundles to their files: many releases have the same URL.
			file, err := first(rx.bundleFiles(fromBundles,
				`b.project_id = ? AND b.release = ? AND b.dist = ? AND f.url = ? AND f.type IN `+types+` ORDER BY b.id DESC, f.n LIMIT 1`,
				int64(project), release, d, u))
			if err != nil || file != nil {
				return file, err
			}
		}
	}
	return nil, nil
}

// findMapOf looks for the map that a script names: in its bundle, then in its release.
func (rx *Rx) findMapOf(s *Script, project event.ProjectID, release, dist string) (err error) {
	m := s.Minified
	s.MapURL = m.SourceMap
	if m.DebugID != "" && !s.ByDebugID {
		if s.Map, err = first(rx.bundleFiles(fromFiles, `f.debug_id = ? AND f.debug_id <> '' AND f.type = 'source_map' AND b.project_id = ? ORDER BY f.bundle_id DESC, f.n LIMIT 1`,
			m.DebugID, int64(project))); err != nil || s.Map != nil {
			return err
		}
	}
	if s.MapURL == "" {
		return nil
	}
	s.Map, err = first(rx.bundleFiles(fromBundles, `b.id = ? AND f.url = ? AND f.type = 'source_map' ORDER BY f.n LIMIT 1`, m.Bundle, s.MapURL))
	if err != nil || s.Map != nil || release == "" {
		return err
	}
	s.Map, err = rx.findByURL(project, release, dist, `('source_map')`, artifact.Candidates(s.MapURL))
	return err
}

// nameBundle reads the bundle that counts.
func (rx *Rx) nameBundle(s *Script, project event.ProjectID) (err error) {
	file := s.Map
	if file == nil {
		file = s.Minified
	}
	if file == nil {
		return nil
	}
	if s.Minified != nil {
		s.MapURL = s.Minified.SourceMap
	}
	s.Bundle, err = rx.Bundle(project, file.Bundle)
	return err
}

// scriptTrouble decides where the way ended.
func (rx *Rx) scriptTrouble(s *Script, project event.ProjectID, release, dist, url string) (ScriptTrouble, error) {
	switch {
	case s.Map != nil:
		return ScriptFound, nil
	case s.Minified != nil && s.MapURL == "":
		return ScriptNoMapNamed, nil
	case s.Minified != nil:
		return ScriptNoMap, nil
	}
	newest, err := one(rx.bundles(`WHERE project_id = ? AND kind <> 2 AND state <> 3 ORDER BY id DESC LIMIT 1`, int64(project)))
	if errors.Is(err, ErrNotFound) {
		return ScriptNoBundles, nil
	}
	if err != nil {
		return "", err
	}
	if about := release == "" || newest.Release == release; about && newest.State == BundleAssembling {
		s.Bundle = newest
		return ScriptStillComing, nil
	} else if about && newest.State == BundleFailed {
		s.Bundle = newest
		return ScriptUploadBroken, nil
	}
	if release == "" && s.DebugIDMissed {
		return ScriptNoDebugID, nil
	}
	if release == "" {
		return ScriptNoName, nil
	}
	return rx.releaseTrouble(s, project, release, dist, url)
}

// releaseTrouble is scriptTrouble of an event that names its release.
func (rx *Rx) releaseTrouble(s *Script, project event.ProjectID, release, dist, url string) (ScriptTrouble, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT DISTINCT dist FROM artifact_bundles WHERE project_id = ? AND release = ? AND state = 1 AND kind <> 2 ORDER BY dist LIMIT 20`,
		int64(project), release)
	dists, err := collect(rows, err, func(d *string) []any { return []any{d} })
	if err != nil {
		return "", err
	}
	if len(dists) == 0 {
		s.Elsewhere, err = rx.scriptElsewhere(project, artifact.Candidates(url))
		return ScriptNoRelease, err
	}
	fits := false
	for _, d := range dists {
		fits = fits || d == "" || d == dist
	}
	if !fits {
		s.Dists = dists
		return ScriptNoDist, nil
	}
	s.Near, err = rx.nearScripts(project, release, artifact.BaseName(url))
	return ScriptNoURL, err
}

// scriptElsewhere looks for a URL in those bundles of releases that were used or came
// last: it is for people to read, so a few are enough.
func (rx *Rx) scriptElsewhere(project event.ProjectID, urls []string) (Elsewhere, error) {
	for _, u := range urls {
		rows, err := rx.q.QueryContext(rx.ctx, `
			SELECT b.release, f.url FROM (
			  SELECT id, release FROM artifact_bundles
			  WHERE project_id = ? AND state IN (1, 2) AND state = 1 AND kind <> 2 AND release <> '' ORDER BY used_at DESC, id DESC LIMIT ?) b
			CROSS JOIN bundle_files f INDEXED BY bundle_files_by_url ON f.bundle_id = b.id
			WHERE f.url = ? AND f.type IN `+scriptTypes+` LIMIT 1`,
			int64(project), maxElsewhere, u)
		found, err := one(collect(rows, err, func(e *Elsewhere) []any { return []any{&e.Release, &e.URL} }))
		if !errors.Is(err, ErrNotFound) {
			return found, err
		}
	}
	return Elsewhere{}, nil
}

// nearScripts returns URLs of scripts of a release's newest bundles that end like a
// frame's.
func (rx *Rx) nearScripts(project event.ProjectID, release, base string) ([]string, error) {
	if base == "" {
		return nil, nil
	}
	suffix := "/" + base
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT DISTINCT f.url FROM (
		  SELECT id FROM artifact_bundles WHERE project_id = ? AND release = ? AND state = 1 AND kind <> 2 ORDER BY id DESC LIMIT 20) b
		CROSS JOIN bundle_files f ON f.bundle_id = b.id
		WHERE substr(f.url, -length(?)) = ? AND f.type IN `+scriptTypes+` LIMIT ?`,
		int64(project), release, suffix, suffix, maxScriptNear)
	return collect(rows, err, func(u *string) []any { return []any{u} })
}
