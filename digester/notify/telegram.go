package notify

import (
	"html"
	"strings"
)

// telegramMessage is what a bot's sendMessage takes.
type telegramMessage struct {
	Chat      string          `json:"chat_id"`
	Text      string          `json:"text"`
	ParseMode string          `json:"parse_mode"`
	Preview   telegramPreview `json:"link_preview_options"`
}

type telegramPreview struct {
	Disabled bool `json:"is_disabled"`
}

func newTelegramMessage(chat string, plain card) telegramMessage {
	c := plain.escaped(escapeTelegram)
	lines := []string{"<b>" + c.Headline + "</b>"}
	if c.Title != "" {
		lines = append(lines, telegramLink(c.URL, c.Title))
	}
	if c.Culprit != "" {
		lines = append(lines, "<code>"+c.Culprit+"</code>")
	}
	lines = append(lines, nonEmpty(c.Reason)...)
	if len(c.Facts) > 0 {
		lines = append(lines, "")
	}
	for _, f := range c.Facts {
		lines = append(lines, f.Name+": <code>"+f.Value+"</code>")
	}
	for _, i := range c.Items {
		lines = append(lines, "• "+telegramLink(i.URL, i.ID)+" "+i.Title)
	}
	lines = append(lines, nonEmpty(c.More, c.LeftOut)...)
	foot := nonEmpty(c.Rule)
	if c.Settings != "" {
		foot = append(foot, telegramLink(c.Settings, "Settings"))
	}
	if len(foot) > 0 {
		lines = append(lines, "", strings.Join(foot, " · "))
	}
	return telegramMessage{Chat: chat, Text: strings.Join(lines, "\n"), ParseMode: "HTML", Preview: telegramPreview{Disabled: true}}
}

// escapeTelegram makes text of what Telegram would take for markup or a mention.
func escapeTelegram(s string) string { return apart(html.EscapeString(s)) }

// telegramLink is a link with a text that is escaped already.
func telegramLink(to, text string) string {
	if to == "" {
		return text
	}
	return `<a href="` + html.EscapeString(to) + `">` + text + `</a>`
}
