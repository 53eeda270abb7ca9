package deed

import (
	"errors"
	"fmt"

	"sundew/digester/access"
	"sundew/digester/store"
)

// Invitation is what somebody is invited to.
type Invitation struct {
	Email    string      // whom it is for; empty: whoever has its address
	Role     access.Role // in the installation
	Team     store.Team  // zero: none
	TeamRole access.Role // in Team
}

// Invite makes an invitation and notes it. By mail it goes into the outbox, for whoever
// calls to have sent; otherwise secret is what stands in its address. The error wraps
// store.ErrInvalid where it needs a mail address, or store.ErrOutboxFull; it is
// ErrForbidden where the person does not have what the invitation gives, and *Unfit
// where there are too many.
func Invite(tx *store.Tx, by By, in Invitation, mail bool) (link store.Link, secret string, err error) {
	if err := in.allowed(by.Person); err != nil {
		return link, "", err
	}
	link = store.Link{
		Kind: store.LinkInvitation, Email: in.Email, Role: in.Role, TeamID: in.Team.ID, TeamRole: in.TeamRole, CreatedBy: by.Person.ID,
	}
	if mail || in.Email != "" {
		if link.Email, err = store.CleanEmail(in.Email); err != nil {
			return link, "", err
		}
	}
	if mail {
		err = tx.MailLink(link, invitationLetter(link.Email, by.Person.Name, in.Team.Name))
	} else {
		secret, err = tx.CreateLink(link)
	}
	if errors.Is(err, store.ErrInvalid) {
		err = Cannot("So many invitations are open that there can be no more: withdraw some.")
	}
	if err != nil {
		return link, "", err
	}
	open, err := tx.Invitations(tx.Now())
	if err != nil {
		return link, "", err
	}
	link = open[0] // the newest
	return link, secret, by.audit(tx, store.AuditEntry{
		Action: "invitation.create", TeamID: in.Team.ID, Subject: InvitedWords(link), Detail: InvitationWords(link, in.Team.Name),
	})
}

// allowed returns ErrForbidden unless somebody has all that an invitation gives.
func (in Invitation) allowed(p access.Person) error {
	if in.Role > access.None || in.Team.ID == 0 {
		if err := Gives(p.Role, in.Role, in.Role); err != nil {
			return err
		}
	}
	if in.Team.ID == 0 {
		return nil
	}
	return Gives(p.OfTeam(in.Team.ID), in.TeamRole, in.TeamRole)
}

// Withdraw makes an invitation useless that the person sees (SeesInvitation).
func Withdraw(tx *store.Tx, by By, link store.Link) error {
	if err := tx.WithdrawLink(link.ID); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "invitation.withdraw", TeamID: link.TeamID, Subject: link.Email})
}

// SeesInvitation reports whether a person sees an invitation, and may withdraw it: the
// installation's admins, and those of the team that it leads into.
func SeesInvitation(p access.Person, link store.Link) bool {
	return p.Role >= access.Admin || link.TeamID != 0 && p.OfTeam(link.TeamID) >= access.Admin
}

// InvitedWords says whom an invitation is for.
func InvitedWords(link store.Link) string {
	if link.Email == "" {
		return "whoever has the link"
	}
	return link.Email
}

// InvitationWords says what an invitation gives; team is the name of the one that it
// leads into, empty: none.
func InvitationWords(l store.Link, team string) string {
	words := ""
	if l.Role >= access.Admin {
		words = l.Role.String() + " of everything"
	}
	if team != "" {
		if words != "" {
			words += ", "
		}
		words += l.TeamRole.String() + " of " + team
	}
	if words == "" {
		return "an account"
	}
	return words
}

// invitationLetter invites somebody; an address follows its text.
func invitationLetter(to, by, team string) store.Mail {
	what := "to Sundew, where our applications report their errors"
	if team != "" {
		what = fmt.Sprintf("to the team %s at Sundew, where our applications report their errors", team)
	}
	return store.Mail{
		To: to, Subject: by + " invites you to Sundew",
		Text:  fmt.Sprintf("%s invites you %s. Open this address to join:", by, what),
		After: "It works once, for two weeks. If you do not know what this is about, leave it.",
	}
}
