package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"sundew/digester/provider"
	"sundew/digester/store"
)

// Provider vouches for people: see package provider, whose errors it returns.
type Provider interface {
	Name() string
	Issuer() string
	MayJoin(email string) bool
	Begin(ctx context.Context) (address string, e provider.Errand, err error)
	Finish(ctx context.Context, e provider.Errand, query url.Values) (provider.Person, error)
}

const (
	// providerCookie ties a provider's answer to the browser that was sent there. It
	// is Lax, since the answer comes by a link from another site.
	providerCookie = "sundew_provider"

	sealProvider = "sign in by a provider"
)

// sentAway is what the cookie holds, sealed.
type sentAway struct {
	provider.Errand
	Next string
}

// arrivedPage leads on from a page of ours: who comes from another site is not sent
// the session's cookie along until then.
type arrivedPage struct {
	shell
	Next string
}

// beginProvider is GET /sign-in/provider. A link and no form: browsers hold a form's
// redirects to form-action, too.
func (d *Dashboard) beginProvider(w http.ResponseWriter, r *http.Request) {
	next := d.nextAfter(r.URL.Query().Get("next"))
	address, e, err := d.cfg.Provider.Begin(r.Context())
	var text string
	if err == nil {
		text, err = d.sealer.seal(sealProvider, sentAway{e, next}, d.cfg.Now())
	}
	if err != nil {
		d.failProvider(w, r, next, err)
		return
	}
	d.keepErrand(w, text)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// keepErrand gives an errand to the browser; the empty text takes it away.
func (d *Dashboard) keepErrand(w http.ResponseWriter, text string) {
	cookie := &http.Cookie{
		Name: providerCookie, Value: text, Path: d.links.provider(), MaxAge: int(sealedFor.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: d.secure(),
	}
	if text == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// finishProvider is GET /sign-in/provider/callback: the provider sends the browser
// back.
func (d *Dashboard) finishProvider(w http.ResponseWriter, r *http.Request) {
	var e sentAway
	cookie, err := r.Cookie(providerCookie)
	if err != nil {
		err = errUnsealed
	} else {
		err = d.sealer.open(sealProvider, cookie.Value, d.cfg.Now(), &e)
	}
	d.keepErrand(w, "")
	next := d.nextAfter(e.Next)
	var person provider.Person
	if err == nil {
		person, err = d.cfg.Provider.Finish(r.Context(), e.Errand, r.URL.Query())
	}
	to := ""
	if err == nil {
		d.sealer.spend(cookie.Value, d.cfg.Now())
		_, err = d.write(w, r, "sign in by provider", open, func(tx *store.Tx, r *http.Request) error {
			user, err := d.userOf(tx, r, person)
			if err == nil {
				to, err = d.firstFactorDone(w, r, tx, user.ID, next)
			}
			return err
		})
	}
	if err != nil {
		d.failProvider(w, r, next, err)
		return
	}
	d.answer(w, r, show("arrived", arrivedPage{shell: shell{Title: "Signed in"}, Next: to}), nil)
}

// userOf returns whom a provider's person is here. An account elsewhere that was
// never seen is linked to the user with the same mail address, or makes one if there
// is an invitation or the address is of a domain that may join: all that only if the
// provider has verified that the address is theirs.
func (d *Dashboard) userOf(tx *store.Tx, r *http.Request, person provider.Person) (store.User, error) {
	issuer := d.cfg.Provider.Issuer()
	user, err := tx.UserByIdentity(issuer, person.Subject)
	if err == nil {
		return enabled(user)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	email, err := store.CleanEmail(person.Email)
	if err != nil || !person.Verified {
		return store.User{}, &refused{http.StatusForbidden, d.cfg.Provider.Name() + " does not vouch for a mail address of yours. Verify it there, or sign in with your password."}
	}
	user, err = tx.UserByEmail(email)
	if errors.Is(err, store.ErrNotFound) {
		user, err = d.joinBy(tx, r, person, email)
	} else if err == nil {
		user, err = enabled(user)
	}
	if err != nil {
		return store.User{}, err
	}
	if err := tx.LinkIdentity(user.ID, issuer, person.Subject); err != nil {
		return store.User{}, err
	}
	return user, d.auditAs(tx, r, user, "account.provider_link", issuer)
}

// enabled returns a user who may sign in.
func enabled(u store.User) (store.User, error) {
	if !u.DisabledAt.IsZero() {
		return store.User{}, &refused{http.StatusForbidden, "Your account is switched off. An admin of the installation can switch it on."}
	}
	return u, nil
}

// joinBy makes an account for somebody whom a provider vouches for.
func (d *Dashboard) joinBy(tx *store.Tx, r *http.Request, person provider.Person, email string) (store.User, error) {
	invitation, err := tx.InvitationFor(email, tx.Now())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	invited := err == nil
	if !invited && !d.cfg.Provider.MayJoin(email) {
		return store.User{}, &refused{http.StatusForbidden, "There is no account for " + email + ". Ask an admin of the installation for an invitation."}
	}
	user, err := tx.CreateUser(email, person.Name, "", invitation.Role)
	if errors.Is(err, store.ErrInvalid) { // a name that will not do
		user, err = tx.CreateUser(email, email, "", invitation.Role)
	}
	if err == nil && invited {
		err = tx.TakeInvitation(invitation.ID)
	}
	if err == nil && invitation.TeamID != 0 {
		err = tx.SetTeamMember(invitation.TeamID, user.ID, invitation.TeamRole)
	}
	if err != nil {
		return store.User{}, err
	}
	return user, d.auditAs(tx, r, user, "user.join", "by "+d.cfg.Provider.Name())
}

// failProvider shows the sign-in page with why the provider did not sign somebody
// in.
func (d *Dashboard) failProvider(w http.ResponseWriter, r *http.Request, next string, err error) {
	name := d.cfg.Provider.Name()
	page := d.newSignInPage(next)
	var why *refused
	var no *provider.Refusal
	status := http.StatusBadGateway
	switch {
	case errors.As(err, &why):
		status, page.Notice = why.status, why.words
	case errors.As(err, &no) && no.Code == "access_denied":
		status, page.Notice = http.StatusForbidden, name+" did not let you in, or you cancelled."
	case errors.As(err, &no):
		page.Notice = name + " says: " + cutSaid(no.Code+" "+no.Description)
	case errors.Is(err, errUnsealed), errors.Is(err, provider.ErrState):
		status, page.Notice = http.StatusBadRequest, "This sign-in was begun in another browser, or too long ago. Begin again."
	case errors.Is(err, provider.ErrToken):
		page.Notice = "What " + name + " says of you cannot be verified. The log says why."
	case errors.Is(err, provider.ErrAway):
		page.Notice = name + " does not answer at the moment. Try again, or sign in with your password."
	default:
		d.fail(w, r, err)
		return
	}
	d.cfg.Log.Warn().Err(err).Msg("signing in by the provider failed")
	d.answer(w, r, reply{status: status, page: "signin", data: page}, nil)
}

// cutSaid bounds what somebody else has put into an address.
func cutSaid(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
