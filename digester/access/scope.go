package access

import "strings"

// Scopes is what an API token may be used for.
type Scopes uint

// The scopes. Their names are Sentry's (docs.sentry.io, permissions and scopes), so
// that tools ask for what they ask for there.
const (
	ReadProjects  Scopes = 1 << iota // project:read: projects, keys, settings
	WriteProjects                    // project:write: names, keys, settings, alerts
	Releases                         // project:releases: releases, deploys, artifacts
	ReadEvents                       // event:read: issues, events
	WriteEvents                      // event:write: resolve, assign, comment, …
	AdminEvents                      // event:admin: delete issues
	ReadOrg                          // org:read: teams, members, the list of projects
	AdminProjects                    // project:admin: make and delete projects
	WriteOrg                         // org:write: teams, who is in them, who is invited
	AdminOrg                         // org:admin: users, limits, what the installation keeps

	AllScopes = 1<<iota - 1
)

func scopeNames() []string {
	return []string{"project:read", "project:write", "project:releases", "event:read", "event:write", "event:admin", "org:read", "project:admin", "org:write", "org:admin"}
}

// Names returns the scopes by name.
func (s Scopes) Names() []string {
	var names []string
	for i, name := range scopeNames() {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names, separated by blanks.
func (s Scopes) String() string { return strings.Join(s.Names(), " ") }

// ParseScopes is the inverse of String; names that it does not know are left out.
func ParseScopes(text string) Scopes {
	var s Scopes
	for _, word := range strings.Fields(text) {
		for i, name := range scopeNames() {
			if word == name {
				s |= 1 << i
			}
		}
	}
	return s
}

// Has reports whether all of other is included.
func (s Scopes) Has(other Scopes) bool { return s&other == other }

// Unscoped is the error of a token that was made without a scope that is needed.
type Unscoped struct{ Needed Scopes } // any one of them

// Error names the scopes.
func (e *Unscoped) Error() string {
	return "the token was made without the scope " + strings.Join(e.Needed.Names(), " or ")
}
