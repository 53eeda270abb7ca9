package keyring

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sundew/schema/event"
	"sundew/schema/scrub"
)

// Status says what a snapshot knows of a key.
type Status int

// The statuses of a key.
const (
	Unknown  Status = iota // no such key, or the key of another project
	Disabled               // switched off
	Active
)

// Ring looks keys up in a snapshot. It does not change, so any number of
// goroutines may use it.
type Ring struct {
	at      time.Time
	keys    map[pair]bool // enabled
	limits  map[event.ProjectID][]Limit
	origins map[event.ProjectID][]origin
	privacy *scrub.Book
}

type pair struct {
	project event.ProjectID
	public  string
}

// NewRing returns a ring of a snapshot.
func NewRing(s *Snapshot) *Ring { return (*Ring)(nil).Next(s) }

// Next returns a ring of a newer snapshot. It takes over what is dear to make and still
// the same; r may be nil.
func (r *Ring) Next(s *Snapshot) *Ring {
	settings := make(map[int64]scrub.Settings, len(s.Privacy))
	for _, p := range s.Privacy {
		settings[int64(p.Project)] = p.Settings
	}
	next := newRing(s)
	if r != nil {
		next.privacy = scrub.NewBook(settings, r.privacy)
	} else {
		next.privacy = scrub.NewBook(settings, nil)
	}
	return next
}

func newRing(s *Snapshot) *Ring {
	r := &Ring{
		at: s.At, keys: make(map[pair]bool, len(s.Keys)),
		limits: make(map[event.ProjectID][]Limit), origins: make(map[event.ProjectID][]origin),
	}
	for _, k := range s.Keys {
		r.keys[pair{k.Project, k.Public}] = k.Enabled
	}
	for _, l := range s.Limits {
		r.limits[l.Project] = append(r.limits[l.Project], l)
	}
	for _, o := range s.Origins {
		for _, text := range o.Allowed {
			if allowed, err := parseOrigin(text); err == nil { // a newer digester may know more forms
				r.origins[o.Project] = append(r.origins[o.Project], allowed)
			}
		}
	}
	return r
}

// Scrubber returns what takes secrets out of what a project reports.
func (r *Ring) Scrubber(project event.ProjectID) *scrub.Scrubber { return r.privacy.Of(int64(project)) }

// At returns when the snapshot was made.
func (r *Ring) At() time.Time { return r.at }

// Lookup returns the status of a key for a project. The key is 32 lower-case hex
// digits.
func (r *Ring) Lookup(project event.ProjectID, key string) Status {
	enabled, known := r.keys[pair{project, key}]
	switch {
	case !known:
		return Unknown
	case !enabled:
		return Disabled
	}
	return Active
}

// Limited returns the limit that holds for a project's items of a category at a
// moment, the one that ends last if there are several; false if there is none.
func (r *Ring) Limited(project event.ProjectID, category string, now time.Time) (limit Limit, limited bool) {
	for _, l := range r.limits[project] {
		applies := len(l.Categories) == 0 || slices.Contains(l.Categories, category)
		if applies && now.Before(l.Until) && l.Until.After(limit.Until) {
			limit, limited = l, true
		}
	}
	return limit, limited
}

// Allows reports whether a browser's page at an address may report to a project.
// Requests that name no page, those of servers, are not asked about. A project
// that restricts nothing allows every page.
func (r *Ring) Allows(project event.ProjectID, page string) bool {
	allowed := r.origins[project]
	return len(allowed) == 0 || allows(allowed, page)
}

func compareProjects(a, b event.ProjectID) int { return cmp.Compare(a, b) }

func compareKeys(a, b Key) int {
	return cmp.Or(compareProjects(a.Project, b.Project), strings.Compare(a.Public, b.Public))
}
