package dashboard

import (
	"net/http"

	"sundew/digester/access"
)

// option is one of a list to choose from in a form, such as a role that somebody may be
// given.
type option struct {
	Value, Text string
	Selected    bool
}

// teamRoles are the roles in a team that somebody may give, who has one there
// themselves. current is the one selected.
func teamRoles(by, current access.Role) []option {
	var options []option
	for _, role := range access.Roles() {
		if by.Gives(role) {
			options = append(options, option{Value: role.String(), Text: role.String(), Selected: role == current})
		}
	}
	return options
}

// installationRoles is teamRoles for the whole installation, where viewers and members
// are no more than what their teams give them.
func installationRoles(by, current access.Role) []option {
	options := []option{{Value: access.None.String(), Text: "what teams give", Selected: current < access.Admin}}
	for _, role := range []access.Role{access.Admin, access.Owner} {
		if by.Gives(role) {
			options = append(options, option{Value: role.String(), Text: role.String() + " of everything", Selected: role == current})
		}
	}
	return options
}

// formRole reads a role from a form's field, access.None included. The error is
// errForm.
func formRole(r *http.Request, field string) (access.Role, error) {
	text := r.PostFormValue(field)
	if text == access.None.String() {
		return access.None, nil
	}
	role, ok := access.ParseRole(text)
	if !ok {
		return access.None, errForm
	}
	return role, nil
}
