package dashboard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"sundew/digester/deed"
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
	Wrong       deed.PrivacyField // the field that Error is about
	Sample      string            // what a try is made with
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

// formPrivacy reads the form. The error is errForm, or words for who typed it; then wrong
// is the field that it is about.
func formPrivacy(r *http.Request) (s scrub.Settings, wrong deed.PrivacyField, err error) {
	s = scrub.Settings{
		Off: r.PostFormValue("on") == "", RefuseFiles: r.PostFormValue("files") == "refuse",
		Addresses: scrub.AddressPolicy(r.PostFormValue("addresses")),
		Names:     scrub.Lines(formText(r, "names")), Safe: scrub.Lines(formText(r, "safe")), Patterns: scrub.Lines(formText(r, "patterns")),
	}
	wrong, err = deed.CheckPrivacy(s)
	if wrong == deed.PrivacyAddresses { // a treatment that no form offers
		return s, "", errForm
	}
	return s, wrong, err
}

// returnedPrivacy is the page of a form that comes back, as it was typed.
func (d *Dashboard) returnedPrivacy(r *http.Request, p store.Project, s scrub.Settings, wrong deed.PrivacyField, err error) privacyPage {
	page := d.privacyPage(r, p, s)
	page.Names, page.Safe, page.Patterns = formText(r, "names"), formText(r, "safe"), formText(r, "patterns")
	page.Sample, page.Wrong, page.Error = formText(r, "sample"), wrong, formWords(err)
	return page
}

// savePrivacy is POST /projects/{id}/settings/privacy.
func (d *Dashboard) savePrivacy(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	settings, wrong, err := formPrivacy(r)
	if wrong != "" {
		return returned("privacy", d.returnedPrivacy(r, p, settings, wrong, err)), nil
	}
	if err == nil {
		err = deed.SetPrivacy(tx, d.by(r), p, settings)
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "privacy"), "saved")), nil
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
	out, findings, err := deed.TryPrivacy(settings, page.Sample)
	if err != nil {
		return reply{}, err
	}
	page.Tried = &triedScrubbing{}
	page.Tried.Findings = findings[:min(len(findings), shownFindings)]
	page.Tried.More = len(findings) - len(page.Tried.Findings)
	laid, cut := out[:min(len(out), maxTried)], len(out) > maxTried
	if json.Valid(out) {
		laid, cut = layOut(out, maxTried)
	}
	page.Tried.Text, page.Tried.Cut = strings.ToValidUTF8(string(laid), "\ufffd"), cut
	return show("privacy", page), nil
}
