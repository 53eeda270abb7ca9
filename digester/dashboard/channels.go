package dashboard

import (
	"html/template"
	"net/http"
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/schema/event"
)

// channelRoutes are the routes of the channels in a project's settings.
func (d *Dashboard) channelRoutes() {
	admin := ofProject(access.Admin)
	const list = "/projects/{id}/settings/channels"
	const one = list + "/{channel}"
	d.get(list, admin, d.showChannels)
	d.primary(list+"/new", admin, d.showNewChannel)
	d.post(list, "add channel", admin, d.addChannel)
	d.primary(one, admin, d.showChannel)
	d.post(one, "change channel", admin, d.changeChannel)
	d.post(one+"/enable", "enable channel", admin, d.setChannel(true))
	d.post(one+"/disable", "disable channel", admin, d.setChannel(false))
	d.post(one+"/delete", "delete channel", admin, d.deleteChannel)
	d.post(one+"/secret", "new secret of channel", admin, d.renewChannelSecret)
	d.form(one+"/test", d.guarded(admin, d.testChannel))
	d.post(one+"/messages/{message}/retry", "try message again", admin, d.retryNotification)
}

// The addresses of channels.

func (l links) channels(id event.ProjectID) string { return l.settingsPart(id, "channels") }

func (l links) newChannel(id event.ProjectID, kind notify.ChannelKind) string {
	return l.channels(id) + "/new?kind=" + string(kind)
}

func (l links) channel(id event.ProjectID, channel int64) string {
	return l.channels(id) + "/" + strconv.FormatInt(channel, 10)
}

// channelAction leads to what can be done with a channel: enable, disable, delete,
// secret, test.
func (l links) channelAction(id event.ProjectID, channel int64, action string) string {
	return l.channel(id, channel) + "/" + action
}

func (l links) retryNotification(id event.ProjectID, channel, message int64) string {
	return l.channel(id, channel) + "/messages/" + strconv.FormatInt(message, 10) + "/retry"
}

// channelFuncs are what templates of channels may call.
func (l links) channelFuncs() template.FuncMap {
	return template.FuncMap{
		"newChannelURL":     l.newChannel,
		"channelURL":        l.channel,
		"channelActionURL":  l.channelAction,
		"retryMessageURL":   l.retryNotification,
		"maxMailRecipients": func() int { return notify.MaxAddresses },
	}
}

// channelsPage lists a project's channels.
type channelsPage struct {
	settingsFrame
	Channels []channelRow
	Kinds    []channelKind
}

// channelKind is a kind that can be added.
type channelKind struct {
	Kind notify.ChannelKind
	Text string
}

// channelRow is a channel as lists show it.
type channelRow struct {
	store.Channel
	Where string // it leads, without secrets
	State channelState
	Next  time.Time // when the next attempt at what waits is due
}

// channelState is how a channel is doing.
type channelState struct {
	Text  string
	Class string
	Fails bool // the last attempt failed
}

func newChannelRow(c store.Channel) channelRow {
	row := channelRow{Channel: c, Where: whereWords(c.Kind, c.Config), State: stateOf(c)}
	if c.Waiting > 0 {
		row.Next = c.HeldUntil
	}
	return row
}

func stateOf(c store.Channel) channelState {
	switch state := c.State(); state {
	case store.ChannelFailing:
		return channelState{Text: string(state), Class: "note note-unhandled", Fails: true}
	case store.ChannelWorks:
		return channelState{Text: string(state), Class: "state state-resolved"}
	default:
		return channelState{Text: string(state), Class: "state"}
	}
}

// whereWords says where a channel leads, without what would open it to others.
func whereWords(kind notify.ChannelKind, c notify.Config) string {
	switch {
	case kind == notify.Mail && len(c.Addresses) == 1:
		return c.Addresses[0]
	case kind == notify.Mail:
		return c.Addresses[0] + " and " + formatCount(int64(len(c.Addresses)-1)) + " more"
	case kind == notify.Telegram:
		return "chat " + c.Chat
	case kind == notify.PagerDuty:
		return "integration " + notify.Hint(c.Token)
	}
	return notify.Hint(c.URL)
}

// showChannels is GET /projects/{id}/settings/channels.
func (d *Dashboard) showChannels(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page := channelsPage{settingsFrame: d.settingsFrame(r, p, "channels")}
	for _, kind := range notify.ChannelKinds() {
		page.Kinds = append(page.Kinds, channelKind{Kind: kind, Text: kind.Name()})
	}
	channels, err := rx.Channels(p.ID)
	for _, c := range channels {
		page.Channels = append(page.Channels, newChannelRow(c))
	}
	return show("channels", page), err
}

// pathChannel loads the project and its channel that the path names.
func pathChannel(rx *store.Rx, r *http.Request) (store.Project, store.Channel, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return p, store.Channel{}, err
	}
	id, err := pathNumber(r, "channel")
	if err != nil {
		return p, store.Channel{}, err
	}
	c, err := rx.Channel(p.ID, id)
	return p, c, err
}
