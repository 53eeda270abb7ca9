package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// teamsPage lists the teams that somebody belongs to, and for the installation's
// admins all.
type teamsPage struct {
	shell
	Teams []teamRow
	Makes bool   // the person may make teams
	Name  string // as typed, when the form comes back
	Error string // why the form came back
	Done  string
}

// teamRow is one team of the list.
type teamRow struct {
	store.Team
	Role access.Role // the person's own in it, None: they see it as an admin
}

// showTeams is GET /teams.
func (d *Dashboard) showTeams(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.teamsPage(rx, r)
	return show("teams", page), err
}

func (d *Dashboard) teamsPage(rx *store.Rx, r *http.Request) (teamsPage, error) {
	me := who(r)
	page := teamsPage{shell: shell{Title: "Teams"}, Makes: me.Role >= access.Admin, Done: doneWords(r)}
	teams, err := rx.Teams()
	for _, t := range teams {
		if me.OfTeam(t.ID) > access.None {
			page.Teams = append(page.Teams, teamRow{Team: t, Role: me.Teams[t.ID]})
		}
	}
	return page, err
}

// createTeam is POST /teams. Who makes a team owns it.
func (d *Dashboard) createTeam(tx *store.Tx, r *http.Request) (reply, error) {
	name := r.PostFormValue("name")
	team, err := deed.CreateTeam(tx, d.by(r), name)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.teamsPage(&tx.Rx, r)
		page.Name, page.Error = name, nameError
		rep := show("teams", page)
		rep.status = http.StatusUnprocessableEntity
		return rep, err
	}
	return redirect(d.links.team(team.ID)), err
}

// nameError is said of a name that will not do.
const nameError = "A name needs 1 to 80 characters and no line breaks."

// pathTeam loads the team that the path's {id} names.
func pathTeam(rx *store.Rx, r *http.Request) (store.Team, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return store.Team{}, err
	}
	return rx.Team(id)
}

// doneWords says what a form has done that led to a page.
func doneWords(r *http.Request) string {
	switch r.URL.Query().Get("done") {
	case "saved":
		return "Saved."
	case "added":
		return "Added to the team."
	case "removed":
		return "Removed from the team."
	case "left":
		return "You have left the team."
	case "team-deleted":
		return "The team is deleted."
	case "withdrawn":
		return "The invitation does not work any more."
	case "invited":
		return "The invitation is on its way."
	case "mailed":
		return "The mail is on its way."
	case "joined":
		return "Welcome to the team."
	case "ended":
		return "Signed out there."
	case "disabled":
		return "This account is switched off and signed out everywhere."
	case "factors":
		return "The second factors are removed: the password alone signs in, until new ones are set up."
	case "enabled":
		return "This account may sign in again."
	case "password":
		return "Your password is changed. All other browsers are signed out."
	case "reset":
		return "Your password is changed. Sign in with the new one."
	case "retry":
		return "The mail is tried again."
	}
	return ""
}
