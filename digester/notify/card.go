package notify

import (
	"slices"
	"strings"
	"time"
)

// Bounds of a message's parts, in characters after escaping. Together they stay below
// what the smallest service takes (a section of Slack's with 3,000, a text of
// Telegram's with 4,096), so that no part has to know of the others: a message that is
// too long is refused, and then whoever can make titles long keeps it from people.
const (
	maxHeadline = 120
	maxTitle    = 200
	maxCulprit  = 120
	maxReason   = 400
	maxFact     = 80
	maxID       = 40
	maxItem     = 80
	maxItems    = 8
	maxRule     = 80
	maxLink     = 200 // a longer address is no link
)

// card is a message in words, the same for every service: text in one line each, cut,
// and plain unless it was made by escaped.
type card struct {
	Headline string // "New issue in Web shop"
	Title    string // of the issue; empty in a storm and in a test
	URL      string // where that leads: the issue, else the project
	Culprit  string
	Reason   string
	Facts    []fact
	Items    []item // of a storm
	More     string // "and 4,977 more"
	LeftOut  string // a sentence
	Rule     string // "Rule: new issues in production"
	Settings string // an address
	Project  string
	Level    string
	At       time.Time
}

// fact is something about an issue in two words.
type fact struct{ Name, Value string }

// item is one issue of several.
type item struct{ ID, Title, URL string }

func newCard(m Message, leftOut int64) card {
	project := cut(something(m.Project.Name, "a project"), maxRule)
	c := card{
		Headline: cut(headline(m.Kind)+" in "+project, maxHeadline), URL: m.Issue.URL, Project: project,
		Culprit: cut(oneLine(m.Issue.Culprit), maxCulprit), Reason: cut(oneLine(m.Reason), maxReason),
		Settings: link(m.SettingsURL), Level: level(m), At: m.At,
	}
	if c.URL == "" {
		c.URL = m.Project.URL
	}
	c.URL = link(c.URL)
	if m.Kind != KindStorm && m.Kind != KindTest {
		c.Title = cut(something(m.Issue.Title, "Issue without a title"), maxTitle)
		c.Facts = facts(m)
	}
	if m.Kind == KindTest && c.Reason == "" {
		c.Reason = "If you can read this, messages from " + project + " arrive here."
	}
	if rule := oneLine(m.Rule); rule != "" {
		c.Rule = cut("Rule: "+rule, maxRule)
	}
	for _, other := range m.Others[:min(len(m.Others), maxItems)] {
		c.Items = append(c.Items, item{ID: cut(something(other.ShortID, "issue"), maxID), Title: cut(oneLine(other.Title), maxItem), URL: link(other.URL)})
	}
	if more := m.OthersCount - int64(len(c.Items)); more > 0 {
		c.More = "and " + number(more) + " more"
	}
	switch {
	case leftOut == 1:
		c.LeftOut = "Before this, 1 message was left out, because too many were waiting."
	case leftOut > 1:
		c.LeftOut = "Before this, " + number(leftOut) + " messages were left out, because too many were waiting."
	}
	return c
}

// escaped is the card for a service's markup; its parts stay within their bounds.
func (c card) escaped(escape func(string) string) card {
	for field, most := range map[*string]int{
		&c.Headline: maxHeadline, &c.Title: maxTitle, &c.Culprit: maxCulprit, &c.Reason: maxReason, &c.Rule: maxRule, &c.Project: maxRule,
	} {
		*field = cutEscaped(*field, most, escape)
	}
	c.Facts, c.Items = slices.Clone(c.Facts), slices.Clone(c.Items)
	for i, f := range c.Facts {
		c.Facts[i].Value = cutEscaped(f.Value, maxFact, escape)
	}
	for i, it := range c.Items {
		c.Items[i].ID, c.Items[i].Title = cutEscaped(it.ID, maxID, escape), cutEscaped(it.Title, maxItem, escape)
	}
	return c
}

// something is a text in one line, or another text if it is empty.
func something(text, otherwise string) string {
	if text = oneLine(text); text != "" {
		return text
	}
	return otherwise
}

// link is an address that a part of a message may lead to.
func link(to string) string {
	if len(to) > maxLink {
		return ""
	}
	return to
}

func headline(k Kind) string {
	switch k {
	case KindNew:
		return "New issue"
	case KindRegression:
		return "A resolved issue is back"
	case KindUnmuted:
		return "A muted issue needs attention"
	case KindVolume:
		return "Many events"
	case KindUsers:
		return "Many users affected"
	case KindStorm:
		return "Many issues at once"
	case KindTest:
		return "Test message"
	}
	return "News"
}

// level is a message's severity; a storm is an error, a test is none.
func level(m Message) string {
	switch m.Kind {
	case KindStorm:
		return "error"
	case KindTest:
		return "info"
	}
	switch m.Issue.Level {
	case "fatal", "error", "warning", "info", "debug":
		return m.Issue.Level
	}
	return "error"
}

func facts(m Message) []fact {
	var all []fact
	add := func(name, value string) {
		if value = cut(oneLine(value), maxFact); value != "" {
			all = append(all, fact{name, value})
		}
	}
	add("Issue", m.Issue.ShortID)
	add("Level", level(m))
	add("Environment", m.Environment)
	add("Release", m.Release)
	if m.Issue.Events > 0 {
		add("Events", number(m.Issue.Events))
	}
	if m.Issue.Users > 0 {
		add("Users", number(m.Issue.Users))
	}
	return all
}

// colour is a level's, as 0xRRGGBB.
func colour(level string) int {
	switch level {
	case "fatal":
		return 0x8E1B1B
	case "error":
		return 0xC9352B
	case "warning":
		return 0xC98A00
	}
	return 0x3B6FB6
}

// apart keeps a text's words from being taken for a mention or an address by services
// that look for these in plain text and know no escape: something that nobody sees
// stands in between.
func apart(s string) string {
	const nothing = "\u200b"
	return strings.NewReplacer("@", "@"+nothing, "://", ":"+nothing+"//", "www.", "www"+nothing+".", "WWW.", "WWW"+nothing+".").Replace(s)
}
