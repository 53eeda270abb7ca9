package table

import (
	"strconv"
	"strings"
	"time"

	"sundew/schema/event"
)

// Kind is what a column's values are.
type Kind string

// The kinds, as tools call them.
const (
	String  Kind = "string"
	Integer Kind = "integer"
	Date    Kind = "date"
	Array   Kind = "array"
	Rate    Kind = "rate"
	Boolean Kind = "boolean"
)

// column is something that is known of an event, or an aggregate of several.
type column struct {
	name  string
	kind  Kind
	unit  string
	needs Needs
	get   func(*Row) Value   // of a column
	sum   func() accumulator // of an aggregate
}

// Value is what a row says in a column. It is one of text, number, moment and list; the
// zero Value is nothing.
type Value struct {
	Kind   Kind
	Text   string
	Number float64
	At     time.Time
	List   []string
}

// IsZero reports whether there is nothing.
func (v Value) IsZero() bool { return v.Kind == "" }

func text(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{Kind: String, Text: s}
}

func integer(n int64) Value { return Value{Kind: Integer, Number: float64(n)} }

func moment(at time.Time) Value {
	if at.IsZero() {
		return Value{}
	}
	return Value{Kind: Date, At: at.UTC()}
}

func list(all []string) Value {
	if len(all) == 0 {
		return Value{}
	}
	return Value{Kind: Array, List: all}
}

// texts are what of a value can be looked for.
func (v Value) texts() []string {
	switch v.Kind {
	case String, Boolean:
		return []string{v.Text}
	case Array:
		return v.List
	case Integer, Rate:
		return []string{strconv.FormatFloat(v.Number, 'f', -1, 64)}
	case Date:
		return []string{v.At.Format(time.RFC3339)}
	}
	return nil
}

// key tells values apart.
func (v Value) key() string { return string(v.Kind) + "\x00" + strings.Join(v.texts(), "\x01") }

// notErrors are beginnings of columns that are of traces, logs and measurements, of
// which there are none. A table of nothing would say that there was nothing.
func notErrors() []string {
	return []string{"span.", "span_", "transaction.duration", "transaction.op", "transaction.status", "measurements.", "metric.", "profile.", "replay.", "severity", "sentry.item_id"}
}

// columnOf is the column or aggregate that a name means. Its errors are *Error.
func columnOf(name string) (column, error) {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, "equation|") {
		return column{}, wrong("Equations are not something Sundew has.")
	}
	if function, rest, ok := strings.Cut(name, "("); ok {
		of, closed := strings.CutSuffix(rest, ")")
		if !closed {
			return column{}, wrong("%.60q lacks its closing parenthesis.", name)
		}
		return aggregateOf(name, strings.TrimSpace(function), strings.TrimSpace(of))
	}
	if name == "" || len(name) > 200 {
		return column{}, wrong("A column needs a name of 1 to 200 characters.")
	}
	for _, other := range notErrors() {
		if strings.HasPrefix(name, other) {
			return column{}, wrong("Sundew keeps errors only: of traces, logs and metrics it has no %.60q.", name)
		}
	}
	if key, ok := strings.CutPrefix(name, "tags["); ok {
		return tagColumn(name, strings.TrimSuffix(key, "]")), nil
	}
	c, ok := rowColumn(name)
	if !ok {
		c, ok = bodyColumn(name)
	}
	if !ok {
		return tagColumn(name, name), nil
	}
	c.name = name
	if c.kind == "" {
		c.kind = String
	}
	return c, nil
}

// rowColumn is a column that needs nothing of what events brought.
func rowColumn(name string) (c column, ok bool) {
	switch name {
	case "id":
		c = column{needs: EachEvent, get: func(r *Row) Value { return text(r.EventID.String()) }}
	case "project", "project.name", "project.slug":
		c = column{get: func(r *Row) Value { return text(r.ProjectSlug) }}
	case "project.id", "project_id":
		c = column{kind: Integer, get: func(r *Row) Value { return integer(int64(r.Project)) }}
	case "issue":
		c = column{get: func(r *Row) Value { return text(r.ShortID) }}
	case "issue.id":
		c = column{kind: Integer, get: func(r *Row) Value { return integer(r.Issue) }}
	case "title":
		c = column{needs: Title, get: func(r *Row) Value { return Value{Kind: String, Text: r.Title} }}
	case "culprit":
		c = column{get: func(r *Row) Value { return text(r.Culprit) }}
	case "platform", "platform.name":
		c = column{get: func(r *Row) Value { return text(r.Platform) }}
	case "level":
		c = column{needs: Level, get: func(r *Row) Value { return text(r.Level.String()) }}
	case "release":
		c = column{needs: Release, get: func(r *Row) Value { return text(r.Release) }}
	case "environment":
		c = column{needs: Environment, get: func(r *Row) Value { return text(r.Environment) }}
	case "user", "user.display":
		c = column{needs: User, get: func(r *Row) Value { return text(r.User) }}
	case "event.type":
		c = column{get: func(*Row) Value { return text("error") }}
	case "timestamp":
		c = column{kind: Date, needs: EachEvent, get: func(r *Row) Value { return moment(r.Last) }}
	case "timestamp.to_hour":
		c = column{kind: Date, needs: Hour, get: func(r *Row) Value { return moment(r.Last.Truncate(time.Hour)) }}
	case "timestamp.to_day":
		c = column{kind: Date, needs: Hour, get: func(r *Row) Value { return moment(r.Last.Truncate(24 * time.Hour)) }}
	case Bucket:
		c = column{kind: Date, get: func(r *Row) Value { return moment(r.Bucket) }}
	}
	return c, c.get != nil
}

// Bucket is the column of the stretch of time that events are of. Its name is no tag's.
const Bucket = "time bucket"

// bodyColumn is a column of what events brought.
func bodyColumn(name string) (column, bool) {
	kind := String
	var of func(*event.Event) Value
	switch name {
	case "message":
		of = func(ev *event.Event) Value { return text(ev.Message.Text()) }
	case "dist":
		of = func(ev *event.Event) Value { return text(ev.Dist) }
	case "sdk.name":
		of = func(ev *event.Event) Value { return text(ev.SDK.Name) }
	case "sdk.version":
		of = func(ev *event.Event) Value { return text(ev.SDK.Version) }
	case "user.id":
		of = func(ev *event.Event) Value { return text(ev.User.ID) }
	case "user.email":
		of = func(ev *event.Event) Value { return text(ev.User.Email) }
	case "user.username", "user.name":
		of = func(ev *event.Event) Value { return text(ev.User.Username) }
	case "user.ip":
		of = func(ev *event.Event) Value { return text(ev.User.IP) }
	case "http.method":
		of = func(ev *event.Event) Value { return text(ev.Request.Method) }
	case "trace", "trace.trace_id":
		of = func(ev *event.Event) Value { return text(traceOf(ev)) }
	default:
		of, kind = exceptionColumn(name)
	}
	if of == nil {
		return column{}, false
	}
	return column{kind: kind, needs: EachEvent | Body, get: func(r *Row) Value {
		if r.Event == nil {
			return Value{}
		}
		return of(r.Event)
	}}, true
}

// exceptionColumn is a column of what was thrown: a list, since a cause may have one.
func exceptionColumn(name string) (func(*event.Event) Value, Kind) {
	each := func(of func(*event.Exception) string) func(*event.Event) Value {
		return func(ev *event.Event) Value {
			var all []string
			for i := range ev.Exceptions {
				if value := of(&ev.Exceptions[i]); value != "" {
					all = append(all, value)
				}
			}
			return list(all)
		}
	}
	switch name {
	case "error.type":
		return each(func(x *event.Exception) string { return x.Type }), Array
	case "error.value":
		return each(func(x *event.Exception) string { return x.Value }), Array
	case "error.mechanism":
		return each(func(x *event.Exception) string { return x.Mechanism.Type }), Array
	case "error.handled":
		return func(ev *event.Event) Value { return handled(ev, true) }, Boolean
	case "error.unhandled":
		return func(ev *event.Event) Value { return handled(ev, false) }, Boolean
	case "stack.filename":
		return frames(func(f *event.Frame) string { return f.Filename }), Array
	case "stack.abs_path":
		return frames(func(f *event.Frame) string { return f.AbsPath }), Array
	case "stack.function":
		return frames(func(f *event.Frame) string { return f.Function }), Array
	case "stack.module":
		return frames(func(f *event.Frame) string { return f.Module }), Array
	}
	return nil, String
}

// handled says whether what was thrown was caught; nothing, where the event does not
// say.
func handled(ev *event.Event, want bool) Value {
	if len(ev.Exceptions) == 0 {
		return Value{}
	}
	is := ev.Exceptions[len(ev.Exceptions)-1].Mechanism.Handled
	if is == nil {
		return Value{}
	}
	return Value{Kind: Boolean, Text: strconv.FormatBool(*is == want)}
}

func frames(of func(*event.Frame) string) func(*event.Event) Value {
	return func(ev *event.Event) Value {
		var all []string
		for i := range ev.Exceptions {
			if st := ev.Exceptions[i].Stacktrace; st != nil {
				for n := range st.Frames {
					if value := of(&st.Frames[n]); value != "" {
						all = append(all, value)
					}
				}
			}
		}
		return list(all)
	}
}

// traceOf is the trace that an event is of.
func traceOf(ev *event.Event) string {
	c, ok := ev.Context("trace")
	if !ok {
		return ""
	}
	for _, f := range c.Fields {
		if f.Key == "trace_id" {
			id, err := strconv.Unquote(string(f.Value))
			if err == nil {
				return id
			}
		}
	}
	return ""
}

// tagColumn is a tag, by its own name or by the one that tools have for it.
func tagColumn(name, key string) column {
	known := map[string]string{"os.name": "os", "browser.name": "browser", "device.family": "device", "runtime.name": "runtime", "http.url": "url"}
	if name == key && known[key] != "" {
		key = known[key]
	}
	return column{name: name, kind: String, needs: EachEvent | Body, get: func(r *Row) Value {
		if r.Event == nil {
			return Value{}
		}
		for _, t := range r.Event.SearchTags() {
			if t.Key == key {
				return text(t.Value)
			}
		}
		return Value{}
	}}
}
