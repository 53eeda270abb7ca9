package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// invitationPrefix tells the ids of invitations from those of people.
const invitationPrefix = "invitation-"

func isInvitation(member string) bool { return strings.HasPrefix(member, invitationPrefix) }

// invites lets in who may invite somebody into something: the installation's admins,
// and those of a team.
func invites(_ *store.Rx, r *request) error {
	for _, role := range r.person.Teams {
		if role >= access.Admin {
			return nil
		}
	}
	return ofInstallation(access.Admin)(nil, r)
}

// needs asks for one of some scopes where not all that a route does needs them.
func (r *request) needs(scopes access.Scopes) error {
	if r.person.Scopes&scopes == 0 {
		return &access.Unscoped{Needed: scopes}
	}
	return nil
}

// NewMember is somebody to invite.
type NewMember struct {
	Email      string     `json:"email"`
	OrgRole    string     `json:"orgRole"` // empty: member
	Role       string     `json:"role"`    // as orgRole
	TeamRoles  []TeamRole `json:"teamRoles"`
	Teams      []string   `json:"teams"`      // slugs, in place of teamRoles: as member
	SendInvite *bool      `json:"sendInvite"` // null: true
}

// invitationNamed returns an open invitation that who asks sees.
func invitationNamed(rx *store.Rx, r *request, member string) (store.Link, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(member, invitationPrefix), 10, 64)
	if err != nil {
		return store.Link{}, store.ErrNotFound
	}
	link, err := rx.Invitation(id, r.api.cfg.Now())
	if err == nil && !deed.SeesInvitation(r.person, link) {
		err = store.ErrNotFound
	}
	return link, err
}

// invitations shows invitations, with the names of who and what they are about.
type invitations struct {
	users map[int64]store.User
	teams []store.Team
}

func newInvitations(rx *store.Rx) (invitations, error) {
	users, err := usersByID(rx)
	if err != nil {
		return invitations{}, err
	}
	teams, err := rx.Teams()
	return invitations{users, teams}, err
}

func (v invitations) view(link store.Link) Member {
	view := Member{
		ID: invitationPrefix + number(link.ID), Email: link.Email, Name: link.Email, Pending: true, InviterName: new(v.users[link.CreatedBy].Name),
		DateCreated: Time{link.CreatedAt}, InviteExpires: Time{link.ExpiresAt},
	}
	for _, t := range v.teams {
		if t.ID == link.TeamID {
			view.TeamRoles = List[TeamRole]{{TeamSlug: t.Slug, Role: link.TeamRole.String()}}
		}
	}
	return view.as(link.Role)
}

// invitationViews shows the open invitations that who asks sees, the newest first.
func invitationViews(rx *store.Rx, r *request) (List[Member], error) {
	open, err := rx.Invitations(r.api.cfg.Now())
	if err != nil {
		return nil, err
	}
	all, err := newInvitations(rx)
	var views List[Member]
	for _, link := range open {
		if deed.SeesInvitation(r.person, link) {
			views = append(views, all.view(link))
		}
	}
	return views, err
}

// teamOfBody returns the team that a request's body names.
func teamOfBody(rx *store.Rx, slug string) (store.Team, error) {
	all, err := rx.Teams()
	if err != nil {
		return store.Team{}, err
	}
	at := slices.IndexFunc(all, func(t store.Team) bool { return t.Slug == slug })
	if at < 0 {
		return store.Team{}, bad(fmt.Sprintf("There is no team %.100q.", slug))
	}
	return all[at], nil
}

func (a *API) invite(tx *store.Tx, r *request, in NewMember) (MemberDetails, error) {
	what, err := in.invitation(tx, r)
	if err != nil {
		return MemberDetails{}, err
	}
	mail := a.cfg.Mail != nil && (in.SendInvite == nil || *in.SendInvite)
	link, secret, err := deed.Invite(tx, r.by(), what, mail)
	if err != nil {
		return MemberDetails{}, err
	}
	all, err := newInvitations(&tx.Rx)
	details := MemberDetails{Member: all.view(link)}
	if mail {
		tx.OnCommit(a.cfg.Mail)
	} else {
		details.InviteLink = new(r.link("/invitations/" + secret))
	}
	return details, err
}

// invitation reads what somebody is invited to.
func (in NewMember) invitation(tx *store.Tx, r *request) (deed.Invitation, error) {
	what := deed.Invitation{Email: in.Email}
	if strings.TrimSpace(in.Email) == "" {
		return what, bad("email is required.")
	}
	var err error
	if what.Role, err = roleNamed("orgRole", cmp.Or(in.OrgRole, in.Role)); err != nil {
		return what, err
	}
	if what.Role > access.None {
		if err := r.needs(adminOrg); err != nil {
			return what, err
		}
	}
	teams := slices.Clone(in.TeamRoles)
	for _, slug := range in.Teams {
		if !slices.ContainsFunc(teams, func(t TeamRole) bool { return t.TeamSlug == slug }) {
			teams = append(teams, TeamRole{TeamSlug: slug})
		}
	}
	if len(teams) > 1 {
		return what, bad("teamRoles: an invitation leads into one team. Put them into the others when they have joined.")
	}
	if len(teams) == 1 {
		if what.Team, err = teamOfBody(&tx.Rx, teams[0].TeamSlug); err == nil {
			what.TeamRole, err = teamRoleNamed(teams[0].Role)
		}
	}
	return what, err
}
