package edge

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sundew/schema/wire"
)

// readSecurity takes in what browsers report: one report in an object of its own
// (report-uri), or a list of them (Reporting API). The shape of the body decides, the
// content type only repeats it.
func (in *intake) readSecurity(r *http.Request) {
	limits := in.h.cfg.Limits
	if err := in.scratch.body.open(r, min(limits.Body, limits.Security), limits.Security); err != nil {
		in.fault(err)
		return
	}
	payload, err := in.readBody(int(limits.Security))
	if err != nil {
		in.fault(err)
		return
	}
	query := r.URL.Query()
	in.base.Environment = in.scrub.String(clip(query.Get("sentry_environment"), maxEnvironment))
	in.base.Release = in.scrub.String(clip(query.Get("sentry_release"), maxRelease))
	if text := bytes.TrimLeft(payload, " \t\r\n"); len(text) == 0 || text[0] != '[' {
		in.readReport(payload)
		return
	}
	if err := in.readReports(payload); err != nil {
		in.fault(err)
	}
}

// readReports takes in a list of reports. An error means that the list is broken off.
func (in *intake) readReports(list []byte) error {
	dec := newDecoder(list)
	if _, err := dec.ReadToken(); err != nil {
		return fmt.Errorf("%w: the list is not JSON", errReport)
	}
	for n := 0; dec.PeekKind() != ']'; n++ {
		report, err := dec.ReadValue()
		if err != nil {
			return fmt.Errorf("%w: the list is not JSON from report %d on", errReport, n+1)
		}
		if n == in.h.cfg.Limits.Items {
			return fmt.Errorf("%w: at most %d are accepted", errTooMany, n)
		}
		in.readReport(report)
	}
	return nil
}

// readReport takes in one report.
func (in *intake) readReport(report []byte) {
	report, _, err := in.inspect(report)
	if err != nil {
		in.fault(fmt.Errorf("report: %w", err))
		return
	}
	if !isReport(report) {
		in.fault(fmt.Errorf("%w: neither csp-report nor body in it", errReport))
		return
	}
	in.enqueue(wire.KindCSP, newID(), report)
}

// isReport tells a browser's report from any other JSON: the old kinds are wrapped in
// a name like "csp-report", the Reporting API's have a body, and reports of public key
// pins (RFC 7469) are not wrapped but list the pins.
func isReport(object []byte) bool {
	dec := newDecoder(object)
	if _, err := dec.ReadToken(); err != nil {
		return false
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			return false
		}
		wraps := name.String() == "body" || strings.HasSuffix(name.String(), "-report")
		if kind := dec.PeekKind(); wraps && kind == '{' || name.String() == "known-pins" && kind == '[' {
			return true
		}
		if err := dec.SkipValue(); err != nil {
			return false
		}
	}
}

// newDecoder returns a decoder as lenient as event.Scan's.
func newDecoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
