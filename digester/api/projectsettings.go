package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/scrub"
)

// ProjectSettings is what is set about a project, as far as tools have names for it.
type ProjectSettings struct {
	AllowedDomains       List[string] `json:"allowedDomains"`
	DataScrubber         bool         `json:"dataScrubber"`
	DataScrubberDefaults bool         `json:"dataScrubberDefaults"` // as dataScrubber: the usual secrets are always part of it
	SensitiveFields      List[string] `json:"sensitiveFields"`
	SafeFields           List[string] `json:"safeFields"`
	ScrubIPAddresses     bool         `json:"scrubIPAddresses"`
	FingerprintingRules  string       `json:"fingerprintingRules"`
	GroupingEnhancements string       `json:"groupingEnhancements"` // not something Sundew has
	ResolveAge           int          `json:"resolveAge"`           // not something Sundew has: 0
}

// everywhere is how tools write that browsers may report from anywhere.
const everywhere = "*"

func settingsOf(rx *store.Rx, p store.Project) (*ProjectSettings, error) {
	rules, err := rx.ProjectRules(p.ID)
	if err != nil {
		return nil, err
	}
	privacy, err := rx.Privacy(p.ID)
	domains := scrub.Lines(rules.Origins)
	if len(domains) == 0 {
		domains = []string{everywhere}
	}
	return &ProjectSettings{
		AllowedDomains: domains, DataScrubber: !privacy.Off, DataScrubberDefaults: !privacy.Off, SensitiveFields: privacy.Names, SafeFields: privacy.Safe,
		ScrubIPAddresses: privacy.Addresses == scrub.DropAddresses, FingerprintingRules: rules.Fingerprint,
	}, err
}

// SettingsChange is what of it is to be otherwise.
type SettingsChange struct {
	AllowedDomains       *[]string       `json:"allowedDomains"` // from where browsers may report; none or "*": from everywhere
	DataScrubber         *bool           `json:"dataScrubber"`
	DataScrubberDefaults *bool           `json:"dataScrubberDefaults"`
	SensitiveFields      *[]string       `json:"sensitiveFields"`
	SafeFields           *[]string       `json:"safeFields"`
	ScrubIPAddresses     *bool           `json:"scrubIPAddresses"`
	FingerprintingRules  *string         `json:"fingerprintingRules"`
	GroupingEnhancements *string         `json:"groupingEnhancements"` // not something Sundew has: null or empty
	ResolveAge           *int64          `json:"resolveAge"`           // not something Sundew has: null or 0
	RelayPIIConfig       json.RawMessage `json:"relayPiiConfig"`       // not something Sundew has: null or empty
	Options              json.RawMessage `json:"options"`              // not something Sundew has: null or empty
	Team                 json.RawMessage `json:"team"`                 // not changed here: null, or left out
}

// check refuses what Sundew has not, where passing it over would mislead.
func (c SettingsChange) check() error {
	lacks := ""
	switch {
	case c.GroupingEnhancements != nil && strings.TrimSpace(*c.GroupingEnhancements) != "":
		lacks = "groupingEnhancements"
	case c.ResolveAge != nil && *c.ResolveAge != 0:
		lacks = "resolveAge"
	case !blank(c.RelayPIIConfig):
		lacks = "relayPiiConfig"
	case !blank(c.Options):
		lacks = "options"
	case !blank(c.Team):
		return bad("team: a project is given to another team by POST …/teams/{team}/")
	case c.DataScrubberDefaults != nil && !*c.DataScrubberDefaults && (c.DataScrubber == nil || *c.DataScrubber):
		return bad("dataScrubberDefaults: the usual secrets are always part of scrubbing; switch it off with dataScrubber, or name what is none in safeFields")
	}
	if lacks != "" {
		return bad(lacks + " is not something Sundew has")
	}
	return nil
}

// blank reports whether JSON says nothing.
func blank(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", `""`, "{}", "[]", `"{}"`:
		return true
	}
	return false
}

// apply changes what is named and not so already.
func (c SettingsChange) apply(tx *store.Tx, r *request) error {
	was, err := tx.ProjectRules(r.project.ID)
	if err != nil {
		return err
	}
	if is := c.origins(was.Origins); is != was.Origins {
		if err := deed.SetOrigins(tx, r.by(), r.project, is); err != nil {
			return inField("allowedDomains", err)
		}
	}
	if c.FingerprintingRules != nil && deed.Text(*c.FingerprintingRules) != was.Fingerprint {
		if err := deed.SetRules(tx, r.by(), r.project, *c.FingerprintingRules); err != nil {
			return inField("fingerprintingRules", err)
		}
	}
	privacy, err := tx.Privacy(r.project.ID)
	if err != nil {
		return err
	}
	is := c.privacy(privacy)
	if is.Equal(privacy) {
		return nil
	}
	switch wrong, err := deed.CheckPrivacy(is); wrong {
	case deed.PrivacyNames:
		return inField("sensitiveFields", err)
	case deed.PrivacySafe:
		return inField("safeFields", err)
	}
	return deed.SetPrivacy(tx, r.by(), r.project, is)
}

// inField says of which field of a request somebody is told that it will not do.
func inField(name string, err error) error {
	var unfit *deed.Unfit
	if errors.As(err, &unfit) {
		return bad(name + ": " + unfit.Words)
	}
	return err
}

// origins is the text of a project's allowed domains as it is to be.
func (c SettingsChange) origins(was string) string {
	switch {
	case c.AllowedDomains == nil:
		return was
	case slices.Contains(*c.AllowedDomains, everywhere):
		return ""
	}
	return strings.Join(*c.AllowedDomains, "\n")
}

// privacy is what a project's is to be.
func (c SettingsChange) privacy(s scrub.Settings) scrub.Settings {
	if c.DataScrubber != nil {
		s.Off = !*c.DataScrubber
	}
	s.Names, s.Safe = linesOr(c.SensitiveFields, s.Names), linesOr(c.SafeFields, s.Safe)
	switch {
	case c.ScrubIPAddresses == nil:
	case *c.ScrubIPAddresses:
		s.Addresses = scrub.DropAddresses
	case s.Addresses == scrub.DropAddresses: // who shortens them did not mean to store them
		s.Addresses = scrub.StoreAddresses
	}
	return s
}

// linesOr is a list as a form's text field has it, or what was there if there is none.
func linesOr(list *[]string, was []string) []string {
	if list == nil {
		return was
	}
	return scrub.Lines(strings.Join(*list, "\n"))
}
