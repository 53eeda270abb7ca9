package deed

import (
	"errors"

	"sundew/digester/erasure"
	"sundew/digester/store"
	"sundew/digester/words"
)

// SearchPerson begins to search for what is stored about a person, in a project or, with
// the zero project, in all, and notes it. Nothing is removed before RemovePerson. Like
// those below it asks nothing about who may; who searches has to be somebody. The error
// is *Unfit where nobody can be named so.
func SearchPerson(tx *store.Tx, by By, p store.Project, kind, value string) (store.Erasure, error) {
	subject, err := erasure.Parse(kind, value)
	if errors.Is(err, erasure.ErrSubject) {
		return store.Erasure{}, Cannot(words.Sentence(err.Error()))
	}
	if err != nil {
		return store.Erasure{}, err
	}
	request, err := tx.CreateErasure(p.ID, subject, by.Person.ID)
	if err != nil {
		return request, err
	}
	return request, notePerson(tx, by, p, request, "search")
}

// RemovePerson has removed what a search found, and what has come since; it is *Unfit
// before the search has ended, and after that was said.
func RemovePerson(tx *store.Tx, by By, p store.Project, e store.Erasure) error {
	if e.State != store.ErasureFound {
		return Cannot("What was found can be removed when the search has ended, and once. This one is " + e.State.String() + ".")
	}
	if err := tx.ConfirmErasure(e.ID); err != nil {
		return err
	}
	return notePerson(tx, by, p, e, "remove")
}

// WithdrawPerson forgets a search, and whom it was for; it is *Unfit once RemovePerson
// was said.
func WithdrawPerson(tx *store.Tx, by By, p store.Project, e store.Erasure) error {
	if e.State > store.ErasureFound {
		return Cannot("It is too late to withdraw. This one is " + e.State.String() + ".")
	}
	if err := tx.WithdrawErasure(e.ID); err != nil {
		return err
	}
	return notePerson(tx, by, p, e, "withdraw")
}

// PersonKindWords says what names a person.
func PersonKindWords(k erasure.Kind) string {
	switch k {
	case erasure.ByEmail:
		return "Mail address"
	case erasure.ByUsername:
		return "User name"
	case erasure.ByIP:
		return "IP address"
	}
	return "User ID"
}

// notePerson notes what was done, but not about whom.
func notePerson(tx *store.Tx, by By, p store.Project, e store.Erasure, what string) error {
	return by.audit(tx, store.AuditEntry{Action: "person." + what, Project: p.ID, TeamID: p.TeamID, Subject: e.Hash, Detail: PersonKindWords(e.Subject.Kind)})
}
