package notify

import "strings"

// Letter is a message as a mail.
type Letter struct {
	Subject string
	Text    string
}

// maxSubject is what mail programs show of a subject, and more.
const maxSubject = 150

// NewLetter returns a message as a mail: its subject in one line, its text plain.
func NewLetter(m Message, leftOut int64) Letter {
	c := newCard(m, leftOut)
	subject := "[" + c.Project + "] " + headline(m.Kind)
	if c.Title != "" {
		subject += ": " + c.Title
	}
	parts := nonEmpty(c.Headline, joined(c.Title, c.Culprit), c.Reason)
	if c.URL != "" {
		parts = append(parts, c.URL)
	}
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
	return Letter{Subject: cut(subject, maxSubject), Text: strings.Join(parts, "\n\n")}
}

// joined are lines, one below the other.
func joined(lines ...string) string { return strings.Join(nonEmpty(lines...), "\n") }
