package dashboard

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/notify"
	"sundew/digester/store"
)

// newChannelPage is the form for a channel that is not there yet.
type newChannelPage struct {
	settingsFrame
	Form channelForm
}

// channelForm is what can be set about a channel, as it is or as it was typed.
type channelForm struct {
	Action  string // where the form leads
	Kind    notify.ChannelKind
	Name    string
	Config  notify.Config // what may be shown
	Steps   []string      // to get what the form asks for
	Example string        // of an address
	URL     string        // hint at the saved one; empty: none is saved
	Token   string        // likewise
	Error   string
	NoMail  bool // there is no server that takes mail
}

// Lines are the mail addresses as a text field has them.
func (f channelForm) Lines() string { return strings.Join(f.Config.Addresses, "\n") }

// channelForm returns the form of a channel. Its secrets are not in it.
func (d *Dashboard) channelForm(action string, c store.Channel) channelForm {
	steps, example := channelHelp(c.Kind)
	return channelForm{
		Action: action, Kind: c.Kind, Name: c.Name, Steps: steps, Example: example, NoMail: c.Kind == notify.Mail && !d.hasMail(),
		Config: notify.Config{Chat: c.Config.Chat, Region: c.Config.Region, Addresses: c.Config.Addresses},
		URL:    notify.Hint(c.Config.URL), Token: notify.Hint(c.Config.Token),
	}
}

// channelHelp says where somebody gets what a form asks for, and what an address looks
// like.
func channelHelp(kind notify.ChannelKind) (steps []string, example string) {
	switch kind {
	case notify.Slack:
		return []string{
			"At api.slack.com/apps, create an app for your workspace.",
			"Under Incoming Webhooks, switch them on and add one to the channel that shall get messages.",
			"Copy the webhook's address.",
		}, "https://hooks.slack.com/services/…"
	case notify.Discord:
		return []string{
			"In the settings of the channel, open Integrations, then Webhooks.",
			"Make a new webhook and copy its address.",
		}, "https://discord.com/api/webhooks/…"
	case notify.Mattermost:
		return []string{
			"In the product menu, open Integrations, then Incoming Webhooks, and add one.",
			"Copy its address. If your server is in a private network, the operator of Sundew has to allow that network: SUNDEW_ALLOW_NETWORKS.",
		}, "https://chat.example.com/hooks/…"
	case notify.Teams:
		return []string{
			"In the menu of the channel, open Workflows and choose “Send webhook alerts to a channel”.",
			"Save the workflow and copy the address that it shows.",
		}, "https://….logic.azure.com/workflows/…"
	case notify.PagerDuty:
		return []string{
			"In the service, open Integrations and add one of the kind “Events API V2”.",
			"Copy its integration key. What is about one issue is one incident there.",
		}, ""
	case notify.Telegram:
		return []string{
			"Write /newbot to @BotFather: it gives you the bot's token.",
			"Add the bot to the chat. A public chat has an @name; the number of another one is in what api.telegram.org/bot<token>/getUpdates shows after somebody has written there.",
		}, ""
	case notify.Webhook:
		return []string{
			"Each message is sent as JSON by POST to your address. Any answer from 200 to 299 takes it.",
			"Requests are signed. You get the secret, once, when you save; the README says how to check a signature.",
		}, "https://example.com/hooks/sundew"
	}
	return nil, ""
}

// showNewChannel is GET /projects/{id}/settings/channels/new?kind=….
func (d *Dashboard) showNewChannel(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	kind := notify.ChannelKind(r.URL.Query().Get("kind"))
	if !slices.Contains(notify.ChannelKinds(), kind) {
		return redirect(d.links.channels(p.ID)), nil
	}
	return show("newchannel", d.newChannelPage(r, p, store.Channel{Kind: kind, Name: kind.Name()})), nil
}

func (d *Dashboard) newChannelPage(r *http.Request, p store.Project, c store.Channel) newChannelPage {
	return newChannelPage{settingsFrame: d.settingsFrame(r, p, "channels"), Form: d.channelForm(d.links.channels(p.ID), c)}
}

// typedChannel reads the form.
func typedChannel(r *http.Request, kind notify.ChannelKind) store.Channel {
	return store.Channel{Kind: kind, Name: r.PostFormValue("name"), Config: notify.Config{
		URL: r.PostFormValue("url"), Token: r.PostFormValue("token"), Chat: r.PostFormValue("chat"), Region: r.PostFormValue("region"),
		Addresses: strings.FieldsFunc(r.PostFormValue("addresses"), func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }),
	}}
}

// addChannel is POST /projects/{id}/settings/channels. The answer to a new webhook shows
// its secret.
func (d *Dashboard) addChannel(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	typed := typedChannel(r, notify.ChannelKind(r.PostFormValue("kind")))
	if !slices.Contains(notify.ChannelKinds(), typed.Kind) {
		return reply{}, errForm
	}
	made, err := d.carriers().Add(tx, d.by(r), p, typed)
	var unfit *deed.Unfit
	if errors.As(err, &unfit) {
		page := d.newChannelPage(r, p, typed)
		page.Form.retype(typed, unfit.Words)
		page.Form.URL, page.Form.Token = "", ""
		return returned("newchannel", page), nil
	}
	if err != nil {
		return reply{}, err
	}
	if made.Kind == notify.Webhook {
		page, err := d.channelPage(&tx.Rx, r, p, made)
		page.Notice, page.Secret = settledWords("channel-added"), made.Config.Secret
		return show("channel", page), err
	}
	return d.afterChannel(p, made, "channel-added"), nil
}

// changeChannel is POST /projects/{id}/settings/channels/{channel}. Secrets that the
// form leaves empty stay.
func (d *Dashboard) changeChannel(tx *store.Tx, r *http.Request) (reply, error) {
	p, saved, err := pathChannel(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	typed := typedChannel(r, saved.Kind)
	err = d.carriers().Change(tx, d.by(r), p, saved, typed)
	var unfit *deed.Unfit
	if errors.As(err, &unfit) {
		page, err := d.channelPage(&tx.Rx, r, p, saved)
		page.Form.retype(typed, unfit.Words)
		return returned("channel", page), err
	}
	return d.afterChannel(p, saved, "saved"), err
}

// retype puts into a form what was typed into it, and why it came back.
func (f *channelForm) retype(typed store.Channel, words string) {
	f.Name, f.Config, f.Error = typed.Name, typed.Config, words
}
