package deed

import (
	"fmt"

	"sundew/digester/store"
	"sundew/schema/scrub"
)

// PrivacyField is one of the settings that people type.
type PrivacyField string

// The fields.
const (
	PrivacyNames     PrivacyField = "names"
	PrivacySafe      PrivacyField = "safe"
	PrivacyPatterns  PrivacyField = "patterns"
	PrivacyAddresses PrivacyField = "addresses"
)

// CheckPrivacy returns what cannot be set, and in which field it is; its error is an
// *Unfit and wraps scrub.ErrSettings.
func CheckPrivacy(s scrub.Settings) (wrong PrivacyField, err error) {
	for _, part := range []struct {
		field    PrivacyField
		settings scrub.Settings
	}{
		{PrivacyNames, scrub.Settings{Names: s.Names}}, {PrivacySafe, scrub.Settings{Safe: s.Safe}},
		{PrivacyPatterns, scrub.Settings{Patterns: s.Patterns}}, {PrivacyAddresses, scrub.Settings{Addresses: s.Addresses}},
	} {
		if _, err := scrub.New(part.settings); err != nil {
			return part.field, refusal(err)
		}
	}
	return "", nil
}

// SetPrivacy says what is taken out of a project's events from now on.
func SetPrivacy(tx *store.Tx, by By, p store.Project, s scrub.Settings) error {
	if _, err := CheckPrivacy(s); err != nil {
		return err
	}
	if err := tx.SetPrivacy(p.ID, s); err != nil {
		return refusal(err)
	}
	return by.setting(tx, p, "project.privacy", privacyNote(s))
}

// privacyNote says in the audit log what was set: numbers of names and patterns, since
// they may tell what a company keeps secret.
func privacyNote(s scrub.Settings) string {
	note := "scrubbing on"
	if s.Off {
		note = "scrubbing off"
	}
	addresses := "stored"
	switch s.Addresses {
	case scrub.TruncateAddresses:
		addresses = "shortened"
	case scrub.DropAddresses:
		addresses = "dropped"
	}
	note += fmt.Sprintf(", addresses %s, %d names, %d safe, %d patterns", addresses, len(s.Names), len(s.Safe), len(s.Patterns))
	if s.RefuseFiles {
		note += ", no attachments"
	}
	return note
}

// TryPrivacy returns what settings make of a sample, which is an event in JSON or any
// text, and what they take out. Nothing is kept.
func TryPrivacy(s scrub.Settings, sample string) (out []byte, findings []scrub.Finding, err error) {
	scrubber, err := scrub.New(s)
	if err != nil {
		return nil, nil, refusal(err)
	}
	out, findings = scrubber.Explain([]byte(sample))
	return out, findings, nil
}
