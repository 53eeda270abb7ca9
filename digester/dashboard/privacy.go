package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sundew/digester/store"
	"sundew/schema/scrub"
)

const (
	// maxTried bounds what a try shows of its result, in bytes.
	maxTried = 64 << 10

	// shownFindings is how many of a try's findings are listed.
	shownFindings = 50
)

// privacyPage says what is taken out of a project's events before they are stored.
type privacyPage struct {
	settingsFrame
	On          bool
	Names       string // one a line, as typed
	Safe        string
	Patterns    string
	Addresses   []option
	RefuseFiles bool
	Wrong       string // the field that Error is about
	Sample      string // what a try is made with
	Tried       *triedScrubbing
}

// triedScrubbing says what settings would take out of a sample.
type triedScrubbing struct {
	Text     string
	Cut      bool
	Findings []scrub.Finding
	More     int // findings that are not listed
}

func (d *Dashboard) showPrivacy(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	settings, err := rx.Privacy(p.ID)
	return show("privacy", d.privacyPage(r, p, settings)), err
}

func (d *Dashboard) privacyPage(r *http.Request, p store.Project, s scrub.Settings) privacyPage {
	lines := func(list []string) string { return strings.Join(list, "\n") }
	return privacyPage{
		settingsFrame: d.settingsFrame(r, p, "privacy"), On: !s.Off, RefuseFiles: s.RefuseFiles,
		Names: lines(s.Names), Safe: lines(s.Safe), Patterns: lines(s.Patterns), Addresses: addressOptions(s.Addresses),
	}
}

// addressOptions are the treatments of addresses that there are.
func addressOptions(chosen scrub.AddressPolicy) []option {
	var options []option
	for _, o := range []struct {
		policy scrub.AddressPolicy
		text   string
	}{
		{scrub.StoreAddresses, "Store them, if the application sends them"},
		{scrub.TruncateAddresses, "Shorten them to the network (203.0.113.0)"},
		{scrub.DropAddresses, "Do not store them"},
	} {
		options = append(options, option{string(o.policy), o.text, o.policy == chosen})
	}
	return options
}

// formPrivacy reads the form. The error is errForm, or wraps scrub.ErrSettings; then wrong
// is the field that it is about.
func formPrivacy(r *http.Request) (s scrub.Settings, wrong string, err error) {
	s = scrub.Settings{
		Off: r.PostFormValue("on") == "", RefuseFiles: r.PostFormValue("files") == "refuse",
		Addresses: scrub.AddressPolicy(r.PostFormValue("addresses")),
		Names:     scrub.Lines(formText(r, "names")), Safe: scrub.Lines(formText(r, "safe")), Patterns: scrub.Lines(formText(r, "patterns")),
	}
	for _, part := range []struct {
		field    string
		settings scrub.Settings
	}{
		{"names", scrub.Settings{Names: s.Names}}, {"safe", scrub.Settings{Safe: s.Safe}},
		{"patterns", scrub.Settings{Patterns: s.Patterns}},
	} {
		if _, err := scrub.New(part.settings); err != nil {
			return s, part.field, err
		}
	}
	if _, err := scrub.New(s); err != nil { // a treatment of addresses that no form offers
		return s, "", errForm
	}
	return s, "", nil
}

// returnedPrivacy is the page of a form that comes back, as it was typed.
func (d *Dashboard) returnedPrivacy(r *http.Request, p store.Project, s scrub.Settings, wrong string, err error) privacyPage {
	page := d.privacyPage(r, p, s)
	page.Names, page.Safe, page.Patterns = formText(r, "names"), formText(r, "safe"), formText(r, "patterns")
	page.Sample, page.Wrong = formText(r, "sample"), wrong
	if err != nil {
		page.Error = sentence(err.Error())
	}
	return page
}

// savePrivacy is POST /projects/{id}/settings/privacy.
func (d *Dashboard) savePrivacy(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	settings, wrong, err := formPrivacy(r)
	if errors.Is(err, scrub.ErrSettings) {
		return returned("privacy", d.returnedPrivacy(r, p, settings, wrong, err)), nil
	}
	if err == nil {
		err = tx.SetPrivacy(p.ID, settings)
	}
	if err != nil {
		return reply{}, err
	}
	if err := d.noteSetting(tx, r, p, "project.privacy", privacyNote(settings)); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "privacy"), "saved")), nil
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

// tryPrivacy is POST /projects/{id}/settings/privacy/try: what the settings as typed
// would take out of a sample. It stores neither.
func (d *Dashboard) tryPrivacy(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	settings, wrong, err := formPrivacy(r)
	if errors.Is(err, errForm) {
		return reply{}, err
	}
	page := d.returnedPrivacy(r, p, settings, wrong, err)
	if err != nil {
		return returned("privacy", page), nil
	}
	scrubber, err := scrub.New(settings)
	if err != nil {
		return reply{}, err
	}
	page.Tried = &triedScrubbing{}
	out, findings := scrubber.Explain([]byte(page.Sample))
	page.Tried.Findings = findings[:min(len(findings), shownFindings)]
	page.Tried.More = len(findings) - len(page.Tried.Findings)
	laid, cut := out[:min(len(out), maxTried)], len(out) > maxTried
	if json.Valid(out) {
		laid, cut = layOut(out, maxTried)
	}
	page.Tried.Text, page.Tried.Cut = strings.ToValidUTF8(string(laid), "\ufffd"), cut
	return show("privacy", page), nil
}
