package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Delivery is a message on its way to one place.
type Delivery struct {
	ID      string // the same with every attempt, and no other's
	Kind    ChannelKind
	Config  Config
	Message Message
	LeftOut int64     // messages that were left out before this one
	At      time.Time // of the attempt
}

// Services are the addresses of services that have one for everybody. Only tests have
// others than DefaultServices.
type Services struct {
	PagerDuty   string
	PagerDutyEU string
	Telegram    string
}

// DefaultServices returns where the services are.
func DefaultServices() Services {
	return Services{
		PagerDuty:   "https://events.pagerduty.com",
		PagerDutyEU: "https://events.eu.pagerduty.com",
		Telegram:    "https://api.telegram.org",
	}
}

// Request is what a service gets by HTTP POST. Address and header have secrets.
type Request struct {
	URL    string
	Header map[string]string
	Body   string
}

// Render returns what a delivery's service gets. Mail is none of them: see Letter.
func Render(d Delivery, s Services) (Request, error) {
	c := newCard(d.Message, d.LeftOut)
	switch d.Kind {
	case Slack:
		return post(d.Config.URL, newSlackMessage(c))
	case Discord:
		return post(d.Config.URL, newDiscordMessage(c))
	case Mattermost:
		return post(d.Config.URL, newMattermostMessage(c))
	case Teams:
		return post(d.Config.URL, newTeamsMessage(c))
	case PagerDuty:
		base := s.PagerDuty
		if d.Config.Region == "eu" {
			base = s.PagerDutyEU
		}
		return post(base+"/v2/enqueue", newPagerDutyEvent(d, c))
	case Telegram:
		return post(s.Telegram+"/bot"+d.Config.Token+"/sendMessage", newTelegramMessage(d.Config.Chat, c))
	case Webhook:
		r, err := post(d.Config.URL, newWebhookBody(d))
		if err == nil {
			r.sign(d)
		}
		return r, err
	}
	return Request{}, fmt.Errorf("%w: messages to %s are no requests", ErrConfig, d.Kind)
}

// post makes a request of a value.
func post(to string, body any) (Request, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return Request{}, fmt.Errorf("a message's JSON: %w", err)
	}
	text := string(bytes.TrimRight(b.Bytes(), "\n"))
	return Request{URL: to, Header: map[string]string{"Content-Type": "application/json; charset=utf-8"}, Body: text}, nil
}
