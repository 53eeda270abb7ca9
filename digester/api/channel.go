package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/notify"
	"sundew/digester/store"
)

// messagesShown is how many of a channel's messages are answered.
const messagesShown = 100

// channelRoutes are about the places where messages about a project's issues go.
func (a *API) channelRoutes() {
	const tag, list = "Channels", "/projects/{org}/{project}/channels/"
	const one = list + "{channel}/"
	const own = "Sundew's own: Sentry has integrations in this place."
	const secrets = own + " Addresses, tokens and keys cannot be read back; a hint tells two apart."
	admin := ofProject(access.Admin)
	read(a, list, readProjects, admin, Doc{Tag: tag, Summary: "The channels of a project, by name", Text: secrets, Paged: true}, a.channels)
	change(a, "POST", list, "add channel by API", writeProjects, admin, Doc{Tag: tag, Summary: "Make a channel", Status: http.StatusCreated,
		Text: secrets + " The answer to a new webhook has the secret that its requests are signed with, this one time. Fields that the kind has no use for are refused."}, a.addChannel)
	read(a, one, readProjects, admin, Doc{Tag: tag, Summary: "A channel", Text: secrets}, a.channel)
	change(a, "PUT", one, "change channel by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change a channel, or switch it on or off",
		Text: own + " What is not named stays as it is. What waits for one that is switched off is given up."}, a.changeChannel)
	change(a, "DELETE", one, "delete channel by API", writeProjects, admin, Doc{Tag: tag, Summary: "Delete a channel, with all that it sent and was to send", Status: http.StatusNoContent, Text: own}, a.deleteChannel)
	change(a, "POST", one+"secret/", "new secret of channel by API", writeProjects, admin, Doc{Tag: tag, Summary: "Give a webhook another secret",
		Text: own + " It is in the answer, this one time; the former one is not used any more. 404: the channel is of a kind that has none."}, a.renewChannelSecret)
	raw[None, List[Message]](a, "POST", one+"test/", writeProjects, admin, Doc{Tag: tag, Summary: "Send a test message, and see what comes of it",
		Text: own + " It waits for up to 8 seconds; a message that is still waiting then is among the channel's messages later. An empty list: the channel is switched off, or too much waits for it."}, a.testChannel)
	read(a, one+"messages/", readProjects, admin, Doc{Tag: tag, Summary: "What a channel was sent, the newest first", Text: own + " The newest 100."}, a.messages)
	change(a, "POST", one+"messages/{message}/retry/", "try message again by API", writeProjects, admin, Doc{Tag: tag, Summary: "Try a message again that was given up", Status: http.StatusAccepted,
		Text: own + " 404: there is none that was given up, or the channel is switched off."}, a.retryMessage)
}

// Channel is a place where messages about a project's issues go, without its secrets.
type Channel struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"` // mail, slack, discord, mattermost, teams, pagerduty, telegram, webhook
	Name        string       `json:"name"`
	Enabled     bool         `json:"enabled"`
	DateCreated Time         `json:"dateCreated"`
	URLHint     string       `json:"urlHint"`
	TokenHint   string       `json:"tokenHint"`
	Chat        string       `json:"chat"`
	Region      string       `json:"region"`
	Addresses   List[string] `json:"addresses"`
	State       string       `json:"state"` // off, not used yet, works, failing
	LastSuccess Time         `json:"lastSuccess"`
	LastFailure Time         `json:"lastFailure"`
	Failure     string       `json:"failure"`
	HeldUntil   Time         `json:"heldUntil"` // nothing but tests is sent before
	Waiting     int64        `json:"waiting"`   // messages, by recipient
	LeftOut     int64        `json:"leftOut"`   // messages that were too many to keep, of which none has told yet
}

// ChannelWithSecret is a channel with the secret of a webhook.
type ChannelWithSecret struct {
	Channel
	Secret string `json:"secret,omitempty"` // of a webhook only
}

// ChannelChange is what is to become of a channel.
type ChannelChange struct {
	Kind      *string       `json:"kind"` // of a new one
	Name      *string       `json:"name"`
	Enabled   *bool         `json:"enabled"`
	URL       *string       `json:"url"`       // of slack, discord, mattermost, teams, webhook
	Token     *string       `json:"token"`     // of telegram's bot; pagerduty's integration key
	Chat      *string       `json:"chat"`      // of telegram
	Region    *string       `json:"region"`    // of pagerduty: empty or eu
	Addresses *List[string] `json:"addresses"` // of mail
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ChannelChange) UnmarshalJSON(text []byte) error {
	type fields ChannelChange
	return strict[fields, Channel](text, (*fields)(c))
}

// on is a channel after the change. Its secrets are what was sent: empty, if they are
// to stay. The error is told.
func (c ChannelChange) on(saved store.Channel) (store.Channel, error) {
	typed := store.Channel{Kind: saved.Kind, Name: saved.Name, Config: notify.Config{Chat: saved.Config.Chat, Region: saved.Config.Region, Addresses: saved.Config.Addresses}}
	for _, f := range []struct {
		name  string
		sent  *string
		into  *string
		kinds []notify.ChannelKind
	}{
		{"name", c.Name, &typed.Name, notify.ChannelKinds()},
		{"url", c.URL, &typed.Config.URL, slices.DeleteFunc(notify.ChannelKinds(), func(k notify.ChannelKind) bool { return !k.HasURL() })},
		{"token", c.Token, &typed.Config.Token, []notify.ChannelKind{notify.Telegram, notify.PagerDuty}},
		{"chat", c.Chat, &typed.Config.Chat, []notify.ChannelKind{notify.Telegram}},
		{"region", c.Region, &typed.Config.Region, []notify.ChannelKind{notify.PagerDuty}},
	} {
		if f.sent == nil {
			continue
		}
		if *f.sent != "" && !slices.Contains(f.kinds, typed.Kind) {
			return typed, bad(fmt.Sprintf("A channel of the kind %s has no %s", typed.Kind, f.name))
		}
		*f.into = *f.sent
	}
	if c.Addresses != nil {
		if typed.Kind != notify.Mail && len(*c.Addresses) > 0 {
			return typed, bad(fmt.Sprintf("A channel of the kind %s has no addresses", typed.Kind))
		}
		typed.Config.Addresses = *c.Addresses
	}
	return typed, nil
}

func channelView(c store.Channel) Channel {
	return Channel{
		ID: number(c.ID), Kind: string(c.Kind), Name: c.Name, Enabled: c.Enabled, DateCreated: Time{c.CreatedAt},
		URLHint: notify.Hint(c.Config.URL), TokenHint: notify.Hint(c.Config.Token), Chat: c.Config.Chat, Region: c.Config.Region, Addresses: c.Config.Addresses,
		State: string(c.State()), LastSuccess: Time{c.SucceededAt}, LastFailure: Time{c.FailedAt}, Failure: c.Failure, HeldUntil: Time{c.HeldUntil},
		Waiting: c.Waiting, LeftOut: c.LeftOut,
	}
}

// carriers are what channels are made and tried with.
func (a *API) carriers() deed.Channels {
	return deed.Channels{CheckURL: a.cfg.CheckURL, Courier: a.cfg.Courier}
}

func (a *API) channels(rx *store.Rx, r *request) (List[Channel], error) {
	all, err := rx.Channels(r.project.ID)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Channel], len(page))
	for i, c := range page {
		views[i] = channelView(c)
	}
	return views, err
}

// channelNamed is the channel that {channel} names.
func channelNamed(rx *store.Rx, r *request) (store.Channel, error) {
	id, err := strconv.ParseInt(r.PathValue("channel"), 10, 64)
	if err != nil {
		return store.Channel{}, store.ErrNotFound
	}
	return rx.Channel(r.project.ID, id)
}

func (a *API) channel(rx *store.Rx, r *request) (Channel, error) {
	c, err := channelNamed(rx, r)
	return channelView(c), err
}

func (a *API) addChannel(tx *store.Tx, r *request, in ChannelChange) (ChannelWithSecret, error) {
	var c store.Channel
	if in.Kind != nil {
		c.Kind = notify.ChannelKind(*in.Kind)
	}
	if !slices.Contains(notify.ChannelKinds(), c.Kind) {
		return ChannelWithSecret{}, bad(fmt.Sprintf("kind is one of %s", channelKinds()))
	}
	c.Name = c.Kind.Name()
	c, err := in.on(c)
	if err != nil {
		return ChannelWithSecret{}, err
	}
	made, err := a.carriers().Add(tx, r.by(), r.project, c)
	if err == nil && in.Enabled != nil && !*in.Enabled {
		err = deed.SwitchChannel(tx, r.by(), r.project, made, false)
		made.Enabled = false
	}
	return ChannelWithSecret{channelView(made), made.Config.Secret}, err
}

// channelKinds lists them.
func channelKinds() string {
	text := ""
	for i, k := range notify.ChannelKinds() {
		if i > 0 {
			text += ", "
		}
		text += string(k)
	}
	return text
}

// changeChannel changes a channel, and switches it, each if that is asked for.
func (a *API) changeChannel(tx *store.Tx, r *request, in ChannelChange) (Channel, error) {
	saved, err := channelNamed(&tx.Rx, r)
	if err != nil {
		return Channel{}, err
	}
	if in.Kind != nil && *in.Kind != string(saved.Kind) {
		return Channel{}, bad("The kind of a channel cannot be changed: make another one")
	}
	if !reflect.ValueOf(ChannelChange{Name: in.Name, URL: in.URL, Token: in.Token, Chat: in.Chat, Region: in.Region, Addresses: in.Addresses}).IsZero() {
		typed, err := in.on(saved)
		if err == nil {
			err = a.carriers().Change(tx, r.by(), r.project, saved, typed)
		}
		if err != nil {
			return Channel{}, err
		}
		saved.Name = typed.Name
	}
	if in.Enabled != nil && *in.Enabled != saved.Enabled {
		if err := deed.SwitchChannel(tx, r.by(), r.project, saved, *in.Enabled); err != nil {
			return Channel{}, err
		}
	}
	return a.channel(&tx.Rx, r)
}

func (a *API) deleteChannel(tx *store.Tx, r *request, _ None) (None, error) {
	c, err := channelNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	return None{}, deed.DeleteChannel(tx, r.by(), r.project, c)
}

func (a *API) renewChannelSecret(tx *store.Tx, r *request, _ None) (ChannelWithSecret, error) {
	c, err := channelNamed(&tx.Rx, r)
	if err != nil {
		return ChannelWithSecret{}, err
	}
	c, err = deed.RenewChannelSecret(tx, r.by(), r.project, c)
	return ChannelWithSecret{channelView(c), c.Config.Secret}, err
}
