package notify

import "strings"

// escapeMarkdown makes text of what Discord and Mattermost would take for markup, a
// mention or an address. It has nothing that one of them shows a backslash before.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]()>#+-|~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return apart(b.String())
}

// markdownLines are the parts of an escaped card that both have as Markdown.
func (c card) markdownLines() []string {
	lines := nonEmpty(c.Culprit, c.Reason)
	for _, i := range c.Items {
		id := i.ID
		if i.URL != "" {
			id = "[" + id + "](" + i.URL + ")"
		}
		lines = append(lines, "• "+id+" "+i.Title)
	}
	return append(lines, nonEmpty(c.More, c.LeftOut)...)
}
