package notify

import (
	"html"
	"strings"
)

// Letter is a message as a mail, in two forms that say the same.
type Letter struct {
	Subject string
	Text    string
	HTML    string
}

// maxSubject is what mail programs show of a subject, and more.
const maxSubject = 150

// NewLetter returns a message as a mail. Its subject is one line.
func NewLetter(m Message, leftOut int64) Letter {
	c := newCard(m, leftOut)
	subject := "[" + c.Project + "] " + headline(m.Kind)
	if c.Title != "" {
		subject += ": " + c.Title
	}
	return Letter{Subject: cut(subject, maxSubject), Text: letterText(c), HTML: letterHTML(c.escaped(html.EscapeString))}
}

func letterText(c card) string {
	parts := nonEmpty(c.Headline, joined(c.Title, c.Culprit), c.Reason, c.URL)
	var facts, items []string
	for _, f := range c.Facts {
		facts = append(facts, f.Name+": "+f.Value)
	}
	for _, i := range c.Items {
		items = append(items, joined(i.ID+" "+i.Title, i.URL))
	}
	parts = append(parts, nonEmpty(joined(facts...), joined(items...), c.More, c.LeftOut)...)
	foot := c.Rule
	if c.Settings != "" {
		foot = joined(foot, "Who gets these messages is set at "+c.Settings)
	}
	if foot != "" {
		parts = append(parts, "-- \n"+foot)
	}
	return strings.Join(parts, "\n\n")
}

// letterHTML has its few styles inline, since mail programs read no others, and no
// colours, so that it can be read in the dark.
func letterHTML(c card) string {
	var b strings.Builder
	write := func(tag, content string) {
		if content != "" {
			name, _, _ := strings.Cut(tag, " ")
			b.WriteString("<" + tag + ">" + content + "</" + name + ">\n")
		}
	}
	const quiet = `p style="font-size:13px;opacity:.75"`
	write(quiet, c.Headline)
	if c.Title != "" {
		write(`h1 style="font-size:18px;margin:0"`, letterLink(c.URL, c.Title))
	}
	write(`p style="font-family:monospace;margin:4px 0"`, c.Culprit)
	write("p", c.Reason)
	var rows, items strings.Builder
	for _, f := range c.Facts {
		rows.WriteString(`<tr><td style="padding:2px 16px 2px 0;opacity:.75">` + f.Name + "</td><td>" + f.Value + "</td></tr>\n")
	}
	for _, i := range c.Items {
		items.WriteString("<li>" + letterLink(i.URL, i.ID) + " " + i.Title + "</li>\n")
	}
	write(`table role="presentation" style="border-collapse:collapse;font-size:14px"`, rows.String())
	write("ul", items.String())
	write("p", c.More)
	write("p", c.LeftOut)
	if c.Title == "" && c.URL != "" {
		write("p", letterLink(c.URL, "Open the project"))
	}
	foot := nonEmpty(c.Rule)
	if c.Settings != "" {
		foot = append(foot, letterLink(c.Settings, "Who gets these messages"))
	}
	write(quiet, strings.Join(foot, " · "))
	return `<div style="font-family:sans-serif;font-size:15px;line-height:1.5;max-width:640px">` + "\n" + b.String() + "</div>\n"
}

// letterLink is a link with a text that is escaped already.
func letterLink(to, text string) string {
	if to == "" {
		return text
	}
	return `<a href="` + html.EscapeString(to) + `">` + text + "</a>"
}

// joined are lines, one below the other.
func joined(lines ...string) string { return strings.Join(nonEmpty(lines...), "\n") }
