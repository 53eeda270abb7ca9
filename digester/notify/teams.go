package notify

// teamsMessage is what a webhook of a Workflow of Microsoft Teams takes: an Adaptive
// Card. Its texts are runs, which have no markup.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []teamsBlock  `json:"body"`
	Actions []teamsAction `json:"actions,omitempty"`
	MSTeams teamsOptions  `json:"msteams"`
}

type teamsOptions struct {
	Width string `json:"width"`
}

type teamsBlock struct {
	Type    string     `json:"type"`
	Inlines []teamsRun `json:"inlines"`
	Spacing string     `json:"spacing,omitempty"`
}

type teamsRun struct {
	Type         string       `json:"type"`
	Text         string       `json:"text"`
	Size         string       `json:"size,omitempty"`
	Weight       string       `json:"weight,omitempty"`
	Color        string       `json:"color,omitempty"`
	IsSubtle     bool         `json:"isSubtle,omitempty"`
	SelectAction *teamsAction `json:"selectAction,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

func newTeamsMessage(c card) teamsMessage {
	body := []teamsBlock{teamsText(teamsRun{Text: c.Headline, Weight: "Bolder", Color: teamsColour(c.Level)})}
	if c.Title != "" {
		body = append(body, teamsText(teamsRun{Text: c.Title, Size: "Medium", Weight: "Bolder"}))
	}
	if c.Culprit != "" {
		body = append(body, teamsText(teamsRun{Text: c.Culprit, IsSubtle: true}))
	}
	if c.Reason != "" {
		body = append(body, teamsText(teamsRun{Text: c.Reason}))
	}
	for _, f := range c.Facts {
		b := teamsText(teamsRun{Text: f.Name + ": ", Weight: "Bolder"}, teamsRun{Text: f.Value})
		b.Spacing = "None"
		body = append(body, b)
	}
	for _, i := range c.Items {
		body = append(body, teamsText(teamsRun{Text: i.ID, SelectAction: openURL("", i.URL)}, teamsRun{Text: " " + i.Title}))
	}
	for _, line := range nonEmpty(c.More, c.LeftOut, c.Rule) {
		body = append(body, teamsText(teamsRun{Text: line, IsSubtle: true}))
	}
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Body: body, MSTeams: teamsOptions{Width: "Full"},
	}
	if c.URL != "" {
		text := "Open the project"
		if c.Title != "" {
			text = "Open the issue"
		}
		card.Actions = append(card.Actions, *openURL(text, c.URL))
	}
	if c.Settings != "" {
		card.Actions = append(card.Actions, *openURL("Settings", c.Settings))
	}
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
}

func teamsText(runs ...teamsRun) teamsBlock {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return teamsBlock{Type: "RichTextBlock", Inlines: runs}
}

func openURL(title, to string) *teamsAction {
	if to == "" {
		return nil
	}
	return &teamsAction{Type: "Action.OpenUrl", Title: title, URL: to}
}

func teamsColour(level string) string {
	switch level {
	case "fatal", "error":
		return "Attention"
	case "warning":
		return "Warning"
	}
	return "Accent"
}
