package event

import (
	"strconv"
	"strings"
)

// Parse reads a whole event. Its only errors are those of Scan: a payload that
// is not one JSON object. Everything else is dropped, cut or converted field by
// field. The event keeps no reference to payload.
func Parse(payload []byte) (*Event, error) { return parse(payload, true) }

// Skim reads what grouping, counting and tagging need, and agrees with Parse on
// that. It leaves out what only pages show: breadcrumbs, extra, modules, images,
// source lines and variables of frames, data of mechanisms, query, headers,
// cookies, environment and body of the request, and all contexts that DerivedTags
// does not look at.
func Skim(payload []byte) (*Event, error) { return parse(payload, false) }

func parse(payload []byte, full bool) (*Event, error) {
	return repaired(payload, func(p []byte) (*Event, error) {
		r := newReader(p)
		r.full = full
		d := draft{reader: r}
		r.document(d.member)
		if r.err != nil {
			return nil, r.err
		}
		return d.finish(), nil
	})
}

// draft is an event while it is read, with what depends on members still to
// come.
type draft struct {
	*reader
	event    Event
	message  Message // of "message"
	logEntry Message // of "logentry", which wins
	checksum string
}

// finish decides what could only be decided at the end.
func (d *draft) finish() *Event {
	e := &d.event
	e.Message = d.logEntry
	if e.Message.Text() == "" {
		e.Message = d.message
	}
	if e.Platform == "" {
		e.Platform = "other"
	}
	if d.checksum != "" {
		// The oldest clients named the group themselves, in one word.
		e.Fingerprint = []string{d.checksum}
	}
	return e
}

// member reads one member of the event. The names with dots are those that
// clients before 2015 sent. A member without content does not undo an earlier
// one: some clients send a thing under both its names and leave one empty.
func (d *draft) member(name []byte) {
	e := &d.event
	switch string(name) {
	case "event_id":
		e.ID, _ = ParseID(d.stringOnly(maxID))
	case "timestamp":
		e.Timestamp = d.timestamp()
	case "platform":
		e.Platform = strings.ToLower(d.line(maxShort))
	case "level":
		e.Level = d.level()
	case "logger":
		e.Logger = d.line(maxName)
	case "transaction":
		e.Transaction = d.line(maxName)
	case "server_name":
		e.ServerName = d.line(maxName)
	case "release":
		e.Release = d.line(maxName)
	case "dist":
		e.Dist = d.line(maxShort)
	case "environment":
		e.Environment = d.line(maxShort)
	case "culprit":
		e.Culprit = d.line(maxName)
	case "checksum":
		d.checksum = d.line(maxName)
	case "message":
		keep(&d.message, d.readMessage())
	case "logentry", "sentry.interfaces.Message":
		keep(&d.logEntry, d.readMessage())
	case "exception", "sentry.interfaces.Exception":
		keepList(&e.Exceptions, d.exceptions())
	case "threads":
		keepList(&e.Threads, d.threads())
	case "stacktrace", "sentry.interfaces.Stacktrace":
		keepPointer(&e.Stacktrace, d.stacktrace())
	case "template", "sentry.interfaces.Template":
		keepPointer(&e.Template, d.template())
	case "fingerprint":
		e.Fingerprint = d.fingerprint()
	case "tags":
		keepList(&e.Tags, d.tags())
	case "user", "sentry.interfaces.User":
		if u := d.user(); !u.IsZero() {
			e.User = u
		}
	case "request", "sentry.interfaces.Http":
		if q := d.request(); !q.IsZero() {
			e.Request = q
		}
	case "contexts":
		keepList(&e.Contexts, d.contexts())
	case "sdk":
		e.SDK = d.sdk()
	case "debug_meta":
		keepList(&e.Images, d.images())
	default:
		d.shown(name)
	}
}

// shown reads the members that only pages show.
func (d *draft) shown(name []byte) {
	if !d.full {
		d.skip()
		return
	}
	e := &d.event
	switch string(name) {
	case "breadcrumbs", "sentry.interfaces.Breadcrumbs":
		keepList(&e.Breadcrumbs, d.breadcrumbs())
	case "extra":
		keepList(&e.Extra, d.fields(maxFields, maxJSON))
	case "sentry.interfaces.Query":
		if query := d.raw(maxJSON); query != nil && len(e.Extra) < maxFields {
			e.Extra = append(e.Extra, Field{Key: "query", Value: query})
		}
	case "modules":
		keepList(&e.Modules, d.pairs(maxModules))
	default:
		d.skip()
	}
}

// keep replaces a message by a later one that says something.
func keep(m *Message, later Message) {
	if later.Text() != "" {
		*m = later
	}
}

func keepList[T any](list *[]T, later []T) {
	if len(later) > 0 {
		*list = later
	}
}

func keepPointer[T any](p **T, later *T) {
	if later != nil {
		*p = later
	}
}

// level reads a name, or a number of Python's logging package.
func (r *reader) level() Level {
	isNumber := r.kind() == '0'
	s := r.text(maxShort)
	if !isNumber || len(s) != 2 {
		return ParseLevel(strings.TrimSpace(s))
	}
	switch s[0] {
	case '1':
		return LevelDebug
	case '2':
		return LevelInfo
	case '3':
		return LevelWarning
	case '4':
		return LevelError
	case '5':
		return LevelFatal
	}
	return LevelUnset
}

// fingerprint reads a list of parts of any kind, or a single one.
func (r *reader) fingerprint() []string {
	var parts []string
	r.list(func() {
		isNull := r.kind() == 'n'
		part := r.text(maxPart)
		if !isNull && len(parts) < maxFingerprint {
			parts = append(parts, part)
		}
	})
	return parts
}

// sdk reads the client's name and version.
func (r *reader) sdk() SDK {
	var s SDK
	r.object(func(name []byte) {
		switch string(name) {
		case "name":
			s.Name = r.line(maxName)
		case "version":
			s.Version = r.line(maxShort)
		default:
			r.skip()
		}
	})
	return s
}

// fields reads an object as at most n fields of max bytes of JSON each. A value
// of another kind becomes one field.
func (r *reader) fields(n, max int) []Field {
	var fields []Field
	add := func(key string) {
		if len(fields) == n {
			r.skip()
		} else if value := r.raw(max); value != nil {
			fields = append(fields, Field{Key: key, Value: value})
		}
	}
	switch r.kind() {
	case '{':
		r.object(func(name []byte) { add(oneLine(cut(name, maxKey))) })
	case '[':
		r.list(func() { add("#" + strconv.Itoa(len(fields))) })
	default:
		add("value")
	}
	return fields
}
