package api

import (
	"bytes"
	"encoding/json"
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
	AllowedDomains       *[]string       `json:"allowedDomains"` // as …/settings/domains of the dashboard; none or "*": everywhere
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

// apply changes what is named.
func (c SettingsChange) apply(tx *store.Tx, r *request) error {
	if c.AllowedDomains != nil {
		domains := *c.AllowedDomains
		if slices.Contains(domains, everywhere) {
			domains = nil
		}
		if err := deed.SetOrigins(tx, r.by(), r.project, strings.Join(domains, "\n")); err != nil {
			return err
		}
	}
	if c.FingerprintingRules != nil {
		if err := deed.SetRules(tx, r.by(), r.project, *c.FingerprintingRules); err != nil {
			return err
		}
	}
	was, err := tx.Privacy(r.project.ID)
	if err != nil {
		return err
	}
	if is := c.privacy(was); !is.Equal(was) {
		return deed.SetPrivacy(tx, r.by(), r.project, is)
	}
	return nil
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
