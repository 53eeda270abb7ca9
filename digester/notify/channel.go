package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// ChannelKind is a kind of place where messages go.
type ChannelKind string

// The kinds of channel.
const (
	Mail       ChannelKind = "mail"
	Slack      ChannelKind = "slack"
	Discord    ChannelKind = "discord"
	Mattermost ChannelKind = "mattermost"
	Teams      ChannelKind = "teams"
	PagerDuty  ChannelKind = "pagerduty"
	Telegram   ChannelKind = "telegram"
	Webhook    ChannelKind = "webhook"
)

// ChannelKinds returns all kinds, in the order in which people are offered them.
func ChannelKinds() []ChannelKind {
	return []ChannelKind{Mail, Slack, Discord, Mattermost, Teams, PagerDuty, Telegram, Webhook}
}

// Name is what people call the kind.
func (k ChannelKind) Name() string {
	switch k {
	case Mail:
		return "Mail"
	case Slack:
		return "Slack"
	case Discord:
		return "Discord"
	case Mattermost:
		return "Mattermost"
	case Teams:
		return "Microsoft Teams"
	case PagerDuty:
		return "PagerDuty"
	case Telegram:
		return "Telegram"
	case Webhook:
		return "Webhook"
	}
	return string(k)
}

// HasURL reports whether a channel of the kind is an address that people enter.
func (k ChannelKind) HasURL() bool {
	return slices.Contains([]ChannelKind{Slack, Discord, Mattermost, Teams, Webhook}, k)
}

// Config says where a channel's messages go. Which fields count depends on the kind.
// URL, Token and Secret are secrets: who has one can send messages in our place.
type Config struct {
	URL       string   `json:"url,omitempty"`       // of Slack, Discord, Mattermost, Teams and Webhook
	Token     string   `json:"token,omitempty"`     // of Telegram's bot; PagerDuty's integration key
	Chat      string   `json:"chat,omitempty"`      // of Telegram
	Region    string   `json:"region,omitempty"`    // of PagerDuty: empty (US) or "eu"
	Addresses []string `json:"addresses,omitempty"` // of Mail
	Secret    string   `json:"secret,omitempty"`    // that a webhook's requests are signed with
}

// ErrConfig is wrapped by errors that say in words for people what is wrong with a
// channel's configuration. They do not quote secrets.
var ErrConfig = errors.New("this cannot be saved")

// MaxAddresses is how many recipients a mail channel has at most.
const MaxAddresses = 20

const maxURL = 2000

var (
	integrationKey = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	botToken       = regexp.MustCompile(`^[0-9]{3,20}:[0-9A-Za-z_-]{20,100}$`)
	chatName       = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$`)
)

// Clean returns what a channel of a kind keeps of a configuration: the fields that
// count, without spaces around them. The error wraps ErrConfig.
func (c Config) Clean(kind ChannelKind) (Config, error) {
	switch kind {
	case Mail:
		addresses, err := cleanAddresses(c.Addresses)
		return Config{Addresses: addresses}, err
	case Slack, Discord, Mattermost, Teams:
		address, err := cleanURL(c.URL)
		return Config{URL: address}, err
	case Webhook:
		address, err := cleanURL(c.URL)
		if err == nil && c.Secret == "" {
			err = fmt.Errorf("%w: a webhook needs a secret", ErrConfig)
		}
		return Config{URL: address, Secret: c.Secret}, err
	case PagerDuty:
		c = Config{Token: strings.TrimSpace(c.Token), Region: c.Region}
		if !integrationKey.MatchString(c.Token) {
			return c, fmt.Errorf("%w: an integration key has 32 letters and digits", ErrConfig)
		}
		if c.Region != "" && c.Region != "eu" {
			return c, fmt.Errorf("%w: PagerDuty has no such region", ErrConfig)
		}
		return c, nil
	case Telegram:
		c = Config{Token: strings.TrimSpace(c.Token), Chat: strings.TrimSpace(c.Chat)}
		if !botToken.MatchString(c.Token) {
			return c, fmt.Errorf("%w: a bot's token is a number, a colon and at least 20 letters and digits, as in 123456:ABC-DEF…", ErrConfig)
		}
		if !chatName.MatchString(c.Chat) {
			return c, fmt.Errorf("%w: a chat is a number, often with a minus, or the @name of a public one", ErrConfig)
		}
		return c, nil
	}
	return Config{}, fmt.Errorf("%w: there is no such kind", ErrConfig)
}

// Keep fills in what a form leaves empty because it does not show it: secrets that are
// saved already.
func (c Config) Keep(saved Config) Config {
	keep := func(field *string, old string) {
		if strings.TrimSpace(*field) == "" {
			*field = old
		}
	}
	keep(&c.URL, saved.URL)
	keep(&c.Token, saved.Token)
	keep(&c.Secret, saved.Secret)
	return c
}

// Hint is what people see of a secret that is saved: enough to tell two apart, not
// enough to use it. An address keeps its host.
func Hint(secret string) string {
	const shown = 4
	if secret == "" {
		return ""
	}
	head := ""
	if u, err := url.Parse(secret); err == nil && u.Host != "" {
		head = u.Scheme + "://" + u.Host + "/"
	}
	if len(secret)-len(head) < 3*shown {
		return head + "…"
	}
	return head + "…" + secret[len(secret)-shown:]
}

// Hide takes a channel's secrets out of a text, for errors that somebody else wrote.
func (c Config) Hide(text string) string {
	for _, secret := range []string{c.URL, c.Token, c.Secret} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

func cleanURL(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "", fmt.Errorf("%w: the address is missing", ErrConfig)
	case len(raw) > maxURL:
		return "", fmt.Errorf("%w: an address has at most %d characters", ErrConfig, maxURL)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", fmt.Errorf("%w: an address begins with https:// and a host, as in https://chat.example.com/hooks/abc", ErrConfig)
	case u.User != nil:
		return "", fmt.Errorf("%w: an address has no user name and no password in it", ErrConfig)
	}
	u.Fragment = ""
	return u.String(), nil
}

func cleanAddresses(raw []string) ([]string, error) {
	var clean []string
	for _, a := range raw {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		parsed, err := mail.ParseAddress(a)
		if err != nil || parsed.Address != a {
			return nil, fmt.Errorf("%w: %q is no mail address", ErrConfig, cut(oneLine(a), 100))
		}
		if !slices.Contains(clean, a) {
			clean = append(clean, a)
		}
	}
	switch {
	case len(clean) == 0:
		return nil, fmt.Errorf("%w: a mail address is missing", ErrConfig)
	case len(clean) > MaxAddresses:
		return nil, fmt.Errorf("%w: a channel has at most %d mail addresses", ErrConfig, MaxAddresses)
	}
	return clean, nil
}
