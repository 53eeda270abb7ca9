// Package access says what a person may do, and where.
//
// It exists so that pages, forms and the API ask one question in one place. It is
// pure: who is signed in, and what teams and projects give to them, is read by the
// store; what that allows is decided here.
//
// There are four roles, each of which may all that those below it may. A person
// has one in the whole installation, or none; one in each team that they belong
// to, which holds in every project of that team; and perhaps one in a project. The
// highest counts.
package access

import (
	"fmt"

	"sundew/schema/event"
)

// Role is what a person is, in the installation, a team or a project.
type Role int

// The roles, the higher the more.
const (
	None   Role = iota
	Viewer      // sees everything, changes nothing
	Member      // works with issues: resolves, assigns, comments, merges
	Admin       // changes settings, keys and members
	Owner       // deletes and transfers projects and teams
)

// String returns the role's name in forms and on pages.
func (r Role) String() string {
	switch r {
	case None:
		return "none"
	case Viewer:
		return "viewer"
	case Member:
		return "member"
	case Admin:
		return "admin"
	case Owner:
		return "owner"
	}
	return fmt.Sprintf("role %d", int(r))
}

// ParseRole is the inverse of String for the roles that can be given to somebody.
func ParseRole(s string) (Role, bool) {
	for _, r := range Roles() {
		if r.String() == s {
			return r, true
		}
	}
	return None, false
}

// Roles are those that can be given to somebody, the lowest first.
func Roles() []Role { return []Role{Viewer, Member, Admin, Owner} }

// Person is who asks for something. The zero value is nobody: they may nothing.
type Person struct {
	ID       int64
	Email    string
	Name     string
	Role     Role // in the installation
	Teams    map[int64]Role
	Projects map[event.ProjectID]Role // the highest of what teams and projects give

	Token  int64  // API token that speaks for the person; 0: a session does
	Scopes Scopes // of the token; of a session all
}

// IsZero reports whether nobody is signed in.
func (p Person) IsZero() bool { return p.ID == 0 && p.Token == 0 }

// In returns the person's role in a project. An admin of the installation is one
// in every project.
func (p Person) In(project event.ProjectID) Role {
	return max(p.everywhere(), p.Projects[project])
}

// OfTeam returns the person's role in a team.
func (p Person) OfTeam(team int64) Role {
	return max(p.everywhere(), p.Teams[team])
}

// everywhere is the role that the installation's gives in each team and project:
// one below admin gives none.
func (p Person) everywhere() Role {
	if p.Role < Admin {
		return None
	}
	return p.Role
}

// SeesAll reports whether the person sees every project.
func (p Person) SeesAll() bool { return p.everywhere() >= Viewer }

// Owns reports whether the person is an owner of the installation.
func (p Person) Owns() bool { return p.Role >= Owner }

// Makes reports whether the person may make projects in a team; team 0 is none.
func (p Person) Makes(team int64) bool {
	if team == 0 {
		return p.Role >= Admin
	}
	return p.OfTeam(team) >= Admin
}

// Gives reports whether somebody with one role may give another to somebody, or
// take it away: admins and owners up to their own.
func (r Role) Gives(other Role) bool { return r >= Admin && other <= r }
