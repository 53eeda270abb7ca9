package dashboard

import (
	"context"
	"errors"
	"math"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// Errors of those who may not.
var (
	errSignIn    = errors.New("nobody is signed in")
	errForbidden = deed.ErrForbidden
	errNotRecent = errors.New("signed in too long ago for this")
	errToken     = errors.New("the token does not work")
)

// guard decides whether who asks may have what a request names. It runs in the
// transaction of what it guards. Its error is errSignIn, errForbidden, or, where not
// even the existence of something is to be known, store.ErrNotFound.
type guard func(rx *store.Rx, r *http.Request) error

// visitor is who sent a request.
type visitor struct {
	access.Person
	Session int64 // 0: none, a token spoke for them
}

type visitorKey struct{}

// who returns the person that sent a request; the zero person: nobody is signed
// in. It knows inside of handlers and guards only.
func who(r *http.Request) access.Person { return visitorOf(r).Person }

func visitorOf(r *http.Request) visitor {
	v, _ := r.Context().Value(visitorKey{}).(visitor)
	return v
}

// as is a request that knows who sent it.
func as(r *http.Request, v visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

// enter finds out who sent a request and asks the guard. The request that it returns
// knows who.
func (d *Dashboard) enter(rx *store.Rx, r *http.Request, may guard) (*http.Request, error) {
	v, err := d.identify(rx, r)
	if err != nil {
		return r, err
	}
	r = as(r.WithContext(rx.Context()), v)
	return r, may(rx, r)
}

// identify reads who sent a request; nobody is no error.
func (d *Dashboard) identify(rx *store.Rx, r *http.Request) (visitor, error) {
	if v, asked, err := d.identifyToken(rx, r); asked {
		return v, err
	}
	session, err := d.session(rx, r)
	if errors.Is(err, store.ErrNotFound) || err == nil && session.Factors != store.FactorAll {
		return visitor{}, nil
	}
	if err != nil {
		return visitor{}, err
	}
	d.uses.session(session.ID, session.SeenAt, d.cfg.Now())
	person, err := rx.Person(session.UserID)
	return visitor{Person: person, Session: session.ID}, err
}

// open lets everybody in.
func open(*store.Rx, *http.Request) error { return nil }

// signedIn lets everybody in who is signed in.
func signedIn(_ *store.Rx, r *http.Request) error {
	if who(r).IsZero() {
		return errSignIn
	}
	return nil
}

// ofInstallation asks for a role in the whole installation.
func ofInstallation(least access.Role) guard {
	return func(rx *store.Rx, r *http.Request) error {
		if err := signedIn(rx, r); err != nil {
			return err
		}
		if who(r).Role < least {
			return errForbidden
		}
		return nil
	}
}

// ofProject asks for a role in the project that the path's {id} names, and that it is
// not deleted.
func ofProject(least access.Role) guard {
	return func(rx *store.Rx, r *http.Request) error {
		if err := ofAnyProject(least)(rx, r); err != nil {
			return err
		}
		_, err := pathProject(rx, r)
		return err
	}
}

// ofAnyProject is ofProject for deleted ones too.
func ofAnyProject(least access.Role) guard {
	return func(rx *store.Rx, r *http.Request) error {
		if err := signedIn(rx, r); err != nil {
			return err
		}
		project, err := pathProjectID(r)
		if err != nil {
			return err
		}
		return enough(who(r).In(project), least)
	}
}

// ofIssue asks for a role in the project of the issue that the path's {id} names.
func ofIssue(least access.Role) guard {
	return func(rx *store.Rx, r *http.Request) error {
		if err := signedIn(rx, r); err != nil {
			return err
		}
		id, err := pathNumber(r, "id")
		if err != nil {
			return err
		}
		project, err := rx.IssueProject(id)
		if err != nil {
			return err
		}
		return enough(who(r).In(project), least)
	}
}

// ofTeam asks for a role in the team that the path's {id} names.
func ofTeam(least access.Role) guard {
	return func(rx *store.Rx, r *http.Request) error {
		if err := signedIn(rx, r); err != nil {
			return err
		}
		team, err := pathNumber(r, "id")
		if err != nil {
			return err
		}
		return enough(who(r).OfTeam(team), least)
	}
}

// ofLedger lets those in who may see the books of a project, and the installation's
// admins to all.
func ofLedger(rx *store.Rx, r *http.Request) error {
	if err := ofInstallation(access.Admin)(rx, r); !errors.Is(err, errForbidden) {
		return err
	}
	project := queryNumber(r, "project", math.MaxInt64, 0)
	if project == 0 {
		return errForbidden
	}
	return enough(who(r).In(event.ProjectID(project)), access.Viewer)
}

// enough compares a role with the least that will do. Who has none does not learn
// that there is anything.
func enough(has, least access.Role) error {
	switch {
	case has == access.None:
		return store.ErrNotFound
	case has < least:
		return errForbidden
	}
	return nil
}
