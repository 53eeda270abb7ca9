package notify

import (
	"fmt"
	"strings"
)

// mattermostMessage is what an incoming webhook of Mattermost takes.
type mattermostMessage struct {
	Attachments []mattermostAttachment `json:"attachments"`
}

type mattermostAttachment struct {
	Fallback  string            `json:"fallback"` // in notifications
	Color     string            `json:"color"`
	Pretext   string            `json:"pretext"`
	Title     string            `json:"title,omitempty"` // with a link it is no Markdown
	TitleLink string            `json:"title_link,omitempty"`
	Text      string            `json:"text,omitempty"`
	Fields    []mattermostField `json:"fields,omitempty"`
	Footer    string            `json:"footer,omitempty"`
}

type mattermostField struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

func newMattermostMessage(plain card) mattermostMessage {
	c, words := plain.escaped(escapeMarkdown), plain.escaped(apart)
	a := mattermostAttachment{
		Fallback: strings.TrimSuffix(words.Headline+": "+words.Title, ": "), Color: fmt.Sprintf("#%06X", colour(c.Level)),
		Pretext: c.Headline, Title: words.Title, Footer: words.Rule,
	}
	if c.Title != "" {
		a.TitleLink = c.URL
	}
	lines := c.markdownLines()
	if c.Settings != "" {
		lines = append(lines, "[Settings]("+c.Settings+")")
	}
	a.Text = strings.Join(lines, "\n")
	for _, f := range c.Facts {
		a.Fields = append(a.Fields, mattermostField{Title: f.Name, Value: f.Value, Short: true})
	}
	return mattermostMessage{Attachments: []mattermostAttachment{a}}
}
