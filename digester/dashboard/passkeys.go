package dashboard

import (
	"encoding/json"
	"errors"
	"net/http"

	"sundew/digester/passkey"
	"sundew/digester/store"
)

// Purposes of what is sealed for the second half of a ceremony.
const (
	sealSignIn   = "sign in by passkey"
	sealRegister = "register a passkey"
)

// ceremony is what a browser keeps between the halves of one with a passkey.
type ceremony struct {
	User  int64 // 0: whoever the passkey says
	State string
}

// ceremonyOptions is what the script is given: for the browser, and to send back.
type ceremonyOptions struct {
	Options json.RawMessage `json:"options"`
	State   string          `json:"state"`
}

// sendCeremony answers a script that begins a ceremony.
func (d *Dashboard) sendCeremony(w http.ResponseWriter, r *http.Request, purpose string, user int64, c passkey.Ceremony, err error) {
	var body []byte
	if err == nil {
		out := ceremonyOptions{Options: c.Options}
		if out.State, err = d.sealer.seal(purpose, ceremony{user, c.State}, d.cfg.Now()); err == nil {
			body, err = json.Marshal(out)
		}
	}
	d.answer(w, r, reply{document: &document{contentType: "application/json", filename: "passkey.json", body: body}}, err)
}

// passkeyOwner reads a user with their passkeys.
func passkeyOwner(rx *store.Rx, id int64) (passkey.Owner, error) {
	u, err := rx.User(id)
	if err != nil {
		return passkey.Owner{}, err
	}
	if !u.DisabledAt.IsZero() {
		return passkey.Owner{}, store.ErrNotFound
	}
	keys, err := rx.Passkeys(id)
	o := passkey.Owner{ID: u.ID, Email: u.Email, Name: u.Name}
	for _, k := range keys {
		o.Credentials = append(o.Credentials, k.Credential)
	}
	return o, err
}

// beginPasskey is POST /sign-in/passkey/options: of whoever is half signed in their
// own passkeys are asked for, of everybody else any.
func (d *Dashboard) beginPasskey(w http.ResponseWriter, r *http.Request) {
	if d.passkeys == nil {
		d.fail(w, r, store.ErrNotFound)
		return
	}
	var owner passkey.Owner
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		session, err := d.halfSession(rx, r)
		if errors.Is(err, errSignIn) {
			return nil
		}
		if err == nil {
			owner, err = passkeyOwner(rx, session.UserID)
		}
		return err
	})
	var c passkey.Ceremony
	switch {
	case err != nil:
	case len(owner.Credentials) > 0:
		c, err = d.passkeys.BeginSecond(owner)
	default:
		owner.ID = 0
		c, err = d.passkeys.BeginSignIn()
	}
	d.sendCeremony(w, r, sealSignIn, owner.ID, c, err)
}

// signInPasskey is POST /sign-in/passkey.
func (d *Dashboard) signInPasskey(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	next := d.nextAfter(r.PostFormValue("next"))
	err := d.checkPasskey(w, r, r.PostFormValue("state"), r.PostFormValue("answer"))
	if errors.Is(err, passkey.ErrRefused) || errors.Is(err, errUnsealed) || errors.Is(err, store.ErrNotFound) {
		d.cfg.Log.Warn().Err(err).Msg("a passkey was not accepted")
		page := d.newSignInPage(next)
		page.Notice = "This passkey was not accepted. Try again, or sign in with your password."
		d.answer(w, r, returned("signin", page), nil)
		return
	}
	d.answer(w, r, redirect(next), err)
}

// checkPasskey signs in the user whose passkey signed.
func (d *Dashboard) checkPasskey(w http.ResponseWriter, r *http.Request, state, answer string) error {
	if d.passkeys == nil {
		return store.ErrNotFound
	}
	var began ceremony
	if err := d.sealer.open(sealSignIn, state, d.cfg.Now(), &began); err != nil {
		return err
	}
	user, credentialID, err := passkey.OwnerOf(answer)
	if err != nil {
		return err
	}
	if began.User != 0 {
		user = began.User
	}
	_, err = d.write(w, r, "sign in by passkey", open, func(tx *store.Tx, r *http.Request) error {
		half, err := d.halfSession(&tx.Rx, r)
		switch {
		case err == nil && began.User == half.UserID:
			if err := tx.EndSession(half.UserID, half.ID); err != nil {
				return err
			}
		case began.User != 0: // the password was shown on another browser, or too long ago
			return errSignIn
		case err != nil && !errors.Is(err, errSignIn):
			return err
		}
		owner, err := passkeyOwner(&tx.Rx, user)
		if err != nil {
			return err
		}
		credential, err := d.passkeys.SignIn(owner, began.State, answer)
		if err != nil {
			return err
		}
		if err := tx.UsePasskey(user, credentialID, credential); err != nil {
			return err
		}
		tx.OnCommit(func() { d.sealer.spend(state, d.cfg.Now()) })
		return d.startSession(w, r, tx, user, store.FactorAll)
	})
	return err
}

// beginRegister is POST /account/security/passkeys/options.
func (d *Dashboard) beginRegister(w http.ResponseWriter, r *http.Request) {
	if d.passkeys == nil {
		d.fail(w, r, store.ErrNotFound)
		return
	}
	var owner passkey.Owner
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		owner, err = passkeyOwner(rx, who(r).ID)
		return err
	})
	var c passkey.Ceremony
	if err == nil {
		c, err = d.passkeys.BeginRegister(owner)
	}
	d.sendCeremony(w, r, sealRegister, owner.ID, c, err)
}

// addPasskey is POST /account/security/passkeys.
func (d *Dashboard) addPasskey(tx *store.Tx, r *http.Request) (reply, error) {
	me := who(r)
	if d.passkeys == nil {
		return reply{}, store.ErrNotFound
	}
	var began ceremony
	state := r.PostFormValue("state")
	if err := d.sealer.open(sealRegister, state, d.cfg.Now(), &began); err != nil || began.User != me.ID {
		return d.securityRefused(tx, r, "That took too long. Try again.")
	}
	owner, err := passkeyOwner(&tx.Rx, me.ID)
	if err != nil {
		return reply{}, err
	}
	id, credential, err := d.passkeys.Register(owner, began.State, r.PostFormValue("answer"))
	if errors.Is(err, passkey.ErrRefused) {
		d.cfg.Log.Warn().Err(err).Msg("a new passkey was not accepted")
		return d.securityRefused(tx, r, "The passkey was not accepted. Try again, perhaps with another device.")
	}
	if err == nil {
		err = tx.AddPasskey(me.ID, id, credential, r.PostFormValue("name"))
	}
	if words := formWords(err); words != "" {
		return d.securityRefused(tx, r, words)
	}
	if err == nil {
		err = d.auditOwn(tx, r, "account.passkey_add", r.PostFormValue("name"))
	}
	if err != nil {
		return reply{}, err
	}
	tx.OnCommit(func() { d.sealer.spend(state, d.cfg.Now()) })
	return d.withRecoveryCodes(tx, r)
}

// removePasskey is POST /account/security/passkeys/{passkey}/remove.
func (d *Dashboard) removePasskey(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "passkey")
	if err != nil {
		return reply{}, err
	}
	name, err := tx.RemovePasskey(who(r).ID, id)
	if err == nil {
		err = d.auditOwn(tx, r, "account.passkey_remove", name)
	}
	return redirect(d.links.security()), err
}
