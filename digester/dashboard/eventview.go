package dashboard

import (
	"net/url"
	"slices"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/grouping"
	"sundew/digester/highlight"
	"sundew/digester/store"
	"sundew/schema/event"
)

// eventView is an event as its page shows it. Everything that comes from the
// client has gone through a budget.
type eventView struct {
	Event   store.Event
	Place   store.EventPlace
	Meta    store.EventMeta
	Options eventOptions
	Share   string // the event's address, for others
	Problem string // why there is nothing below
	Cut     bool   // something was too much for a page

	Attached attachedView

	Platform    string
	Message     *messageView
	Exceptions  []exceptionView // the thrown one first
	Stack       *stackView      // of an event without exceptions
	Threads     threadsView
	Template    *frameView
	Breadcrumbs *crumbsView
	Request     *requestView
	User        fieldList
	Tags        fieldList
	Contexts    []contextView
	Extra       fieldList
	Modules     fieldList
	Images      []event.DebugImage
	Facts       fieldList // what the event says about itself: release, SDK, server, …
	Grouping    groupingView
	Maps        *mapsView // nil: it has no frames of scripts
}

// fieldView is a name with a text.
type fieldView struct {
	Key  string
	Text string
	Long bool // shown in a block of its own
}

// fieldList is a titled list. A long one is folded after its first part.
type fieldList []fieldView

// manyFields is how many fields are shown without unfolding.
const manyFields = 20

// Shown are the fields seen at once.
func (l fieldList) Shown() fieldList { return l[:min(len(l), manyFields)] }

// Folded are the others.
func (l fieldList) Folded() fieldList { return l[min(len(l), manyFields):] }

// messageView is a log message.
type messageView struct {
	Text     string
	Template string // empty when it says no more than Text
	Params   []string
}

// requestView is an HTTP request.
type requestView struct {
	Method  string
	URL     string
	Link    string // URL if it may be followed, else empty
	Groups  []fieldGroup
	Body    string
	HasBody bool
}

// fieldGroup is a titled list.
type fieldGroup struct {
	Title  string
	Fields fieldList
}

// contextView is one of an event's contexts.
type contextView struct {
	Name   string
	Fields fieldList
}

// groupingView says why an event is in its issue.
type groupingView struct {
	Version int
	Rule    string
	Parts   []grouping.Part
	InStack bool // frames of an exception are among the parts
}

// How much of one text a page shows, in bytes; the JSON has the rest.
const (
	maxLine  = 1 << 10 // names, addresses, tags
	maxValue = 4 << 10 // a variable, a header, a breadcrumb's data
	maxBody  = 16 << 10
)

// fill shows an event. What explains it best comes first and gets the budget.
func (v *eventView) fill(ev *event.Event, languages *highlight.Languages) {
	b := newBudget()
	b.painter = painter{languages: languages, platform: ev.Platform, left: maxColours}
	v.Maps.lay(ev)
	b.maps = v.Maps
	group := grouping.GroupBy(ev, deed.DecidingRule(v.Meta))
	if v.Options.AsSent {
		v.Maps.lift(ev)
	}
	v.Platform = b.text(ev.Platform, maxLine)
	v.Message = b.message(ev.Message)
	v.Exceptions = b.exceptions(ev, v.Options.Order, group)
	if ev.Stacktrace != nil {
		stack := b.stack(ev.Stacktrace, v.Options.Order, nil)
		v.Stack = &stack
	}
	if ev.Template != nil {
		frame := b.frame(ev.Template)
		frame.Open = true
		v.Template = &frame
	}
	v.Tags = b.pairs(ev.AllTags(), maxLine)
	v.Facts = b.facts(ev)
	v.User = b.user(ev.User)
	v.Request = b.request(ev.Request)
	v.Breadcrumbs = b.breadcrumbs(ev.Breadcrumbs, v.Options.Crumbs)
	v.Contexts = b.contexts(ev.Contexts)
	v.Grouping = b.grouping(group)
	v.Threads = b.threads(ev, v.Options.Order)
	v.Extra = b.fields(ev.Extra, maxValue)
	v.Images = b.images(ev.Images)
	v.Modules = b.pairs(ev.Modules, maxLine)
	v.Cut = b.cut
}

// Grouped reports whether some of the exceptions are a group.
func (v *eventView) Grouped() bool {
	return slices.ContainsFunc(v.Exceptions, func(e exceptionView) bool { return e.Depth > 0 })
}

// StackSent reports whether any of the exceptions has a stack.
func (v *eventView) StackSent() bool {
	return slices.ContainsFunc(v.Exceptions, func(e exceptionView) bool { return e.Stack != nil })
}

// HasFrames reports whether anything can be folded or put into another order.
func (v *eventView) HasFrames() bool { return v.StackSent() || v.Stack != nil || len(v.Threads) > 0 }

// sectionLink leads to a part of the page.
type sectionLink struct{ ID, Text string }

// Sections are the parts that there are.
func (v *eventView) Sections() []sectionLink {
	var links []sectionLink
	for _, s := range []struct {
		there    bool
		id, text string
	}{
		{len(v.Exceptions) > 0 || v.Stack != nil || v.Template != nil, "stack", "Stack"},
		{len(v.Threads) > 0, "threads", "Threads"},
		{len(v.Tags) > 0, "tags", "Tags"},
		{v.Breadcrumbs != nil, "breadcrumbs", "Breadcrumbs"},
		{v.Request != nil, "request", "Request"},
		{len(v.User) > 0, "user", "User"},
		{len(v.Facts) > 0 || len(v.Contexts) > 0, "facts", "Contexts"},
		{len(v.Extra) > 0, "extra", "Data"},
		{len(v.Modules) > 0, "modules", "Modules"},
		{v.Maps != nil, "maps", "Source maps"},
		{v.Grouping.Rule != "", "grouping", "Grouping"},
	} {
		if s.there {
			links = append(links, sectionLink{s.id, s.text})
		}
	}
	return links
}

func (b *budget) message(m event.Message) *messageView {
	if m.Text() == "" {
		return nil
	}
	view := &messageView{Text: b.text(m.Text(), maxBody)}
	if m.Template != "" && m.Template != m.Text() {
		view.Template = b.text(m.Template, maxValue)
	}
	for _, p := range m.Params {
		if !b.row() {
			break
		}
		view.Params = append(view.Params, b.text(p, maxLine))
	}
	return view
}

// facts are the event's own attributes; those it lacks are left out.
func (b *budget) facts(ev *event.Event) fieldList {
	sdk := strings.TrimSpace(ev.SDK.Name + " " + ev.SDK.Version)
	all := []event.Pair{
		{Key: "Level", Value: ev.Level.String()},
		{Key: "Platform", Value: ev.Platform},
		{Key: "Release", Value: ev.Release},
		{Key: "Distribution", Value: ev.Dist},
		{Key: "Environment", Value: ev.Environment},
		{Key: "Transaction", Value: ev.Transaction},
		{Key: "Logger", Value: ev.Logger},
		{Key: "Server", Value: ev.ServerName},
		{Key: "SDK", Value: sdk},
	}
	if s := ev.Security; s != nil {
		all = append(all,
			event.Pair{Key: "Report", Value: s.Kind}, event.Pair{Key: "Directive", Value: s.Directive},
			event.Pair{Key: "Blocked", Value: s.Blocked}, event.Pair{Key: "Document", Value: s.Document})
	}
	return b.known(all)
}

func (b *budget) user(u event.User) fieldList {
	fields := b.known([]event.Pair{
		{Key: "ID", Value: u.ID},
		{Key: "Email", Value: u.Email},
		{Key: "User name", Value: u.Username},
		{Key: "Name", Value: u.Name},
		{Key: "IP address", Value: u.IP},
	})
	return append(fields, b.fields(u.Data, maxValue)...)
}

func (b *budget) request(r event.Request) *requestView {
	if r.IsZero() {
		return nil
	}
	view := &requestView{Method: b.text(r.Method, maxLine), URL: b.text(r.URL, maxValue), HasBody: len(r.Data) > 0}
	if view.URL == r.URL {
		view.Link = webLink(r.URL)
	}
	for _, g := range []struct {
		title string
		pairs []event.Pair
	}{{"Query", r.Query}, {"Headers", r.Headers}, {"Cookies", r.Cookies}, {"Environment", r.Env}} {
		if fields := b.pairs(g.pairs, maxValue); len(fields) > 0 {
			view.Groups = append(view.Groups, fieldGroup{Title: g.title, Fields: fields})
		}
	}
	if r.Fragment != "" {
		view.Groups = append(view.Groups, fieldGroup{Title: "Fragment", Fields: b.known([]event.Pair{{Key: "#", Value: r.Fragment}})})
	}
	if view.HasBody {
		view.Body = b.value(r.Data, maxBody)
	}
	return view
}

// webLink returns the address if it is one that a person may be sent to, else
// "".
func webLink(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return raw
}

func (b *budget) contexts(contexts []event.Context) []contextView {
	var views []contextView
	for _, c := range contexts {
		if !b.row() {
			break
		}
		views = append(views, contextView{Name: b.text(c.Name, maxLine), Fields: b.fields(c.Fields, maxValue)})
	}
	return views
}

func (b *budget) images(images []event.DebugImage) []event.DebugImage {
	var views []event.DebugImage
	for _, i := range images {
		if !b.row() {
			break
		}
		views = append(views, event.DebugImage{
			Type: b.text(i.Type, maxLine), CodeFile: b.text(i.CodeFile, maxLine),
			DebugID: b.text(i.DebugID, maxLine), Address: b.text(i.Address, maxLine),
		})
	}
	return views
}

// grouping says what the rules of today make of the event; an issue may have
// been made by older ones.
func (b *budget) grouping(result grouping.Result) groupingView {
	view := groupingView{Version: result.Version, Rule: result.Rule, InStack: len(result.Frames) > 0}
	for _, p := range result.Parts {
		if !b.row() {
			break
		}
		view.Parts = append(view.Parts, grouping.Part{Source: b.text(p.Source, maxLine), Text: b.text(p.Text, maxValue)})
	}
	return view
}
