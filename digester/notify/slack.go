package notify

import "strings"

// slackMessage is what an incoming webhook of Slack takes.
type slackMessage struct {
	Text        string       `json:"text"` // where blocks are not shown, e.g. on a lock screen
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Fields   []slackText `json:"fields,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

// slackText is plain, or Slack's markup. Verbatim markup makes nothing of addresses,
// rooms and people that are named in it.
type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

func newSlackMessage(plain card) slackMessage {
	c := plain.escaped(escapeSlack)
	m := slackMessage{Text: strings.TrimSuffix(c.Headline+": "+c.Title, ": ")}
	m.Blocks = append(m.Blocks, slackBlock{Type: "header", Text: &slackText{Type: "plain_text", Text: plain.Headline}})
	var lines []string
	if c.Title != "" {
		lines = append(lines, "*"+slackLink(c.URL, c.Title)+"*")
	}
	m.Blocks = append(m.Blocks, slackSection(append(lines, nonEmpty(c.Culprit, c.Reason)...))...)
	if len(c.Facts) > 0 {
		var fields []slackText
		for _, f := range c.Facts {
			fields = append(fields, slackMarkup("*"+f.Name+"*\n"+f.Value))
		}
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Fields: fields})
	}
	var items []string
	for _, i := range c.Items {
		items = append(items, "• "+slackLink(i.URL, i.ID)+" "+i.Title)
	}
	if c.More != "" {
		items = append(items, c.More)
	}
	m.Blocks = append(m.Blocks, slackSection(items)...)
	m.Blocks = append(m.Blocks, slackSection(nonEmpty(c.LeftOut))...)
	foot := nonEmpty(c.Rule)
	if c.Settings != "" {
		foot = append(foot, slackLink(c.Settings, "Settings"))
	}
	if len(foot) > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []slackText{slackMarkup(strings.Join(foot, " · "))}})
	}
	return m
}

// slackSection is a block of lines; none if there are none.
func slackSection(lines []string) []slackBlock {
	if len(lines) == 0 {
		return nil
	}
	text := slackMarkup(strings.Join(lines, "\n"))
	return []slackBlock{{Type: "section", Text: &text}}
}

func slackMarkup(text string) slackText {
	return slackText{Type: "mrkdwn", Text: text, Verbatim: true}
}

// escapeSlack makes text of what Slack would take for a mention, a link or an entity.
func escapeSlack(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// slackLink is a link with a text that is escaped already.
func slackLink(to, text string) string {
	if to == "" {
		return text
	}
	return "<" + strings.ReplaceAll(escapeSlack(to), "|", "%7C") + "|" + text + ">"
}

// nonEmpty returns those of some lines that say something.
func nonEmpty(lines ...string) []string {
	var some []string
	for _, l := range lines {
		if l != "" {
			some = append(some, l)
		}
	}
	return some
}
