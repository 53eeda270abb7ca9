package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/scrub"
)

// privacyRoutes are about what is taken out of a project's events.
func (a *API) privacyRoutes() {
	const tag, at = "Project settings", "/projects/{org}/{project}/settings/privacy/"
	admin := ofProject(access.Admin)
	read(a, at, readProjects, admin, Doc{Tag: tag, Summary: "What is taken out of a project's events before they are stored", Text: "Sundew's own; some of it is part of the project under Sentry's names."}, a.privacy)
	change(a, "PUT", at, "privacy by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change what is taken out of a project's events",
		Text: "Sundew's own. What the body does not name stays. It is for events to come."}, a.changePrivacy)
	try(a, at+"try/", readProjects, admin, Doc{Tag: tag, Summary: "What settings would take out of a sample",
		Text: "Sundew's own. What the body does not name is as it is set. Nothing is kept."}, a.tryPrivacy)
}

// try adds a route that reads, and gets what it is about in a body: POST.
func try[In, Out any](a *API, path string, scopes access.Scopes, may guard, doc Doc, handle func(rx *store.Rx, r *request, in In) (Out, error)) {
	raw[In, Out](a, http.MethodPost, path, scopes, may, doc, func(w http.ResponseWriter, r *request) error {
		in, err := decode[In](w, r)
		if err != nil {
			return err
		}
		var out Out
		if err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
			out, err = handle(rx, r, in)
			return err
		}); err != nil {
			return err
		}
		r.send(w, out)
		return nil
	})
}

// Privacy is what is taken out of a project's events.
type Privacy struct {
	Scrub             bool         `json:"scrub"`
	Names             List[string] `json:"names"`    // that are secret beside the usual ones
	Safe              List[string] `json:"safe"`     // names that are not secret though they look like it
	Patterns          List[string] `json:"patterns"` // regular expressions (RE2) whose matches are taken out of any text
	Addresses         string       `json:"addresses"`
	RefuseAttachments bool         `json:"refuseAttachments"`
}

// storeAddresses is how programs say that IP addresses are stored.
const storeAddresses = "store"

func privacyView(s scrub.Settings) Privacy {
	return Privacy{Scrub: !s.Off, Names: s.Names, Safe: s.Safe, Patterns: s.Patterns, Addresses: cmp.Or(string(s.Addresses), storeAddresses), RefuseAttachments: s.RefuseFiles}
}

func (a *API) privacy(rx *store.Rx, r *request) (Privacy, error) {
	s, err := rx.Privacy(r.project.ID)
	return privacyView(s), err
}

// PrivacyChange is what of it is to be otherwise.
type PrivacyChange struct {
	Scrub             *bool     `json:"scrub"`
	Names             *[]string `json:"names"`
	Safe              *[]string `json:"safe"`
	Patterns          *[]string `json:"patterns"`
	Addresses         *string   `json:"addresses"` // store, truncate or drop
	RefuseAttachments *bool     `json:"refuseAttachments"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *PrivacyChange) UnmarshalJSON(text []byte) error {
	type fields PrivacyChange
	return strict[fields, Privacy](text, (*fields)(c))
}

// of is what settings become by the change. The error says what cannot be set.
func (c PrivacyChange) of(s scrub.Settings) (scrub.Settings, error) {
	if c.Scrub != nil {
		s.Off = !*c.Scrub
	}
	if c.RefuseAttachments != nil {
		s.RefuseFiles = *c.RefuseAttachments
	}
	s.Names, s.Safe, s.Patterns = linesOr(c.Names, s.Names), linesOr(c.Safe, s.Safe), linesOr(c.Patterns, s.Patterns)
	if c.Addresses != nil {
		s.Addresses = scrub.AddressPolicy(*c.Addresses)
		if *c.Addresses == storeAddresses {
			s.Addresses = scrub.StoreAddresses
		}
	}
	wrong, err := deed.CheckPrivacy(s)
	return s, inField(string(wrong), err)
}

func (a *API) changePrivacy(tx *store.Tx, r *request, in PrivacyChange) (Privacy, error) {
	was, err := tx.Privacy(r.project.ID)
	if err != nil {
		return Privacy{}, err
	}
	is, err := in.of(was)
	if err != nil {
		return Privacy{}, err
	}
	return privacyView(is), deed.SetPrivacy(tx, r.by(), r.project, is)
}

// PrivacyTry is a sample, and settings to try on it.
type PrivacyTry struct {
	PrivacyChange
	Sample json.RawMessage `json:"sample"` // an event, or any text
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *PrivacyTry) UnmarshalJSON(text []byte) error {
	type change PrivacyChange // without the method above, which would take the sample for a mistake
	type fields struct {
		change
		Sample json.RawMessage `json:"sample"`
	}
	var all fields
	err := strict[fields, Privacy](text, &all)
	t.PrivacyChange, t.Sample = PrivacyChange(all.change), all.Sample
	return err
}

// PrivacyTried is what settings make of a sample.
type PrivacyTried struct {
	Result   string        `json:"result"`
	Findings List[Finding] `json:"findings"`
}

// Finding is one thing that was taken out.
type Finding struct {
	Path string `json:"path"` // where it was, as in request.headers.Cookie; empty: in the text
	Why  string `json:"why"`
}

func (a *API) tryPrivacy(rx *store.Rx, r *request, in PrivacyTry) (PrivacyTried, error) {
	was, err := rx.Privacy(r.project.ID)
	if err != nil {
		return PrivacyTried{}, err
	}
	settings, err := in.of(was)
	if err != nil {
		return PrivacyTried{}, err
	}
	var sample string
	if json.Unmarshal(in.Sample, &sample) != nil { // not a text, so an event
		sample = string(in.Sample)
	}
	out, findings, err := deed.TryPrivacy(settings, sample)
	tried := PrivacyTried{Result: strings.ToValidUTF8(string(out), "\ufffd")}
	for _, f := range findings {
		tried.Findings = append(tried.Findings, Finding{f.Path, f.Why})
	}
	return tried, err
}
