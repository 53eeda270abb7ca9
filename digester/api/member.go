package api

import (
	"fmt"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// memberRoutes are about the people of the installation, and who is invited into it.
func (a *API) memberRoutes() {
	const tag, list = "People", "/organizations/{org}/members/"
	const at = list + "{member}/"
	admin := ofInstallation(access.Admin)
	read(a, list, access.ReadOrg|writeOrg, anyone, Doc{Tag: tag, Summary: "The people of the installation, and the invitations that are open", Paged: true,
		Text: "Who is not an admin of the installation sees the people of their own teams, and the invitations into teams of which they are an admin. " +
			"Invitations are pending. Who may not sign in any more is disabled, and seen by the installation's admins.",
		Query: []Param{{Name: "query", Text: "parts of the name or mail address; email:, role: (owner, manager, member) and isInvited:true or false"}}}, a.members)
	read(a, at, access.ReadOrg|writeOrg, anyone, Doc{Tag: tag, Summary: "A person, or an invitation",
		Text: "has2fa and lastActive are told to the installation's admins, and to the person."}, a.member)
	change(a, "POST", list, "invite by API", writeOrg, invites, Doc{Tag: tag, Summary: "Invite somebody by mail address", Status: 201,
		Text: "orgRole is what they become in the installation: member (what teams give), manager or owner; more than member needs the scope org:admin. " +
			"teamRoles is at most one team, or the slug of one is in teams; without one it is the installation's admins who invite. Nobody gives more than they have. " +
			"The invitation goes out by mail; with sendInvite false, or where no mail server is set up, it is invite_link in this answer, once. It works once, for two weeks."}, a.invite)
	change(a, "PUT", at, "change member by API", writeOrg, admin, Doc{Tag: tag, Summary: "Change what a person is",
		Text: "The installation's admins do, up to their own role. What is not there stays as it is. orgRole and disabled need the scope org:admin; " +
			"disabled is Sundew's own: true signs the person out everywhere and keeps them out, false lets them in again. teamRoles are all teams that they are to be in: they leave the others. " +
			"An invitation cannot be changed: withdraw it and invite again."}, a.changeMember)
	change(a, "DELETE", at, "remove member by API", writeOrg, invites, Doc{Tag: tag, Summary: "Switch a person's account off, or withdraw an invitation", Status: 204,
		Text: "Sundew keeps people, since issues and the audit log name them: who is deleted here is signed out everywhere and kept out, as with disabled. That needs the scope org:admin and an admin of the installation. " +
			"Invitations are withdrawn by those, and by the admins of the team that they lead into."}, a.deleteMember)
	const own = "Sundew's own. The installation's admins do, up to their own role. "
	change(a, "POST", at+"sign-out/", "sign out by API", adminOrg, admin, Doc{Tag: tag, Summary: "Sign a person out on all browsers", Status: 204,
		Text: own + "Tokens go on working."}, a.signOut)
	change(a, "POST", at+"second-factor/reset/", "reset second factors by API", adminOrg, admin, Doc{Tag: tag, Summary: "Remove the second factors of somebody who lost them", Status: 204,
		Text: own + "The password alone signs them in, until they set up new ones. One's own are changed on the page of the account alone, by who is signed in."}, a.resetFactors)
}

// Member is a person with what they are in the installation, or an invitation.
type Member struct {
	ID            string         `json:"id"` // a number; of an invitation: invitation-1
	Email         string         `json:"email"`
	Name          string         `json:"name"`
	Role          string         `json:"role"`
	OrgRole       string         `json:"orgRole"` // owner, manager or member
	RoleName      string         `json:"roleName"`
	Pending       bool           `json:"pending"`
	Expired       bool           `json:"expired"`
	InviteStatus  string         `json:"inviteStatus"`
	InviterName   *string        `json:"inviterName"`
	InviteExpires Time           `json:"inviteExpires"` // Sundew's own
	DateCreated   Time           `json:"dateCreated"`
	Disabled      bool           `json:"disabled"` // Sundew's own
	User          *User          `json:"user"`     // null: an invitation
	Teams         List[string]   `json:"teams"`    // slugs; as far as the token sees them
	TeamRoles     List[TeamRole] `json:"teamRoles"`
	Projects      List[string]   `json:"projects"` // slugs; of lists of a project only
}

// TeamRole is a role in a team.
type TeamRole struct {
	TeamSlug string `json:"teamSlug"`
	Role     string `json:"role"` // viewer, member, admin or owner
}

// MemberDetails is a member with what only some may know.
type MemberDetails struct {
	Member
	Has2FA     *bool   `json:"has2fa"`
	LastActive Time    `json:"lastActive"`
	InviteLink *string `json:"invite_link"`
}

// MemberChange is what is to become of a person; what is not there stays as it is.
type MemberChange struct {
	OrgRole    *string     `json:"orgRole"`
	Role       *string     `json:"role"` // as orgRole
	TeamRoles  *[]TeamRole `json:"teamRoles"`
	Teams      *[]string   `json:"teams"` // slugs, in place of teamRoles: roles stay, new ones are member
	Disabled   *bool       `json:"disabled"`
	Reinvite   bool        `json:"reinvite"` // not something Sundew does
	Regenerate bool        `json:"regenerate"`
}

// placesSeen returns the teams of each person, as far as who asks sees them.
func placesSeen(rx *store.Rx, r *request) (map[int64]List[TeamRole], error) {
	all, err := rx.Memberships()
	places := make(map[int64]List[TeamRole])
	for _, m := range all {
		if r.person.OfTeam(m.TeamID) >= access.Viewer {
			places[m.UserID] = append(places[m.UserID], TeamRole{TeamSlug: m.TeamSlug, Role: m.Role.String()})
		}
	}
	return places, err
}

func memberView(u store.User, places map[int64]List[TeamRole]) Member {
	view := Member{
		ID: number(u.ID), Email: u.Email, Name: u.Name, DateCreated: Time{u.CreatedAt}, Disabled: !u.DisabledAt.IsZero(), User: userView(u), TeamRoles: places[u.ID],
	}
	return view.as(u.Role)
}

// as completes what a member is.
func (m Member) as(role access.Role) Member {
	m.OrgRole, m.InviteStatus = roleOf(role), "approved"
	m.Role, m.RoleName = m.OrgRole, strings.ToUpper(m.OrgRole[:1])+m.OrgRole[1:]
	for _, t := range m.TeamRoles {
		m.Teams = append(m.Teams, t.TeamSlug)
	}
	return m
}

func (a *API) members(rx *store.Rx, r *request) (List[Member], error) {
	filter, err := memberFilterOf(r.query("query"))
	if err != nil {
		return nil, err
	}
	all, err := known(rx, r)
	if err != nil {
		return nil, err
	}
	places, err := placesSeen(rx, r)
	if err != nil {
		return nil, err
	}
	views, err := invitationViews(rx, r)
	if err != nil {
		return nil, err
	}
	for i, u := range all {
		views = slices.Insert(views, i, memberView(u, places))
	}
	return paged(r, slices.DeleteFunc(views, func(m Member) bool { return !filter.has(m) }), 100, 100)
}

// memberFilter is which members are asked for.
type memberFilter struct {
	words       []string // parts of the name or mail address, in lower case
	email, role string   // empty: any
	pending     *bool    // nil: both
}

// memberFilterOf reads a query. Its error is a *Problem.
func memberFilterOf(query string) (memberFilter, error) {
	var f memberFilter
	for _, word := range strings.Fields(strings.ToLower(query)) {
		key, value, ok := strings.Cut(word, ":")
		switch {
		case !ok:
			f.words = append(f.words, word)
		case key == "email":
			f.email = value
		case key == "role":
			f.role = value
		case key == "isinvited" && (value == "true" || value == "false"):
			f.pending = new(value == "true")
		default:
			return f, bad(fmt.Sprintf("query: %.40q is not known; email:, role: and isInvited:true or false are.", word))
		}
	}
	return f, nil
}

func (f memberFilter) has(m Member) bool {
	if f.email != "" && f.email != m.Email || f.role != "" && f.role != m.OrgRole || f.pending != nil && *f.pending != m.Pending {
		return false
	}
	text := strings.ToLower(m.Name + " " + m.Email)
	return !slices.ContainsFunc(f.words, func(word string) bool { return !strings.Contains(text, word) })
}

func (a *API) member(rx *store.Rx, r *request) (MemberDetails, error) {
	name := r.PathValue("member")
	if isInvitation(name) {
		link, err := invitationNamed(rx, r, name)
		if err != nil {
			return MemberDetails{}, err
		}
		all, err := newInvitations(rx)
		return MemberDetails{Member: all.view(link)}, err
	}
	user, err := memberNamed(rx, r, name)
	if err != nil {
		return MemberDetails{}, err
	}
	return memberDetails(rx, r, user)
}

func memberDetails(rx *store.Rx, r *request, user store.User) (MemberDetails, error) {
	places, err := placesSeen(rx, r)
	if err != nil {
		return MemberDetails{}, err
	}
	view := MemberDetails{Member: memberView(user, places)}
	if !r.person.SeesAll() && user.ID != r.person.ID {
		return view, nil
	}
	has, err := rx.SecondFactors(user.ID)
	if err != nil {
		return view, err
	}
	view.Has2FA = new(has.Asked())
	seen, err := rx.UsersSeen()
	view.LastActive = Time{seen[user.ID]}
	return view, err
}

func (a *API) changeMember(tx *store.Tx, r *request, in MemberChange) (MemberDetails, error) {
	name := r.PathValue("member")
	if isInvitation(name) || in.Reinvite || in.Regenerate {
		return MemberDetails{}, bad("An invitation cannot be changed or sent again (reinvite, regenerate): withdraw it, and invite again.")
	}
	user, err := memberNamed(&tx.Rx, r, name)
	if err != nil {
		return MemberDetails{}, err
	}
	for _, step := range []func(*store.Tx, *request, store.User) error{in.changeRole, in.changeAccount, in.changeTeams} {
		if err := step(tx, r, user); err != nil {
			return MemberDetails{}, err
		}
	}
	if user, err = tx.User(user.ID); err != nil {
		return MemberDetails{}, err
	}
	return memberDetails(&tx.Rx, r, user)
}

func (in MemberChange) changeRole(tx *store.Tx, r *request, user store.User) error {
	field, name := "orgRole", in.OrgRole
	if name == nil {
		field, name = "role", in.Role
	}
	if name == nil {
		return nil
	}
	role, err := roleNamed(field, *name)
	if err != nil || roleOf(role) == roleOf(user.Role) {
		return err
	}
	if err := r.needs(adminOrg); err != nil {
		return err
	}
	return deed.SetUserRole(tx, r.by(), user, role)
}

func (in MemberChange) changeAccount(tx *store.Tx, r *request, user store.User) error {
	if in.Disabled == nil || *in.Disabled == !user.DisabledAt.IsZero() {
		return nil
	}
	if err := r.needs(adminOrg); err != nil {
		return err
	}
	if *in.Disabled {
		return deed.DisableUser(tx, r.by(), user)
	}
	return deed.EnableUser(tx, r.by(), user)
}

// changeTeams has somebody be in some teams, and in no other.
func (in MemberChange) changeTeams(tx *store.Tx, r *request, user store.User) error {
	if in.TeamRoles == nil && in.Teams == nil {
		return nil
	}
	now, err := tx.Person(user.ID)
	if err != nil {
		return err
	}
	wanted := make(map[int64]access.Role)
	if in.TeamRoles != nil {
		for _, t := range *in.TeamRoles {
			team, err := teamOfBody(&tx.Rx, t.TeamSlug)
			if err == nil {
				wanted[team.ID], err = teamRoleNamed(t.Role)
			}
			if err != nil {
				return err
			}
		}
	} else {
		for _, slug := range *in.Teams {
			team, err := teamOfBody(&tx.Rx, slug)
			if err != nil {
				return err
			}
			if wanted[team.ID] = now.Teams[team.ID]; wanted[team.ID] == access.None {
				wanted[team.ID] = access.Member
			}
		}
	}
	teams, err := tx.Teams()
	if err != nil {
		return err
	}
	for _, t := range teams {
		if wanted[t.ID] == now.Teams[t.ID] {
			continue
		}
		if err := deed.SetTeamMember(tx, r.by(), t, user, wanted[t.ID]); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) deleteMember(tx *store.Tx, r *request, _ None) (None, error) {
	name := r.PathValue("member")
	if isInvitation(name) {
		link, err := invitationNamed(&tx.Rx, r, name)
		if err != nil {
			return None{}, err
		}
		return None{}, deed.Withdraw(tx, r.by(), link)
	}
	user, err := memberNamed(&tx.Rx, r, name)
	if err != nil {
		return None{}, err
	}
	if err := ofInstallation(access.Admin)(&tx.Rx, r); err != nil {
		return None{}, err
	}
	return None{}, MemberChange{Disabled: new(true)}.changeAccount(tx, r, user)
}

func (a *API) signOut(tx *store.Tx, r *request, _ None) (None, error) {
	user, err := memberNamed(&tx.Rx, r, r.PathValue("member"))
	if err != nil {
		return None{}, err
	}
	return None{}, deed.SignOut(tx, r.by(), user, 0)
}

func (a *API) resetFactors(tx *store.Tx, r *request, _ None) (None, error) {
	user, err := memberNamed(&tx.Rx, r, r.PathValue("member"))
	if err != nil {
		return None{}, err
	}
	if user.ID == r.person.ID {
		return None{}, &Problem{403, "Your own second factors are changed on the page of your account, signed in: a token that leaks must not become the account"}
	}
	return None{}, deed.ResetSecondFactors(tx, r.by(), user)
}
