package notify

import (
	"strings"
	"time"
)

// discordMessage is what a webhook of Discord takes. Nobody is mentioned by it,
// whatever is in it.
type discordMessage struct {
	Embeds          []discordEmbed  `json:"embeds"`
	AllowedMentions discordMentions `json:"allowed_mentions"`
}

type discordMentions struct {
	Parse []string `json:"parse"` // empty: nothing
}

type discordEmbed struct {
	Author      discordAuthor  `json:"author"`
	Title       string         `json:"title,omitempty"`
	URL         string         `json:"url,omitempty"`
	Description string         `json:"description,omitempty"`
	Color       int            `json:"color"`
	Fields      []discordField `json:"fields,omitempty"`
	Footer      *discordFooter `json:"footer,omitempty"`
	Timestamp   string         `json:"timestamp,omitempty"`
}

type discordAuthor struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type discordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

type discordFooter struct {
	Text string `json:"text"`
}

func newDiscordMessage(plain card) discordMessage {
	c := plain.escaped(escapeMarkdown)
	e := discordEmbed{
		Author: discordAuthor{Name: plain.Headline, URL: c.Settings}, Title: c.Title, URL: c.URL,
		Description: strings.Join(c.markdownLines(), "\n"), Color: colour(c.Level),
	}
	for _, f := range c.Facts {
		e.Fields = append(e.Fields, discordField{Name: f.Name, Value: f.Value, Inline: true})
	}
	if c.Rule != "" {
		e.Footer = &discordFooter{Text: plain.Rule}
	}
	if !c.At.IsZero() {
		e.Timestamp = c.At.UTC().Format(time.RFC3339)
	}
	return discordMessage{Embeds: []discordEmbed{e}, AllowedMentions: discordMentions{Parse: []string{}}}
}
