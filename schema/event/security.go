package event

import (
	"net/url"
	"slices"
	"strings"
)

// ParseSecurity makes an event of one security report of a browser: an object
// with a member "csp-report" (or of the older kinds "expect-ct-report",
// "expect-staple-report", public key pins), or one element of the array that the
// Reporting API sends. environment and release are those of the request it came
// in. Its errors are those of Parse. The event has no id and no time.
func ParseSecurity(report []byte, environment, release string) (*Event, error) {
	rep, err := repaired(report, readReport)
	if err != nil {
		return nil, err
	}
	e := rep.event()
	e.Environment = line(environment, maxShort)
	e.Release = line(release, maxName)
	return e, nil
}

// line returns a text from outside of the payload as r.line does one from inside.
func line(s string, max int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return oneLine(cut([]byte(strings.ReplaceAll(s, "\x00", "")), max))
}

// report is a security report of any kind.
type report struct {
	kind   string
	url    string // the page, if the kind has it outside of its fields
	agent  string
	fields []Field
}

func readReport(payload []byte) (report, error) {
	r := newReader(payload)
	var rep report
	var rest []Field
	r.document(func(name []byte) {
		switch string(name) {
		case "csp-report":
			rep.kind, rep.fields = "csp", r.fields(maxFields, maxJSON)
		case "expect-ct-report", "expect-staple-report":
			rep.kind = strings.TrimSuffix(string(name), "-report")
			rep.fields = r.fields(maxFields, maxJSON)
		case "body":
			rep.fields = r.fields(maxFields, maxJSON)
		case "type":
			rep.kind = strings.ToLower(r.line(maxShort))
		case "url":
			rep.url = r.line(maxURL)
		case "user_agent":
			rep.agent = r.line(maxURL)
		default:
			key := oneLine(cut(name, maxKey))
			if value := r.raw(maxJSON); value != nil && len(rest) < maxFields {
				rest = append(rest, Field{Key: key, Value: value})
			}
		}
	})
	if rep.kind == "csp-violation" {
		rep.kind = "csp"
	}
	if rep.kind == "" {
		rep.kind = "report"
		if rep.fields == nil {
			rep.fields = rest
		}
		if rep.field("known-pins", "noted-hostname") != "" {
			rep.kind = "hpkp"
		}
	}
	return rep, r.err
}

// field returns the text of the first of the named fields that is not empty, on
// one line. The older reports write names with dashes, the newer ones in camel
// case.
func (rep *report) field(names ...string) string {
	for _, name := range names {
		i := slices.IndexFunc(rep.fields, func(f Field) bool { return f.Key == name })
		if i < 0 {
			continue
		}
		if s := cut([]byte(oneLine(rep.fields[i].Value.Text())), maxURL); s != "" {
			return s
		}
	}
	return ""
}

func (rep *report) event() *Event {
	directive, _, _ := strings.Cut(rep.field("effective-directive", "effectiveDirective",
		"violated-directive", "violatedDirective", "policyId", "featureId", "id", "reason", "type"), " ")
	s := &Security{
		Kind:      rep.kind,
		Directive: cut([]byte(directive), maxName),
		Blocked:   blocked(rep.field("blocked-uri", "blockedURL", "blockedURI")),
		Document:  withoutQuery(rep.field("document-uri", "documentURL", "documentURI", "url")),
	}
	if s.Kind == "csp" && s.Blocked == "" {
		s.Blocked = "inline" // what old browsers mean by it
	}
	page := rep.field("document-uri", "documentURL", "documentURI")
	if page == "" {
		page = rep.url
	}
	if s.Document == "" {
		s.Document = withoutQuery(page)
	}
	e := &Event{
		Platform: "javascript",
		Level:    LevelWarning,
		Logger:   "csp",
		Message:  Message{Formatted: rep.message(s)},
		Security: s,
		Request:  Request{URL: page, UserAgent: rep.agent},
		Extra:    rep.fields,
	}
	if s.Kind != "csp" {
		e.Logger = "security"
		e.Tags = append(e.Tags, Pair{"report-type", s.Kind})
	}
	if s.Kind == "crash" {
		e.Level = LevelError
	}
	if s.Directive != "" && s.Kind == "csp" {
		e.Tags = append(e.Tags, Pair{"effective-directive", s.Directive})
	}
	if s.Blocked != "" {
		e.Tags = append(e.Tags, Pair{"blocked-uri", s.Blocked})
	}
	return e
}

// message says in words what happened.
func (rep *report) message(s *Security) string {
	said := rep.field("message")
	host := rep.field("hostname", "noted-hostname")
	text := ""
	switch s.Kind {
	case "csp":
		text = "Blocked '" + s.Directive + "' from '" + s.Blocked + "'"
		if s.Blocked == "inline" || s.Blocked == "eval" {
			text = "Blocked " + s.Blocked + " '" + s.Directive + "'"
		}
	case "expect-ct":
		text = "Expect-CT failed for '" + host + "'"
	case "expect-staple":
		text = "Expect-Staple failed for '" + host + "'"
	case "hpkp":
		text = "Public key pinning failed for '" + host + "'"
	case "crash":
		text = "Page crashed"
		if s.Directive != "" {
			text += ": " + s.Directive
		}
	case "network-error":
		text = "Network error: " + s.Directive
	default:
		text = s.Kind
		for _, detail := range []string{said, s.Directive, s.Blocked} {
			if detail != "" {
				text += ": " + detail
				break
			}
		}
	}
	return cut([]byte(text), maxText)
}

// blocked reduces the address of a blocked resource to its host; keywords like
// "inline" stay, and of data: and its like the scheme.
func blocked(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		scheme, rest, ok := strings.Cut(s, "://")
		if host := rest[:strings.IndexAny(rest+"/", "/?#")]; ok && scheme != "" {
			s = host
		}
	case u.Host != "": // unescaped: anything may be in it
		s = strings.ReplaceAll(strings.ToValidUTF8(u.Host, "\ufffd"), "\x00", "")
	case u.Scheme != "":
		s = u.Scheme
	}
	return cut([]byte(s), maxName)
}

// withoutQuery cuts an address at its query or fragment.
func withoutQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}
