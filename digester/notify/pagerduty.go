package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// pagerDutyEvent is what the Events API v2 takes.
type pagerDutyEvent struct {
	RoutingKey string           `json:"routing_key"`
	Action     string           `json:"event_action"`
	DedupKey   string           `json:"dedup_key"`
	Payload    pagerDutyPayload `json:"payload"`
	Links      []pagerDutyLink  `json:"links,omitempty"`
	Client     string           `json:"client"`
	ClientURL  string           `json:"client_url,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp,omitempty"`
	Class     string            `json:"class"`
	Details   map[string]string `json:"custom_details"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

func newPagerDutyEvent(d Delivery, c card) pagerDutyEvent {
	e := pagerDutyEvent{
		RoutingKey: d.Config.Token, Action: "trigger", DedupKey: dedupKey(d), Client: "Sundew", ClientURL: c.URL,
		Payload: pagerDutyPayload{
			Summary: strings.TrimSuffix(c.Headline+": "+c.Title, ": "), Source: c.Project, Severity: pagerDutySeverity(c.Level),
			Class: string(d.Message.Kind), Details: make(map[string]string),
		},
	}
	if !c.At.IsZero() {
		e.Payload.Timestamp = c.At.UTC().Format(time.RFC3339)
	}
	for _, f := range append([]fact{{"Culprit", c.Culprit}, {"Reason", c.Reason}, {"Rule", strings.TrimPrefix(c.Rule, "Rule: ")}, {"More", c.More}, {"Left out", c.LeftOut}}, c.Facts...) {
		if f.Value != "" {
			e.Payload.Details[f.Name] = f.Value
		}
	}
	for _, i := range c.Items {
		e.Links = append(e.Links, pagerDutyLink{Href: i.URL, Text: i.ID + " " + i.Title})
	}
	if c.Settings != "" {
		e.Links = append(e.Links, pagerDutyLink{Href: c.Settings, Text: "Settings"})
	}
	return e
}

// dedupKey has PagerDuty put what is about one issue of one installation into one
// incident, and take a message that arrives twice for one.
func dedupKey(d Delivery) string {
	sum := sha256.Sum256([]byte(d.Message.Project.URL))
	key := "sundew-" + hex.EncodeToString(sum[:8])
	if d.Message.Issue.ID != 0 {
		return key + "-issue-" + strconv.FormatInt(d.Message.Issue.ID, 10)
	}
	return key + "-message-" + d.ID
}

func pagerDutySeverity(level string) string {
	switch level {
	case "fatal":
		return "critical"
	case "error", "warning":
		return level
	}
	return "info"
}
